/* The Lua module `examine`, for `cargo xtask mutants`: examine(list) captures this Lua's heap by
   both engines, prints it by mutants_dump, says that it is ready, and waits, so that it can be
   captured from outside as it stands now.

   `list` is the function of that name of the module `compare`; or why that module cannot be had. All
   files lie in the working folder. */

#include <stdio.h>
#include <unistd.h>

#include "lauxlib.h"
#include "lua.h"

/* The dump of the VM's own: dump_puc.c, dump_jit.c. */
void mutants_dump(lua_State *L, FILE *out);

/* Writes the message on the top to a file. */
static void refuse(lua_State *L, const char *file) {
  FILE *out = fopen(file, "w");
  const char *message = lua_tostring(L, -1);
  if (out != NULL) {
    fputs(message != NULL ? message : "(no message)", out);
    fclose(out);
  }
}

/* list(engine, file); why not, in another file. */
static void list_by(lua_State *L, const char *engine, const char *file, const char *refusal) {
  lua_pushvalue(L, 1);
  lua_pushstring(L, engine);
  lua_pushstring(L, file);
  if (lua_pcall(L, 2, 0, 0) != 0) {
    refuse(L, refusal);
    lua_pop(L, 1);
  }
}

static int examine(lua_State *L) {
  if (lua_isfunction(L, 1)) {
    list_by(L, "portable", "portable", "portable-refused");
    list_by(L, "native", "native", "native-refused");
  } else {
    lua_settop(L, 1);
    refuse(L, "module-refused");
  }
  FILE *out = fopen("dump", "w");
  if (out == NULL)
    return luaL_error(L, "cannot write the dump");
  mutants_dump(L, out);
  fclose(out);
  puts("ready");
  fflush(stdout);
  char byte;
  /* Until whoever attached is done. */
  (void)!read(STDIN_FILENO, &byte, 1);
  return 0;
}

int luaopen_examine(lua_State *L) {
  lua_pushcfunction(L, examine);
  return 1;
}
