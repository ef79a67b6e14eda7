/* The allocator of the Lua state: it counts, and it fails when told to. */

#ifndef HOST_ALLOCATOR_H
#define HOST_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "vm.h"

struct allocator {
  size_t requests;  /* calls that asked for memory: new blocks and growing ones */
  size_t refusals;  /* those of them that failed because of countdown */
  size_t bytes;     /* held now, as Lua counts them */
  size_t countdown; /* requests until one fails, that one included; 0 for never */
  bool once;        /* whether only that one fails, or all after it too */
  lua_Alloc own;    /* the VM's own allocator, where it accepts no other one's memory, or NULL */
  void *own_data;
};

/* A lua_Alloc; data is a struct allocator. */
void *allocate(void *data, void *block, size_t old_size, size_t new_size);

#endif
