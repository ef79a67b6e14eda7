/* The allocator of the Lua state. Only requests for memory fail: Lua counts on it that freeing and
   shrinking do not. */

#include "allocator.h"

#include "c_heap.h"

static bool refuses(struct allocator *self) {
  ++self->requests;
  if (self->countdown == 0)
    return false;
  if (self->countdown > 1) {
    --self->countdown;
    return false;
  }
  if (self->once)
    self->countdown = 0;
  ++self->refusals;
  return true;
}

static void *resize(struct allocator *self, void *block, size_t old_size, size_t new_size) {
  if (self->own != NULL)
    return self->own(self->own_data, block, old_size, new_size);
  if (new_size != 0)
    return uncounted_realloc(block, new_size);
  uncounted_free(block);
  return NULL;
}

void *allocate(void *data, void *block, size_t old_size, size_t new_size) {
  struct allocator *self = data;
  /* For a new block old_size may be the kind of object it is for. */
  size_t held = block != NULL ? old_size : 0;

  if (new_size == 0) {
    self->bytes -= held;
    resize(self, block, old_size, 0);
    return NULL;
  }
  if (new_size > held && refuses(self))
    return NULL;
  void *moved = resize(self, block, old_size, new_size);
  if (moved == NULL) {
    if (new_size > held)
      return NULL;
    moved = block;
  }
  self->bytes += new_size - held;
  return moved;
}
