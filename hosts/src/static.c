/* A program with a Lua in it that is linked statically, libc and all, and opens C modules all the same:

     static SCRIPT */

#include <stdio.h>
#include <stdlib.h>

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

int main(int argc, char **argv) {
  if (argc != 2) {
    fputs("usage: static SCRIPT\n", stderr);
    return 2;
  }
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  int failed = luaL_loadfile(L, argv[1]) || lua_pcall(L, 0, 0, 0);
  fflush(stdout);
  if (failed)
    fprintf(stderr, "static: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
