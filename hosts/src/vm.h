/* The VM this host is compiled for: its headers, and what differs between them. */

#ifndef HOST_VM_H
#define HOST_VM_H

#include "lua.h"
#include "lauxlib.h"
#include "lualib.h"

#if LUA_VERSION_NUM >= 505
/* A fixed seed: hash order, and so what a script prints, is the same in every run. */
#define new_state(allocate, data) lua_newstate(allocate, data, 20261123u)
#else
#define new_state(allocate, data) lua_newstate(allocate, data)
#endif

#if LUA_VERSION_NUM >= 502
#define raw_length(L, index) ((size_t)lua_rawlen(L, index))
#else
#define raw_length(L, index) ((size_t)lua_objlen(L, index))
#endif

#endif
