/* A small model of skynet: skynet [--cpath PATTERN] THREADS {NAME SCRIPT COUNT}...

   Makes COUNT services of each NAME, a Lua state each, and runs SCRIPT in each with its name and its
   number. Then as many threads take turns with the services: each calls a service's global function
   `step(round)`, if it has one, as often as it comes round. Prints "ready" once every service has had
   a turn, and ends when standard input does. An error of a service is reported, and makes the exit
   status 1.

   As in skynet, files are loaded once for all services (`loadfile`, and the script itself): a state
   of its own keeps the code for ever, and services get functions of its prototypes, which are marked
   as shared with all their constants. `shared_table(FILE)` returns a table that was made so.

   Compiled against the sources of a Lua that hosts/skynet.rs changed: strings have a number `id`, and
   two short strings are equal if their texts are. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lprefix.h"

#include "lua.h"

#include "lauxlib.h"
#include "lfunc.h"
#include "lgc.h"
#include "lobject.h"
#include "lstate.h"
#include "lstring.h"
#include "lualib.h"

#if LUA_VERSION_NUM >= 505
#define new_state(allocate, data) lua_newstate(allocate, data, 20261123u)
#else
#define new_state(allocate, data) lua_newstate(allocate, data)
#endif

/* The age that no object has by itself: of no color either, so that no collector touches it. */
enum { SHARED = 7 };

/* What skynet keeps of a service: `handle` is 96 bytes from the start, and `instance` first. */
struct context {
  void *instance;
  char between[88];
  unsigned int handle;
};

/* What it keeps of a service in Lua. */
struct service {
  lua_State *L;
  struct context *context;
  pthread_mutex_t turn;
  struct context own_context;
};

/* A file that was loaded: its function or its table is in the stack of a state of its own. */
struct loaded {
  struct loaded *next;
  char *file;
  int is_table;
  const void *object;
};

static atomic_size_t last_id;
static struct loaded *all_loaded;
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static const char *cpath;

static struct service *services;
static int service_count;
static atomic_int next_turn;
static atomic_int is_over;
static atomic_int has_failed;

static void *allocate(void *data, void *block, size_t old_size, size_t new_size) {
  (void)data;
  (void)old_size;
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, new_size);
}

static void share_string(TString *string) {
  if (string == NULL || (string->marked & SHARED) == SHARED)
    return;
  if (string->tt == LUA_VLNGSTR)
    luaS_hashlongstr(string);
  string->marked = SHARED;
  string->id = atomic_fetch_sub(&last_id, 1) - 1;
}

static void share_prototype(Proto *prototype) {
  prototype->marked = SHARED;
  share_string(prototype->source);
  for (int i = 0; i < prototype->sizek; i++)
    if (ttisstring(&prototype->k[i]))
      share_string(tsvalue(&prototype->k[i]));
  for (int i = 0; i < prototype->sizeupvalues; i++)
    share_string(prototype->upvalues[i].name);
  for (int i = 0; i < prototype->sizelocvars; i++)
    share_string(prototype->locvars[i].varname);
  for (int i = 0; i < prototype->sizep; i++)
    share_prototype(prototype->p[i]);
}

/* Shares the table on the top: values are tables, strings, functions without upvalues, or no objects. */
static void share_table(lua_State *L) {
  luaL_checkstack(L, 4, "tables in tables");
  Table *table = (Table *)lua_topointer(L, -1);
  if (table->marked == SHARED)
    return;
  table->marked = SHARED;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_type(L, -2) == LUA_TSTRING)
      share_string(tsvalue(s2v(L->top.p - 2)));
    if (lua_type(L, -1) == LUA_TSTRING)
      share_string(tsvalue(s2v(L->top.p - 1)));
    else if (lua_type(L, -1) == LUA_TTABLE)
      share_table(L);
    else if (lua_type(L, -1) == LUA_TFUNCTION && !lua_iscfunction(L, -1)) {
      LClosure *function = (LClosure *)lua_topointer(L, -1);
      function->marked = SHARED;
      share_prototype(function->p);
    }
    lua_pop(L, 1);
  }
}

static int run_and_share_table(lua_State *L) {
  const char *file = lua_touserdata(L, 1);
  luaL_openlibs(L);
  if (luaL_loadfile(L, file) != 0)
    return lua_error(L);
  lua_call(L, 0, 1);
  luaL_checktype(L, -1, LUA_TTABLE);
  lua_gc(L, LUA_GCCOLLECT, 0);
  lua_gc(L, LUA_GCSTOP, 0);
  share_table(L);
  return 1;
}

static int load_and_share_function(lua_State *L) {
  const char *file = lua_touserdata(L, 1);
  if (luaL_loadfile(L, file) != 0)
    return lua_error(L);
  lua_gc(L, LUA_GCSTOP, 0);
  share_prototype(((LClosure *)lua_topointer(L, -1))->p);
  return 1;
}

/* Returns what a file is shared as; pushes a message and returns NULL if it cannot be loaded. */
static const void *shared(lua_State *L, const char *file, int is_table) {
  const void *object = NULL;
  pthread_mutex_lock(&loading);
  struct loaded *loaded = all_loaded;
  while (loaded != NULL && (strcmp(loaded->file, file) != 0 || loaded->is_table != is_table))
    loaded = loaded->next;
  if (loaded != NULL)
    object = loaded->object;
  else {
    lua_State *keeper = new_state(allocate, NULL);
    lua_pushcfunction(keeper, is_table ? run_and_share_table : load_and_share_function);
    lua_pushlightuserdata(keeper, (void *)file);
    if (lua_pcall(keeper, 1, 1, 0) == 0) {
      object = lua_topointer(keeper, -1);
      loaded = malloc(sizeof *loaded);
      *loaded = (struct loaded){all_loaded, strdup(file), is_table, object};
      all_loaded = loaded;
    } else {
      lua_pushstring(L, lua_tostring(keeper, -1));
      lua_close(keeper);
    }
  }
  pthread_mutex_unlock(&loading);
  return object;
}

/* Pushes a function of the prototype that a shared one has. */
static void push_function_of(lua_State *L, const void *object) {
  const LClosure *function = object;
  luaL_checkstack(L, 2, "functions");
  LClosure *own = luaF_newLclosure(L, function->nupvalues);
  setclLvalue2s(L, L->top.p, own);
  L->top.p++;
  own->p = function->p;
  luaF_initupvals(L, own);
  if (own->nupvalues > 0) {
    lua_pushglobaltable(L);
    lua_setupvalue(L, -2, 1);
  }
}

/* loadfile(FILE) */
static int load_file(lua_State *L) {
  const void *function = shared(L, luaL_checkstring(L, 1), 0);
  if (function == NULL) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  push_function_of(L, function);
  return 1;
}

/* shared_table(FILE) */
static int shared_table(lua_State *L) {
  const void *table = shared(L, luaL_checkstring(L, 1), 1);
  if (table == NULL)
    return lua_error(L);
  sethvalue2s(L, L->top.p, (Table *)table);
  L->top.p++;
  return 1;
}

static int add_traceback(lua_State *L) {
  luaL_traceback(L, L, lua_tostring(L, 1), 1);
  return 1;
}

static void report(lua_State *L) {
  fflush(stdout);
  fprintf(stderr, "skynet: %s\n", lua_tostring(L, -1));
  lua_pop(L, 1);
  atomic_store(&has_failed, 1);
}

/* Makes a service, and runs its script. */
static int start(lua_State *L) {
  struct service *service = lua_touserdata(L, 1);
  const char *name = lua_touserdata(L, 2);
  const char *script = lua_touserdata(L, 3);
  luaL_openlibs(L);
  lua_pushlightuserdata(L, service->context);
  lua_setfield(L, LUA_REGISTRYINDEX, "skynet_context");
  lua_pushstring(L, name);
  lua_setglobal(L, "SERVICE_NAME");
  lua_pushcfunction(L, load_file);
  lua_setglobal(L, "loadfile");
  lua_pushcfunction(L, shared_table);
  lua_setglobal(L, "shared_table");
  if (cpath != NULL) {
    lua_getglobal(L, "package");
    lua_pushstring(L, cpath);
    lua_setfield(L, -2, "cpath");
  }
  lua_settop(L, 0);
  lua_pushcfunction(L, load_file);
  lua_pushstring(L, script);
  lua_call(L, 1, 2);
  if (lua_isnil(L, 1))
    return lua_error(L);
  lua_settop(L, 1);
  lua_pushstring(L, name);
  lua_pushinteger(L, service->context->handle);
  lua_call(L, 2, 0);
  return 0;
}

static void make_service(struct service *service, const char *name, const char *script) {
  lua_State *L = new_state(allocate, NULL);
  service->L = L;
  service->context = &service->own_context;
  service->context->instance = service;
  service->context->handle = (unsigned int)(service - services) + 1;
  pthread_mutex_init(&service->turn, NULL);
  /* Stays below all calls, as in skynet. */
  lua_pushcfunction(L, add_traceback);
  lua_pushcfunction(L, start);
  lua_pushlightuserdata(L, service);
  lua_pushlightuserdata(L, (void *)name);
  lua_pushlightuserdata(L, (void *)script);
  if (lua_pcall(L, 3, 0, 1) != 0)
    report(L);
}

static void take_turn(lua_State *L, int round) {
  lua_getglobal(L, "step");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  lua_pushinteger(L, round);
  if (lua_pcall(L, 1, 0, 1) != 0)
    report(L);
}

static void *work(void *unused) {
  while (!atomic_load(&is_over) && !atomic_load(&has_failed)) {
    int turn = atomic_fetch_add(&next_turn, 1);
    struct service *service = &services[turn % service_count];
    if (pthread_mutex_trylock(&service->turn) != 0)
      continue;
    take_turn(service->L, turn / service_count);
    pthread_mutex_unlock(&service->turn);
  }
  return unused;
}

int main(int argc, char **argv) {
  int at = 1;
  if (at + 1 < argc && strcmp(argv[at], "--cpath") == 0) {
    cpath = argv[at + 1];
    at += 2;
  }
  if (argc - at < 4 || (argc - at) % 3 != 1) {
    fputs("usage: skynet [--cpath PATTERN] THREADS {NAME SCRIPT COUNT}...\n", stderr);
    return 2;
  }
  int thread_count = atoi(argv[at++]);
  int all = 0;
  for (int i = at; i < argc; i += 3)
    all += atoi(argv[i + 2]);
  services = calloc(all, sizeof *services);
  for (int i = at; i < argc; i += 3)
    for (int n = atoi(argv[i + 2]); n > 0 && !atomic_load(&has_failed); n--)
      make_service(&services[service_count++], argv[i], argv[i + 1]);

  pthread_t threads[64];
  thread_count = thread_count > 64 ? 64 : thread_count;
  for (int i = 0; i < thread_count; i++)
    pthread_create(&threads[i], NULL, work, NULL);
  while (atomic_load(&next_turn) < service_count && thread_count > 0 && !atomic_load(&has_failed))
    sched_yield();
  puts("ready");
  fflush(stdout);
  while (!atomic_load(&has_failed) && getchar() != EOF)
    ;
  atomic_store(&is_over, 1);
  for (int i = 0; i < thread_count; i++)
    pthread_join(threads[i], NULL);
  for (int i = 0; i < service_count; i++)
    lua_close(services[i].L);
  return atomic_load(&has_failed) ? EXIT_FAILURE : EXIT_SUCCESS;
}
