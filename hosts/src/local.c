/* A program that has no Lua, and opens one or more where nobody else sees them:

     local --lib LIBLUA [--lib LIBLUA...] SCRIPT [ARGS...]

   Each library gets a state of its own. SCRIPT runs in the first, in the second and so on, and,
   when there are more than one, in the first again; all states live until the end.

     local --reload ROUNDS --lib LIBLUA --lib LIBLUA [--lib LIBLUA...] SCRIPT [ARGS...]

   The first library stays. Each of the others is opened in its turn, gets a state in which SCRIPT runs,
   and is unloaded, ROUNDS times in all; each time to another address. After each SCRIPT runs in the
   first. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct lua_State lua_State;

enum { MAX_LUAS = 64, MULTIPLE_RESULTS = -1 };

/* The little that is the same, or nearly, in every version. */
struct lua {
  void *library;
  lua_State *state;
  void (*openlibs)(lua_State *);
  void (*openselectedlibs)(lua_State *, int load, int preload); /* 5.5 */
  int (*loadfile)(lua_State *, const char *);                   /* 5.1 */
  int (*loadfilex)(lua_State *, const char *, const char *mode);
  int (*pcall)(lua_State *, int args, int results, int handler); /* 5.1 */
  int (*pcallk)(lua_State *, int args, int results, int handler, ptrdiff_t context, void *k);
  void (*pushstring)(lua_State *, const char *); /* its result, where it has one, is not needed */
  const char *(*tolstring)(lua_State *, int, size_t *);
  void (*settop)(lua_State *, int);
  void (*close)(lua_State *);
};

static bool find(const struct lua *lua, const char *name, void *function) {
  void *address = dlsym(lua->library, name);
  memcpy(function, &address, sizeof address);
  return address != NULL;
}

static bool open_lua(struct lua *lua, const char *path) {
  lua_State *(*newstate)(void);
  lua->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (lua->library == NULL) {
    fprintf(stderr, "local: %s\n", dlerror());
    return false;
  }
  bool found = find(lua, "luaL_newstate", &newstate);
  found &= find(lua, "luaL_openlibs", &lua->openlibs) |
           find(lua, "luaL_openselectedlibs", &lua->openselectedlibs);
  found &= find(lua, "luaL_loadfilex", &lua->loadfilex) | find(lua, "luaL_loadfile", &lua->loadfile);
  found &= find(lua, "lua_pcallk", &lua->pcallk) | find(lua, "lua_pcall", &lua->pcall);
  found &= find(lua, "lua_pushstring", &lua->pushstring);
  found &= find(lua, "lua_tolstring", &lua->tolstring);
  found &= find(lua, "lua_settop", &lua->settop);
  found &= find(lua, "lua_close", &lua->close);
  if (!found) {
    fprintf(stderr, "local: %s is no Lua that this program knows\n", path);
    return false;
  }
  lua->state = newstate();
  if (lua->state == NULL) {
    fputs("local: no memory for a state\n", stderr);
    return false;
  }
  if (lua->openlibs != NULL)
    lua->openlibs(lua->state);
  else
    lua->openselectedlibs(lua->state, ~0, 0);
  return true;
}

static bool run(const struct lua *lua, const char *script, char **args, int arg_count) {
  lua_State *L = lua->state;
  int status = lua->loadfilex != NULL ? lua->loadfilex(L, script, NULL) : lua->loadfile(L, script);
  if (status == 0) {
    for (int i = 0; i < arg_count; ++i)
      lua->pushstring(L, args[i]);
    status = lua->pcallk != NULL ? lua->pcallk(L, arg_count, MULTIPLE_RESULTS, 0, 0, NULL)
                                 : lua->pcall(L, arg_count, MULTIPLE_RESULTS, 0);
  }
  if (status != 0) {
    const char *message = lua->tolstring(L, -1, NULL);
    fflush(stdout);
    fprintf(stderr, "local: %s\n", message != NULL ? message : "(the error is not a string)");
  }
  lua->settop(L, 0);
  return status == 0;
}

/* Closes the state, unloads the library, and takes its place so that no other comes there. */
static void unload(struct lua *lua) {
  uintptr_t place = (uintptr_t)lua->settop & ~(uintptr_t)4095;
  lua->close(lua->state);
  dlclose(lua->library);
  void *taken = mmap((void *)place, 4096, PROT_READ,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (taken != (void *)place) {
    fputs("local: a library is still there after dlclose\n", stderr);
    exit(EXIT_FAILURE);
  }
}

static bool reload(int rounds, char **paths, int count, char **words, int arg_count) {
  struct lua first = {0};
  if (!open_lua(&first, paths[0]))
    return false;
  bool succeeded = run(&first, words[0], words + 1, arg_count);
  for (int i = 0; i < rounds && succeeded; ++i) {
    struct lua lua = {0};
    succeeded = open_lua(&lua, paths[1 + i % (count - 1)]) &&
                run(&lua, words[0], words + 1, arg_count);
    if (!succeeded)
      break;
    unload(&lua);
    succeeded = run(&first, words[0], words + 1, arg_count);
  }
  first.close(first.state);
  return succeeded;
}

int main(int argc, char **argv) {
  struct lua luas[MAX_LUAS] = {0};
  int count = 0;
  int at = 1;
  if (argc > 2 && strcmp(argv[at], "--reload") == 0) {
    int rounds = atoi(argv[2]);
    char *paths[MAX_LUAS];
    for (at = 3; at + 1 < argc && strcmp(argv[at], "--lib") == 0 && count < MAX_LUAS; at += 2)
      paths[count++] = argv[at + 1];
    if (count > 1 && at < argc)
      return reload(rounds, paths, count, argv + at, argc - at - 1) ? EXIT_SUCCESS : EXIT_FAILURE;
    at = argc;
  }
  for (; at + 1 < argc && strcmp(argv[at], "--lib") == 0 && count < MAX_LUAS; at += 2)
    if (!open_lua(&luas[count++], argv[at + 1]))
      return EXIT_FAILURE;
  if (count == 0 || at >= argc || strcmp(argv[at], "--lib") == 0) {
    fputs("usage: local [--reload ROUNDS] --lib LIBLUA [--lib LIBLUA...] SCRIPT [ARGS...]\n", stderr);
    return 2;
  }

  bool succeeded = true;
  int runs = count > 1 ? count + 1 : 1;
  for (int i = 0; i < runs && succeeded; ++i)
    succeeded = run(&luas[i % count], argv[at], argv + at + 1, argc - at - 1);
  for (int i = 0; i < count; ++i)
    luas[i].close(luas[i].state);
  return succeeded ? EXIT_SUCCESS : EXIT_FAILURE;
}
