/* What a LuaJIT holds, as its own headers tell: every object that its lists have, a line for each,
   `raw KIND ADDRESS SIZE`, and of a string its bytes in hexadecimal. */

#include "lj_obj.h"
#include "lj_ctype.h"
#include "lj_dispatch.h"
#include "lj_jit.h"
#include "lj_str.h"

#include <stdio.h>

static FILE *to;
/* Whether a list had the main thread. */
static int has_main_thread;

static void line(const char *kind, const void *address, size_t size) {
  fprintf(to, "raw %s 0x%llx %llu", kind, (unsigned long long)(size_t)address,
          (unsigned long long)size);
}

static void object(const char *kind, const void *address, size_t size) {
  line(kind, address, size);
  putc('\n', to);
}

static void string(GCstr *s, size_t size) {
  line("String", s, size);
  putc(' ', to);
  for (MSize i = 0; i < s->len; ++i)
    fprintf(to, "%02x", (unsigned char)strdata(s)[i]);
  putc('\n', to);
}

static size_t table_size(GCtab *t) {
  size_t size = t->colo ? sizetabcolo((uint32_t)t->colo & 0x7f) : sizeof(GCtab);
  if (t->hmask > 0)
    size += (t->hmask + 1) * sizeof(Node);
  if (t->asize > 0 && t->colo <= 0)
    size += t->asize * sizeof(TValue);
  return size;
}

static size_t cdata_size(global_State *g, GCcdata *cd) {
  if (cdataisv(cd))
    return sizecdatav(cd);
  CType *ct = ctype_raw(ctype_ctsG(g), cd->ctypeid);
  return sizeof(GCcdata) + (ctype_hassize(ct->info) ? ct->size : CTSIZE_PTR);
}

static size_t trace_size(GCtrace *T) {
  return ((sizeof(GCtrace) + 7) & ~(size_t)7) + (T->nins - T->nk) * sizeof(IRIns) +
         T->nsnap * sizeof(SnapShot) + T->nsnapmap * sizeof(SnapEntry);
}

static void list(global_State *g, GCobj *first);

static void one(global_State *g, GCobj *o) {
  switch (o->gch.gct) {
  case ~LJ_TSTR & 0xff:
    string(gco2str(o), lj_str_size(gco2str(o)->len));
    return;
  case ~LJ_TUPVAL & 0xff:
    object("Upvalue", o, sizeof(GCupval));
    return;
  case ~LJ_TTHREAD & 0xff: {
    lua_State *th = gco2th(o);
    size_t own = sizeof(lua_State);
    if (th == mainthread(g)) {
      has_main_thread = 1;
      own = 0;
    }
    object("Thread", o, own + th->stacksize * sizeof(TValue));
    list(g, gcref(th->openupval));
    return;
  }
  case ~LJ_TPROTO & 0xff:
    object("Prototype", o, gco2pt(o)->sizept);
    return;
  case ~LJ_TFUNC & 0xff: {
    GCfunc *fn = gco2func(o);
    if (isluafunc(fn))
      object("LuaFunction", o, sizeLfunc((MSize)fn->l.nupvalues));
    else
      object("CFunction", o, sizeCfunc((MSize)fn->c.nupvalues));
    return;
  }
  case ~LJ_TTRACE & 0xff:
    object("Trace", o, trace_size(gco2trace(o)));
    return;
  case ~LJ_TCDATA & 0xff:
    object("Cdata", cdataptr(gco2cd(o)), cdata_size(g, gco2cd(o)));
    return;
  case ~LJ_TTAB & 0xff:
    object("Table", o, table_size(gco2tab(o)));
    return;
  case ~LJ_TUDATA & 0xff:
    object("Userdata", uddata(gco2ud(o)), sizeudata(gco2ud(o)));
    return;
  default:
    object("(unknown)", o, 0);
  }
}

static void list(global_State *g, GCobj *first) {
  for (GCobj *o = first; o != NULL; o = gcnext(o))
    one(g, o);
}

void mutants_dump(lua_State *L, FILE *out) {
  global_State *g = G(L);
  to = out;
  list(g, gcref(g->gc.root));
  GCobj *last = gcref(g->gc.mmudata);
  if (last != NULL) {
    GCobj *o = last;
    do
      one(g, o = gcnext(o));
    while (o != last);
  }
  for (MSize i = 0; i <= g->str.mask; ++i)
    list(g, (GCobj *)(gcrefu(g->str.tab[i]) & ~(uintptr_t)7));
  string(&g->strempty, 0); /* it lies in the global state */
  if (!has_main_thread)
    one(g, obj2gco(mainthread(g)));
  /* Who looks from outside takes all slots of the stack that is in use, since registers of compiled
     code may not have been written back. What calls that are over left there is no part of what the
     other engine sees. */
  for (TValue *slot = L->top; slot < tvref(L->stack) + L->stacksize; ++slot)
    setnilV(slot);
}
