/* It includes every header of the VM, and only here are LG and LX declared. */
#include "lstate.c"

/* What only macros tell. */
#if LUA_VERSION_NUM >= 504
enum { XTASK_UDATA_HEADER = udatamemoffset(0) };
#else
enum { XTASK_UDATA_HEADER = sizeof(Udata) };
#endif
