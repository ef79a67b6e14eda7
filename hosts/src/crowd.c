/* What a busy program has, beside an interpreter (host.c): 64 threads that allocate, a handler of
   SIGCHLD, handlers of fork, and a thread that waits for all children. Whoever sees a child says so
   on standard error.

   It takes the place of c_heap.c: nothing is counted here.

   At the moment of a `clone` by `syscall`, another thread has the locks of the allocator, of
   standard output and error, and of the dynamic linker. In the child nobody gives them back: whoever
   takes one there waits for ever, until SIGALRM ends the program. */

#define _GNU_SOURCE
#include "c_heap.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 64, LONGEST_RUN = 100 /* seconds */ };

/* The lock that this program's allocator has, as others have one for each arena. */
static pthread_mutex_t allocator = PTHREAD_MUTEX_INITIALIZER;

#ifdef __GLIBC__
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

#define LOCKED(type, call)                                                                         \
  pthread_mutex_lock(&allocator);                                                                  \
  type result = call;                                                                              \
  pthread_mutex_unlock(&allocator);                                                                \
  return result

void *malloc(size_t size) {
  LOCKED(void *, __libc_malloc(size));
}
void *calloc(size_t count, size_t size) {
  LOCKED(void *, __libc_calloc(count, size));
}
void *realloc(void *block, size_t size) {
  LOCKED(void *, __libc_realloc(block, size));
}
void *memalign(size_t alignment, size_t size) {
  LOCKED(void *, __libc_memalign(alignment, size));
}
void *aligned_alloc(size_t alignment, size_t size) {
  LOCKED(void *, __libc_memalign(alignment, size));
}
int posix_memalign(void **block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block == NULL ? ENOMEM : 0;
}
void free(void *block) {
  pthread_mutex_lock(&allocator);
  __libc_free(block);
  pthread_mutex_unlock(&allocator);
}
#endif

bool c_heap_is_counted(void) { return false; }
size_t c_heap_bytes(void) { return 0; }
size_t c_heap_blocks(void) { return 0; }
void *uncounted_realloc(void *block, size_t size) { return realloc(block, size); }
void uncounted_free(void *block) { free(block); }

/* Says something without any lock. */
static void say(const char *text) {
  ssize_t written = write(2, text, strlen(text));
  (void)written;
}

/* Who has all locks: asked to take them, has them, asked to give them back. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static enum { GIVEN_BACK, ASKED_FOR, TAKEN, ENOUGH } locks;

static void set_locks(int to) {
  pthread_mutex_lock(&turn);
  locks = to;
  pthread_cond_broadcast(&turned);
  pthread_mutex_unlock(&turn);
}

static void await_locks(int until) {
  pthread_mutex_lock(&turn);
  while ((int)locks != until)
    pthread_cond_wait(&turned, &turn);
  pthread_mutex_unlock(&turn);
}

/* Called with the dynamic linker's lock. */
static int hold_all(struct dl_phdr_info *info, size_t size, void *data) {
  (void)info, (void)size, (void)data;
  flockfile(stdout);
  flockfile(stderr);
  pthread_mutex_lock(&allocator);
  set_locks(TAKEN);
  await_locks(ENOUGH);
  pthread_mutex_unlock(&allocator);
  funlockfile(stderr);
  funlockfile(stdout);
  return 1;
}

static void *take_locks(void *data) {
  for (;;) {
    await_locks(ASKED_FOR);
    dl_iterate_phdr(hold_all, data);
    set_locks(GIVEN_BACK);
  }
  return NULL;
}

/* The system call itself, by machine code alone: the child must not come back through a lock. */
static long call(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
#else
#error "which machine is this?"
#endif
}

/* In the place of the C library's. */
long syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  long words[6];
  for (int i = 0; i < 6; ++i)
    words[i] = va_arg(rest, long);
  va_end(rest);
  int forks = number == SYS_clone;
  if (forks) {
    set_locks(ASKED_FOR);
    await_locks(TAKEN);
  }
  long result = call(number, words[0], words[1], words[2], words[3], words[4], words[5]);
  if (forks && result != 0) {
    set_locks(ENOUGH);
    await_locks(GIVEN_BACK);
  }
  if (result < 0 && result > -4096) {
    errno = (int)-result;
    return -1;
  }
  return result;
}

static void *allocate(void *data) {
  unsigned seed = (unsigned)(size_t)data;
  void *blocks[16] = {NULL};
  for (;;) {
    for (int i = 0; i < 16; ++i) {
      free(blocks[i]);
      blocks[i] = malloc((size_t)rand_r(&seed) % 5000);
    }
    usleep(1000);
  }
  return NULL;
}

/* Waits for children as a server does. */
static void *wait_for_all(void *data) {
  for (;;) {
    if (waitpid(-1, NULL, 0) > 0)
      say("crowd: somebody's child ended\n");
    usleep(500);
  }
  return data;
}

static void on_child(int signal) {
  (void)signal;
  say("crowd: SIGCHLD\n");
}
static void before_fork(void) {
  say("crowd: a fork\n");
}
static void on_other(int signal) {
  (void)signal;
  say("crowd: a handler of the program's ran\n");
}

static void start(void *(*work)(void *), size_t number) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, work, (void *)number) != 0)
    abort();
  pthread_detach(thread);
}

__attribute__((constructor)) static void gather(void) {
  signal(SIGCHLD, on_child);
  signal(SIGUSR1, on_other);
  pthread_atfork(before_fork, before_fork, before_fork);
  alarm(LONGEST_RUN);
  start(take_locks, 0);
  start(wait_for_all, 0);
  for (size_t i = 0; i < THREADS; ++i)
    start(allocate, i + 1);
}
