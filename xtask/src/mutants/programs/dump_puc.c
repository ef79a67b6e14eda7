/* What a PUC Lua holds, as its own headers tell: every object that its lists have, a line for each,
   `raw KIND ADDRESS SIZE`, and of a string its bytes in hexadecimal.

   It is compiled in the place of lstate.c and ltable.c, which it includes: what only those know
   (LX, the empty part of a hash table) is known here too. */

#include <stdio.h>
#include <stdlib.h>

#include "lstate.c"
#include "ltable.c"

#include "lfunc.h"
#include "lstring.h"

#if LUA_VERSION_NUM < 502
#define NEXT(o) ((o)->gch.next)
#define TAG(o) ((o)->gch.tt)
#define HAS_NODES(t) ((t)->node != dummynode)
#elif LUA_VERSION_NUM < 503
#define NEXT(o) (gch(o)->next)
#define TAG(o) (gch(o)->tt)
#define HAS_NODES(t) (!isdummy((t)->node))
#else
#define NEXT(o) ((o)->next)
#define TAG(o) ((o)->tt)
#define HAS_NODES(t) (!isdummy(t))
#endif

#if LUA_VERSION_NUM >= 505
#define MAIN_THREAD(g) mainthread(g)
#else
#define MAIN_THREAD(g) ((g)->mainthread)
#endif

#if LUA_VERSION_NUM >= 504
#define SLOT StackValue
#else
#define SLOT TValue
#endif

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

static void string(const void *address, size_t size, const char *text, size_t length) {
  line("String", address, size);
  putc(' ', to);
  for (size_t i = 0; i < length; ++i)
    fprintf(to, "%02x", (unsigned char)text[i]);
  putc('\n', to);
}

static size_t table_size(Table *t) {
#if LUA_VERSION_NUM >= 505
  return (size_t)luaH_size(t);
#else
  size_t size = sizeof(Table);
#if LUA_VERSION_NUM >= 504
  size += sizeof(TValue) * luaH_realasize(t);
#else
  size += sizeof(TValue) * (size_t)t->sizearray;
#endif
  if (HAS_NODES(t))
    size += sizeof(Node) * (size_t)sizenode(t);
  return size;
#endif
}

static size_t proto_size(Proto *p) {
  size_t size = sizeof(Proto);
  size += sizeof(*p->k) * (size_t)p->sizek;
  size += sizeof(*p->p) * (size_t)p->sizep;
  size += sizeof(*p->upvalues) * (size_t)p->sizeupvalues;
  size += sizeof(*p->locvars) * (size_t)p->sizelocvars;
#if LUA_VERSION_NUM >= 505
  if (p->flag & PF_FIXED)
    return size;
#endif
  size += sizeof(*p->code) * (size_t)p->sizecode;
  size += sizeof(*p->lineinfo) * (size_t)p->sizelineinfo;
#if LUA_VERSION_NUM >= 504
  size += sizeof(*p->abslineinfo) * (size_t)p->sizeabslineinfo;
#endif
  return size;
}

static size_t thread_size(lua_State *th) {
  size_t calls = 0;
#if LUA_VERSION_NUM < 502
  size_t own = state_size(lua_State);
  calls = (size_t)th->size_ci;
#else
  size_t own = sizeof(LX);
  for (CallInfo *ci = th->base_ci.next; ci != NULL; ci = ci->next)
    ++calls;
#endif
  if (th == MAIN_THREAD(G(th))) {
    has_main_thread = 1;
    own = 0;
  }
#ifdef stacksize
  size_t slots = (size_t)(stacksize(th) + EXTRA_STACK);
#else
  size_t slots = (size_t)th->stacksize;
#endif
  return own + sizeof(SLOT) * slots + sizeof(CallInfo) * calls;
}

static void list(GCObject *first);

#if LUA_VERSION_NUM == 503
/* No list has upvalues: functions and threads refer to them. Each is printed once. */
static UpVal **upvalues;
static size_t upvalue_count;

static void upvalue(UpVal *uv) {
  if (uv == NULL)
    return;
  for (size_t i = 0; i < upvalue_count; ++i)
    if (upvalues[i] == uv)
      return;
  upvalues = realloc(upvalues, (upvalue_count + 1) * sizeof(*upvalues));
  upvalues[upvalue_count++] = uv;
  object("Upvalue", uv, sizeof(UpVal));
}
#endif

static void function_in_c(GCObject *o, int count) { object("CFunction", o, sizeCclosure(count)); }

static void function_in_lua(GCObject *o, LClosure *cl) {
  object("LuaFunction", o, sizeLclosure(cl->nupvalues));
#if LUA_VERSION_NUM == 503
  for (int i = 0; i < cl->nupvalues; ++i)
    upvalue(cl->upvals[i]);
#endif
}

static void thread(GCObject *o) {
  lua_State *th = gco2th(o);
  object("Thread", o, thread_size(th));
#if LUA_VERSION_NUM <= 502
  list(th->openupval);
#elif LUA_VERSION_NUM == 503
  for (UpVal *uv = th->openupval; uv != NULL; uv = uv->u.open.next)
    upvalue(uv);
#endif
}

static void one(GCObject *o) {
  switch (TAG(o)) {
#if LUA_VERSION_NUM < 502
  case LUA_TSTRING: {
    TString *ts = rawgco2ts(o);
    string(o, sizestring(&ts->tsv), getstr(ts), ts->tsv.len);
    return;
  }
  case LUA_TUSERDATA: {
    Udata *u = rawgco2u(o);
    object("Userdata", u + 1, sizeudata(&u->uv));
    return;
  }
  case LUA_TFUNCTION: {
    Closure *cl = gco2cl(o);
    if (cl->c.isC)
      function_in_c(o, cl->c.nupvalues);
    else
      function_in_lua(o, &cl->l);
    return;
  }
  case LUA_TTABLE:
    object("Table", o, table_size(gco2h(o)));
    return;
  case LUA_TUPVAL:
    object("Upvalue", o, sizeof(UpVal));
    return;
  case LUA_TPROTO:
    object("Prototype", o, proto_size(gco2p(o)));
    return;
#elif LUA_VERSION_NUM < 503
  case LUA_TSHRSTR:
  case LUA_TLNGSTR: {
    TString *ts = rawgco2ts(o);
    string(o, sizestring(&ts->tsv), getstr(ts), ts->tsv.len);
    return;
  }
  case LUA_TUSERDATA: {
    Udata *u = rawgco2u(o);
    object("Userdata", u + 1, sizeudata(&u->uv));
    return;
  }
  case LUA_TLCL:
    function_in_lua(o, gco2lcl(o));
    return;
  case LUA_TCCL:
    function_in_c(o, gco2ccl(o)->nupvalues);
    return;
  case LUA_TTABLE:
    object("Table", o, table_size(gco2t(o)));
    return;
  case LUA_TUPVAL:
    object("Upvalue", o, sizeof(UpVal));
    return;
  case LUA_TPROTO:
    object("Prototype", o, proto_size(gco2p(o)));
    return;
#elif LUA_VERSION_NUM < 504
  case LUA_TSHRSTR:
  case LUA_TLNGSTR: {
    TString *ts = gco2ts(o);
    string(o, sizelstring(tsslen(ts)), getstr(ts), tsslen(ts));
    return;
  }
  case LUA_TUSERDATA: {
    Udata *u = gco2u(o);
    object("Userdata", getudatamem(u), sizeudata(u));
    return;
  }
  case LUA_TLCL:
    function_in_lua(o, gco2lcl(o));
    return;
  case LUA_TCCL:
    function_in_c(o, gco2ccl(o)->nupvalues);
    return;
  case LUA_TTABLE:
    object("Table", o, table_size(gco2t(o)));
    return;
  case LUA_TPROTO:
    object("Prototype", o, proto_size(gco2p(o)));
    return;
#else
  case LUA_VSHRSTR:
  case LUA_VLNGSTR: {
    TString *ts = gco2ts(o);
    size_t length = (size_t)tsslen(ts);
#if LUA_VERSION_NUM >= 505
    size_t size = strisshr(ts) ? sizestrshr(length) : luaS_sizelngstr(length, ts->shrlen);
#else
    size_t size = sizelstring(length);
#endif
    string(o, size, getstr(ts), length);
    return;
  }
  case LUA_VUSERDATA: {
    Udata *u = gco2u(o);
    object("Userdata", getudatamem(u), sizeudata(u->nuvalue, u->len));
    return;
  }
  case LUA_VLCL:
    function_in_lua(o, gco2lcl(o));
    return;
  case LUA_VCCL:
    function_in_c(o, gco2ccl(o)->nupvalues);
    return;
  case LUA_VTABLE:
    object("Table", o, table_size(gco2t(o)));
    return;
  case LUA_VUPVAL:
    object("Upvalue", o, sizeof(UpVal));
    return;
  case LUA_VPROTO:
    object("Prototype", o, proto_size(gco2p(o)));
    return;
#endif
  case LUA_TTHREAD:
    thread(o);
    return;
  default:
    object("(unknown)", o, 0);
  }
}

static void list(GCObject *first) {
  for (GCObject *o = first; o != NULL; o = NEXT(o))
    one(o);
}

__attribute__((visibility("default"))) void mutants_dump(lua_State *L, FILE *out) {
  global_State *g = G(L);
  to = out;
#if LUA_VERSION_NUM < 502
  list(g->rootgc);
  if (g->tmudata != NULL) {
    GCObject *o = g->tmudata;
    do
      one(o = NEXT(o));
    while (o != g->tmudata);
  }
#else
  list(g->allgc);
  list(g->finobj);
  list(g->tobefnz);
#endif
#if LUA_VERSION_NUM >= 503
  list(g->fixedgc);
#endif
#if LUA_VERSION_NUM <= 502
  for (int i = 0; i < g->strt.size; ++i)
    list((GCObject *)g->strt.hash[i]);
#endif
  if (!has_main_thread)
    one(obj2gco(MAIN_THREAD(g)));
}
