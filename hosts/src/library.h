/* The global table `host`: what a test script asks of the interpreter it runs in. */

#ifndef HOST_LIBRARY_H
#define HOST_LIBRARY_H

#include "allocator.h"
#include "vm.h"

/* Puts the table that host.hold fills on the stack of the main state. To be called before
   anything runs there, so that the table is in no function's frame. */
void library_push_held(lua_State *main_state);

/* Sets the global `host`. The outermost function of the main state is to keep its stack slot
   LIBRARY_FRAME_SLOT for host.hold_in_frame. */
void library_open(lua_State *L, lua_State *main_state, struct allocator *allocator);

#define LIBRARY_FRAME_SLOT 1

#endif
