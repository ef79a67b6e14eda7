/* Resident memory of this process, as the kernel counts it. */

#ifndef HOST_RESIDENT_H
#define HOST_RESIDENT_H

#include <stdbool.h>

/* A field of /proc/self/status in KiB ("VmRSS", "VmHWM"), or -1. */
long resident_kib(const char *field);

/* Makes the peak (VmHWM) start again from what is resident now. */
bool resident_reset_peak(void);

#endif
