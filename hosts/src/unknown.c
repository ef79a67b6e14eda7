/* Makes a Lua 5.4 whose version nobody knows: this lua_version is linked before Lua's own. It says
   the truth until the standard libraries are open, because they check it. */

#include <stdbool.h>

#include "vm.h"

extern bool host_is_ready;

LUA_API lua_Number lua_version(lua_State *L) {
  (void)L;
  return host_is_ready ? 599 : LUA_VERSION_NUM;
}
