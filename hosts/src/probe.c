/* A C module that needs no Lua API: the tests of the hosts load it. It tells what the process shows
   of that API, and it leaks. */

#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

void *volatile leaked;

int luaopen_leak(void *L) {
  (void)L;
  leaked = malloc(16);
  return 0;
}

int luaopen_probe(void *L) {
  (void)L;
  puts(dlsym(RTLD_DEFAULT, "lua_gettop") != NULL ? "exported" : "hidden");
  return 0;
}

/* As it is from 5.4 on. */
int luaopen_version(void *L) {
  double (*version)(void *) = (double (*)(void *))dlsym(RTLD_DEFAULT, "lua_version");
  if (version != NULL)
    printf("%.0f\n", version(L));
  return 0;
}
