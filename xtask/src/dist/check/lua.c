/* A Lua as one starts it: `lua -e CODE`, or `lua FILE ARGUMENT...`. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **words) {
  lua_State *L = luaL_newstate();
  int failed, at, first;
  if (!L || count < 2) return 2;
  luaL_openlibs(L);
  if (count > 2 && !strcmp(words[1], "-e")) {
    first = 3;
    failed = luaL_loadstring(L, words[2]);
  } else {
    first = 2;
    failed = luaL_loadfile(L, words[1]);
  }
  if (!failed) {
    for (at = first; at < count; at++) lua_pushstring(L, words[at]);
    failed = lua_pcall(L, count - first, 0, 0);
  }
  if (failed) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_close(L);
  return failed ? 1 : 0;
}
