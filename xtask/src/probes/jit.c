#include "lj_obj.h"
#include "lj_ctype.h"
#include "lj_dispatch.h"
#include "lj_frame.h"
#include "lj_jit.h"
#include "lj_bc.h"
#include "lj_str.h"
#if __has_include("lj_buf.h")
#include "lj_buf.h"
#endif

/* Anonymous enumerations are left out unless something uses their constants. */
enum { XTASK_ROOT_METATABLES = GCROOT_BASEMT, XTASK_RETM = BC_RETM };
enum {
  XTASK_C_FRAME_BEFORE = CFRAME_OFS_PREV,
  XTASK_C_FRAME_CODE = CFRAME_OFS_PC,
  XTASK_C_FRAME_RESULTS = CFRAME_OFS_NRES
};

/* 2.0 makes a text no longer than it has to be. */
#ifdef lj_str_size
enum { XTASK_TEXT_ROUNDING = lj_str_size(0) - sizeof(GCstr) };
#else
enum { XTASK_TEXT_ROUNDING = 1 };
#endif
