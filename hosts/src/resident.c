/* Resident memory of this process, from /proc. Plain system calls: a stdio buffer would itself
   move the numbers that are asked for. */

#include "resident.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

long resident_kib(const char *field) {
  char text[4096];
  int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return -1;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0)
    return -1;
  text[length] = '\0';
  size_t name = strlen(field);
  for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, field, name) == 0 && line[name] == ':')
      return strtol(line + name + 1, NULL, 10);
  }
  return -1;
}

bool resident_reset_peak(void) {
  int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  bool written = write(file, "5", 1) == 1;
  close(file);
  return written;
}
