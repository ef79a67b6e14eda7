/* The global table `host`. Numbers in, numbers out: nothing here asks Lua for memory except what
   is documented to make an object. */

#include "library.h"

#include <string.h>
#include <time.h>

#include "c_heap.h"
#include "resident.h"

/* Not upvalues: the functions of `host` shall add no edges to the graphs under test. */
static struct allocator *allocator;
static lua_State *main_state;

static const char HELD[] = "host.held"; /* in the registry: {T}, weak */

/* Sets the countdown from argument 1. */
static void set_countdown(lua_State *L, bool once) {
  lua_Number n = luaL_optnumber(L, 1, 0);
  luaL_argcheck(L, n >= 0, 1, "not negative");
  allocator->countdown = (size_t)n;
  allocator->once = once;
}

/* fail_at(n): the n-th request for memory from now on fails, and all after it; 0 or nil: none.
   Beware: any call, that of pcall or of fail_at(0) too, may need memory for the stack. */
static int fail_at(lua_State *L) {
  set_countdown(L, false);
  return 0;
}

/* fail_once(n): the n-th request fails, and no other. From 5.2 on Lua then collects and asks
   again, so that this is an emergency collection and no error. */
static int fail_once(lua_State *L) {
  set_countdown(L, true);
  return 0;
}

static int protected_call(lua_State *L, bool once) {
  luaL_checkany(L, 2);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  set_countdown(L, once);
  int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  allocator->countdown = 0;
  lua_pushboolean(L, status == 0);
  lua_replace(L, 1);
  return lua_gettop(L);
}

/* pcall_failing_at(n, f, ...): pcall(f, ...) with fail_at(n) in force for f alone. */
static int pcall_failing_at(lua_State *L) { return protected_call(L, false); }

/* pcall_failing_once(n, f, ...): the same with fail_once. */
static int pcall_failing_once(lua_State *L) { return protected_call(L, true); }

/* Counts are integers where Lua has them. */
static void push_count(lua_State *L, size_t count) { lua_pushinteger(L, (lua_Integer)count); }

/* alloc_count(): requests for memory so far (new blocks and growth), failed ones included. */
static int alloc_count(lua_State *L) {
  push_count(L, allocator->requests);
  return 1;
}

/* refusals(): requests so far that were made to fail. */
static int refusals(lua_State *L) {
  push_count(L, allocator->refusals);
  return 1;
}

/* lua_bytes(): bytes that the Lua state holds. */
static int lua_bytes(lua_State *L) {
  push_count(L, allocator->bytes);
  return 1;
}

static int counted(lua_State *L, size_t count) {
  if (c_heap_is_counted())
    push_count(L, count);
  else
    lua_pushnil(L);
  return 1;
}

/* c_bytes(): usable bytes of the C heap that are not Lua's; nil where nobody counts them. LuaJIT's
   compiler has some there: jit.off() before a comparison. So has the buffer of a first print. */
static int c_bytes(lua_State *L) { return counted(L, c_heap_bytes()); }

/* c_blocks(): the number of blocks that c_bytes adds up. */
static int c_blocks(lua_State *L) { return counted(L, c_heap_blocks()); }

static int resident(lua_State *L, const char *field) {
  long kib = resident_kib(field);
  if (kib >= 0)
    push_count(L, (size_t)kib);
  else
    lua_pushnil(L);
  return 1;
}

/* rss(): resident memory in KiB. */
static int rss(lua_State *L) { return resident(L, "VmRSS"); }

/* peak_rss(): the most that was resident since the start or reset_peak, in KiB. */
static int peak_rss(lua_State *L) { return resident(L, "VmHWM"); }

/* reset_peak(): starts peak_rss again from now; whether the kernel did. */
static int reset_peak(lua_State *L) {
  lua_pushboolean(L, resident_reset_peak());
  return 1;
}

/* clock(): seconds by a clock that only goes forward. */
static int monotonic_clock(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec * 1e-9);
  return 1;
}

/* userdata(size [, user values = 0]): a full userdata, zeroed; user values from 5.4 on. */
static int userdata(lua_State *L) {
  lua_Integer size = luaL_checkinteger(L, 1);
  lua_Integer user_values = luaL_optinteger(L, 2, 0);
  luaL_argcheck(L, size >= 0, 1, "not negative");
  luaL_argcheck(L, user_values >= 0 && user_values < 65535, 2, "out of range");
#if LUA_VERSION_NUM >= 504
  void *payload = lua_newuserdatauv(L, (size_t)size, (int)user_values);
#else
  void *payload = lua_newuserdata(L, (size_t)size);
#endif
  memset(payload, 0, (size_t)size);
  return 1;
}

/* setuservalue(u, v [, n = 1]): whether there is such a user value. 5.2 and 5.3 have one (5.2: a
   table or nil); 5.1 and LuaJIT have the environment instead, which must be a table. */
static int set_user_value(lua_State *L) {
  luaL_checktype(L, 1, LUA_TUSERDATA);
  luaL_checkany(L, 2);
  lua_Integer n = luaL_optinteger(L, 3, 1);
  int done = n == 1;
  (void)n;
#if LUA_VERSION_NUM >= 504
  lua_settop(L, 2);
  done = lua_setiuservalue(L, 1, (int)n);
#elif LUA_VERSION_NUM >= 502
  if (LUA_VERSION_NUM == 502 && !lua_isnil(L, 2))
    luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  if (done)
    lua_setuservalue(L, 1);
#else
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  if (done)
    done = lua_setfenv(L, 1);
#endif
  lua_pushboolean(L, done);
  return 1;
}

/* lightuserdata(n): the light userdata of address n. */
static int light_userdata(lua_State *L) {
  lua_pushlightuserdata(L, (void *)(size_t)luaL_checknumber(L, 1));
  return 1;
}

static int nothing(lua_State *L) {
  (void)L;
  return 0;
}

/* cclosure(...): a new C function, at most 255 upvalues: the arguments. It does nothing. */
static int c_closure(lua_State *L) {
  int count = lua_gettop(L);
  luaL_argcheck(L, count <= 255, 256, "too many upvalues");
  lua_pushcclosure(L, nothing, count);
  return 1;
}

/* lightfunction(): a C function without upvalues (from 5.2 on no object at all). */
static int light_function(lua_State *L) {
  lua_pushcfunction(L, nothing);
  return 1;
}

/* newtable(n, m): a table with room for n elements and m other entries. */
static int new_table(lua_State *L) {
  lua_createtable(L, (int)luaL_checkinteger(L, 1), (int)luaL_checkinteger(L, 2));
  return 1;
}

/* thread(...): a new thread that never was a coroutine; the arguments lie on its stack. */
static int new_thread(lua_State *L) {
  int count = lua_gettop(L);
  lua_State *thread = lua_newthread(L);
  lua_insert(L, 1);
  if (!lua_checkstack(thread, count))
    return luaL_error(L, "no room on the stack");
  lua_xmove(L, thread, count);
  return 1;
}

#if LUA_VERSION_NUM >= 503
static int go_on(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L);
}
#elif LUA_VERSION_NUM == 502
static int go_on(lua_State *L) { return lua_gettop(L); }
#endif

/* yield_last(...): yields the last argument, while the others stay on the stack. */
static int yield_last(lua_State *L) {
  luaL_checkany(L, 1);
#if LUA_VERSION_NUM >= 502
  return lua_yieldk(L, 1, 0, go_on);
#else
  return lua_yield(L, 1);
#endif
}

#if LUA_VERSION_NUM >= 505
static void *free_external(void *data, void *block, size_t old_size, size_t new_size) {
  (void)data;
  (void)old_size;
  (void)new_size;
  uncounted_free(block);
  return NULL;
}

/* external(n [, freed]): a string of n letters that lies outside Lua's memory; Lua gives it back
   when `freed` is true, and otherwise it stays for ever (a thousand letters at most). */
static int external_string(lua_State *L) {
  static char letters[1001];
  size_t length = (size_t)luaL_checkinteger(L, 1);
  if (!lua_toboolean(L, 2)) {
    luaL_argcheck(L, length < sizeof letters, 1, "at most a thousand");
    memset(letters, 'e', sizeof letters - 1);
    lua_pushexternalstring(L, letters + (sizeof letters - 1 - length), length, NULL, NULL);
    return 1;
  }
  char *block = uncounted_realloc(NULL, length + 1);
  if (block == NULL)
    return luaL_error(L, "not enough memory");
  memset(block, 'f', length);
  block[length] = '\0';
  lua_pushexternalstring(L, block, length, free_external, NULL);
  return 1;
}
#endif

/* hold(v): the main state's stack holds v from now on, by a table in the slot below every
   function's frame: where a C program keeps what it pushed before it called Lua. No debug
   interface shows that slot. */
static int hold(lua_State *L) {
  luaL_checkany(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, HELD);
  lua_rawgeti(L, -1, 1);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, (int)raw_length(L, -2) + 1);
  return 0;
}

/* hold_in_frame(v): a stack slot of the host's own C function, the one that called the script,
   holds v until the next call of this. */
static int hold_in_frame(lua_State *L) {
  lua_Debug frame, outermost;
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  int level = 0;
  while (lua_getstack(main_state, level, &frame)) {
    outermost = frame;
    ++level;
  }
  if (level == 0 || !lua_checkstack(main_state, 1))
    return luaL_error(L, "no frame of the host");
  if (L != main_state)
    lua_xmove(L, main_state, 1);
  /* Takes the value from the top of the main state's stack. */
  if (lua_setlocal(main_state, &outermost, LIBRARY_FRAME_SLOT) == NULL)
    return luaL_error(L, "the host's frame has no such slot");
  return 0;
}

#ifdef LUA_USE_APICHECK
/* misuse(): pops what is not there; the checks must end the process. */
static int misuse(lua_State *L) {
  lua_settop(L, 0);
  lua_settop(L, -2);
  return 0;
}
#endif

static const luaL_Reg FUNCTIONS[] = {
    {"alloc_count", alloc_count},
    {"c_blocks", c_blocks},
    {"c_bytes", c_bytes},
    {"cclosure", c_closure},
    {"clock", monotonic_clock},
#if LUA_VERSION_NUM >= 505
    {"external", external_string},
#endif
    {"fail_at", fail_at},
    {"fail_once", fail_once},
    {"hold", hold},
    {"hold_in_frame", hold_in_frame},
    {"lightfunction", light_function},
    {"lightuserdata", light_userdata},
    {"lua_bytes", lua_bytes},
#ifdef LUA_USE_APICHECK
    {"misuse", misuse},
#endif
    {"newtable", new_table},
    {"pcall_failing_at", pcall_failing_at},
    {"pcall_failing_once", pcall_failing_once},
    {"peak_rss", peak_rss},
    {"refusals", refusals},
    {"reset_peak", reset_peak},
    {"rss", rss},
    {"setuservalue", set_user_value},
    {"thread", new_thread},
    {"userdata", userdata},
    {"yield_last", yield_last},
};

void library_push_held(lua_State *L) {
  lua_newtable(L);

  /* Only the stack holds that table: the registry's way to it is weak. */
  lua_newtable(L);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, 1);
  lua_newtable(L);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_setfield(L, LUA_REGISTRYINDEX, HELD);
}

void library_open(lua_State *L, lua_State *main, struct allocator *counters) {
  allocator = counters;
  main_state = main;
  lua_newtable(L);
  for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; ++i) {
    lua_pushcfunction(L, FUNCTIONS[i].func);
    lua_setfield(L, -2, FUNCTIONS[i].name);
  }
  lua_pushliteral(L, HOST_VM);
  lua_setfield(L, -2, "vm");
#ifdef LUA_USE_APICHECK
  lua_pushboolean(L, 1);
#else
  lua_pushboolean(L, 0);
#endif
  lua_setfield(L, -2, "checked");
  lua_setglobal(L, "host");
}
