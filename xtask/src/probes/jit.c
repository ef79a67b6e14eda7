#include "lj_obj.h"
#include "lj_ctype.h"
#include "lj_dispatch.h"
#include "lj_frame.h"
#include "lj_jit.h"

#if !LJ_GC64
#error "This LuaJIT has 32-bit references, of which there is no table."
#endif

/* Anonymous enumerations are left out unless something uses their constants. */
enum { XTASK_ROOT_METATABLES = GCROOT_BASEMT };
enum {
  XTASK_C_FRAME_BEFORE = CFRAME_OFS_PREV,
  XTASK_C_FRAME_CODE = CFRAME_OFS_PC,
  XTASK_C_FRAME_RESULTS = CFRAME_OFS_NRES
};
