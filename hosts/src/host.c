/* A bare Lua interpreter: host [--cpath PATTERN] SCRIPT [ARGS...]

   Runs SCRIPT as `lua` would, with `arg`, `...` and all standard libraries, and with the global
   table `host` (library.c). An error goes to standard error, with a traceback, and makes the exit
   status 1. Compiled once against each VM's headers. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocator.h"
#include "library.h"
#include "vm.h"

struct job {
  struct allocator allocator;
  lua_State *main_state;
  const char *program;
  const char *cpath; /* what to look for C modules in first, or NULL */
  const char *script;
  char **args;
  int arg_count;
};

/* Whether the standard libraries are open: unknown.c waits for it. */
bool host_is_ready;

static void report(lua_State *L, int index) {
  size_t length;
  const char *message = lua_tolstring(L, index, &length);
  if (message == NULL) {
    message = "(the error is not a string)";
    length = strlen(message);
  }
  /* What the script printed comes first. */
  fflush(stdout);
  fputs("host: ", stderr);
  fwrite(message, 1, length, stderr);
  fputc('\n', stderr);
}

/* The message handler. Upvalue: debug.traceback. */
static int add_traceback(lua_State *L) {
  if (!lua_isstring(L, 1)) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
      return 1;
    lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
    lua_replace(L, 1);
  }
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_pushinteger(L, 2); /* neither this function nor the traceback's own */
  lua_call(L, 2, 1);
  return 1;
}

static void push_message_handler(lua_State *L) {
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "traceback");
  lua_remove(L, -2);
  lua_pushcclosure(L, add_traceback, 1);
}

static void set_arg(lua_State *L, const struct job *job) {
  lua_newtable(L);
  lua_pushstring(L, job->program);
  lua_rawseti(L, -2, -1);
  lua_pushstring(L, job->script);
  lua_rawseti(L, -2, 0);
  for (int i = 0; i < job->arg_count; ++i) {
    lua_pushstring(L, job->args[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setglobal(L, "arg");
}

static void prepend_cpath(lua_State *L, const char *pattern) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "cpath");
  lua_pushfstring(L, "%s;%s", pattern, lua_tostring(L, -1));
  lua_setfield(L, -3, "cpath");
  lua_pop(L, 2);
}

/* The outermost function: takes the job, returns whether the script ran without an error. */
static int run_job(lua_State *L) {
  struct job *job = lua_touserdata(L, 1);
  lua_settop(L, 0);
  lua_pushnil(L); /* LIBRARY_FRAME_SLOT */

  luaL_openlibs(L);
  library_open(L, job->main_state, &job->allocator);
  set_arg(L, job);
  if (job->cpath != NULL)
    prepend_cpath(L, job->cpath);
  host_is_ready = true;

  push_message_handler(L);
  int handler = lua_gettop(L);
  int status = luaL_loadfile(L, job->script);
  if (status == 0) {
    luaL_checkstack(L, job->arg_count, "too many arguments");
    for (int i = 0; i < job->arg_count; ++i)
      lua_pushstring(L, job->args[i]);
    status = lua_pcall(L, job->arg_count, 0, handler);
  }
  /* What a script left set must not fail the host's own work. */
  job->allocator.countdown = 0;
  if (status != 0)
    report(L, -1);
  lua_pushboolean(L, status == 0);
  return 1;
}

/* Opens a state whose allocator counts and fails when told to. */
static lua_State *open_state(struct allocator *allocator) {
#ifdef HOST_OWN_ALLOCATOR
  lua_State *L = luaL_newstate();
  if (L != NULL) {
    allocator->own = lua_getallocf(L, &allocator->own_data);
    allocator->bytes = 1024 * (size_t)lua_gc(L, LUA_GCCOUNT, 0) + lua_gc(L, LUA_GCCOUNTB, 0);
    lua_setallocf(L, allocate, allocator);
  }
  return L;
#else
  return new_state(allocate, allocator);
#endif
}

static int usage(void) {
  fputs("usage: host [--cpath PATTERN] SCRIPT [ARGS...]\n", stderr);
  return 2;
}

int main(int argc, char **argv) {
  struct job job = {.program = argv[0]};
  int at = 1;
  for (; at < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
    if (strcmp(argv[at], "--cpath") != 0 || at + 1 >= argc)
      return usage();
    job.cpath = argv[at + 1];
  }
  if (at >= argc)
    return usage();
  job.script = argv[at];
  job.args = argv + at + 1;
  job.arg_count = argc - at - 1;

  lua_State *L = open_state(&job.allocator);
  if (L == NULL) {
    fputs("host: no memory for a state\n", stderr);
    return 1;
  }
  job.main_state = L;
  library_push_held(L);
  lua_pushcfunction(L, run_job);
  lua_pushlightuserdata(L, &job);
  int status = lua_pcall(L, 1, 1, 0);
  if (status != 0)
    report(L, -1);
  bool succeeded = status == 0 && lua_toboolean(L, -1);
  lua_close(L);
  return succeeded ? EXIT_SUCCESS : EXIT_FAILURE;
}
