/* The C heap without Lua's blocks, counted to the byte. */

#ifndef HOST_C_HEAP_H
#define HOST_C_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* True where the C library lets its malloc be replaced (glibc). */
bool c_heap_is_counted(void);

/* Usable bytes, and blocks, that C and Rust code of this process holds now. */
size_t c_heap_bytes(void);
size_t c_heap_blocks(void);

/* The C library's own realloc and free: what the Lua allocator uses, so that its blocks are
   not counted here. */
void *uncounted_realloc(void *block, size_t size);
void uncounted_free(void *block);

#endif
