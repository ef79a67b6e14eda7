/* malloc and its family, replaced by counting ones. mallinfo() will not do: it takes freed blocks
   that wait in a thread's cache for blocks in use. The linker exports these names because the C
   library has them too, so every shared object of the process gets them, a Rust one as well. */

#include "c_heap.h"

#include <errno.h>
#include <stdlib.h>

#ifdef __GLIBC__

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static atomic_size_t bytes;
static atomic_size_t blocks;

bool c_heap_is_counted(void) { return true; }
size_t c_heap_bytes(void) { return atomic_load(&bytes); }
size_t c_heap_blocks(void) { return atomic_load(&blocks); }

void *uncounted_realloc(void *block, size_t size) { return __libc_realloc(block, size); }
void uncounted_free(void *block) { __libc_free(block); }

static void *taken(void *block) {
  if (block != NULL) {
    atomic_fetch_add_explicit(&bytes, malloc_usable_size(block), memory_order_relaxed);
    atomic_fetch_add_explicit(&blocks, 1, memory_order_relaxed);
  }
  return block;
}

static void given_back(size_t size) {
  atomic_fetch_sub_explicit(&bytes, size, memory_order_relaxed);
  atomic_fetch_sub_explicit(&blocks, 1, memory_order_relaxed);
}

void *malloc(size_t size) { return taken(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return taken(__libc_calloc(count, size)); }

void *realloc(void *block, size_t size) {
  size_t held = block != NULL ? malloc_usable_size(block) : 0;
  void *moved = __libc_realloc(block, size);
  /* glibc frees the block when size is 0; else a failure leaves it alone. */
  if (block != NULL && (moved != NULL || size == 0))
    given_back(held);
  return taken(moved);
}

void free(void *block) {
  if (block != NULL) {
    given_back(malloc_usable_size(block));
    __libc_free(block);
  }
}

void *memalign(size_t alignment, size_t size) { return taken(__libc_memalign(alignment, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
  if (alignment == 0 || alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0)
    return EINVAL;
  void *block = memalign(alignment, size);
  if (block == NULL)
    return ENOMEM;
  *result = block;
  return 0;
}

void *valloc(size_t size) { return memalign((size_t)sysconf(_SC_PAGESIZE), size); }

void *pvalloc(size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  if (size > SIZE_MAX - page) {
    errno = ENOMEM;
    return NULL;
  }
  return memalign(page, (size + page - 1) / page * page);
}

#else /* another C library: its malloc stays, and nothing is counted */

bool c_heap_is_counted(void) { return false; }
size_t c_heap_bytes(void) { return 0; }
size_t c_heap_blocks(void) { return 0; }
void *uncounted_realloc(void *block, size_t size) { return realloc(block, size); }
void uncounted_free(void *block) { free(block); }

#endif
