/* SPDX-License-Identifier: GPL-3.0-or-later */
/* arena.c - bump allocation over a chain of chunks.
 *
 * Every chunk knows how many bytes the chunks before it hold (`start`), so that a mark is one
 * number, the bytes in use, and rewinding finds its chunk by it. A request that does not fit the
 * rest of the current chunk goes to the next one that is large enough, or to a new chunk inserted
 * there; the same sequence of requests after a reset therefore meets the same chunks and allocates
 * nothing.
 *
 * Under AddressSanitizer free memory of the arena is poisoned, so that a use after a rewind, and a
 * step beyond a block whose size is no multiple of 64, are found as they would be with malloc. */
#include "core/arena.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define poison(address, size)   ASAN_POISON_MEMORY_REGION(address, size)
#define unpoison(address, size) ASAN_UNPOISON_MEMORY_REGION(address, size)
#else
#define poison(address, size)   ((void)(address), (void)(size))
#define unpoison(address, size) ((void)(address), (void)(size))
#endif

enum { alignment = 64, smallest_chunk = 1 << 16, huge_page = 1 << 21 };

struct ssk_arena_chunk {
  struct ssk_arena_chunk *next;
  unsigned char *data;
  size_t capacity;
  size_t start; /* bytes in use in the chunks before */
  size_t fill;  /* bytes in use in this one */
};

/* Memory for a chunk. Large ones lie in huge pages, where the system has them on request: where a
 * page fault is dear (in a virtual machine), the first step of a training would otherwise spend
 * most of its time on them. */
static void *chunk_memory(size_t *capacity) {
  if (*capacity < huge_page)
    return aligned_alloc(alignment, *capacity);
  *capacity = (*capacity + huge_page - 1) & ~(size_t)(huge_page - 1);
  void *data = aligned_alloc(huge_page, *capacity);
#ifdef MADV_HUGEPAGE
  if (data)
    madvise(data, *capacity, MADV_HUGEPAGE); /* only an advice: without it, small pages */
#endif
  return data;
}

/* A chunk of at least `bytes`, at least as large as all before it together: their number grows with
 * the logarithm of the need. */
static struct ssk_arena_chunk *new_chunk(const struct ssk_arena *arena, size_t bytes) {
  size_t capacity = smallest_chunk;
  for (const struct ssk_arena_chunk *c = arena->first; c; c = c->next)
    capacity += c->capacity;
  if (capacity < bytes)
    capacity = bytes;
  struct ssk_arena_chunk *chunk = malloc(sizeof *chunk);
  void *data = chunk_memory(&capacity);
  if (!chunk || !data) {
    free(chunk);
    free(data);
    return NULL;
  }
  *chunk = (struct ssk_arena_chunk){.data = data, .capacity = capacity};
  poison(data, capacity);
  return chunk;
}

/* Make `current` a chunk with room for `bytes`; false without memory. */
static bool advance(struct ssk_arena *arena, size_t bytes) {
  struct ssk_arena_chunk *last = arena->current;
  struct ssk_arena_chunk *chunk = last ? last->next : arena->first;
  while (chunk && chunk->capacity < bytes) {
    chunk->start = arena->used;
    chunk->fill = 0;
    last = chunk;
    chunk = chunk->next;
  }
  if (!chunk) {
    chunk = new_chunk(arena, bytes);
    if (!chunk)
      return false;
    if (last)
      last->next = chunk;
    else
      arena->first = chunk;
  }
  chunk->start = arena->used;
  chunk->fill = 0;
  arena->current = chunk;
  return true;
}

void *ssk_arena_alloc(struct ssk_arena *arena, size_t bytes) {
  if (bytes > SIZE_MAX / 4)
    return NULL;
  size_t rounded = bytes ? (bytes + alignment - 1) & ~(size_t)(alignment - 1) : alignment;
  struct ssk_arena_chunk *chunk = arena->current;
  if (!chunk || chunk->capacity - chunk->fill < rounded) {
    if (!advance(arena, rounded))
      return NULL;
    chunk = arena->current;
  }
  void *block = chunk->data + chunk->fill;
  chunk->fill += rounded;
  arena->used += rounded;
  if (arena->peak < arena->used)
    arena->peak = arena->used;
  unpoison(block, bytes);
  return block;
}

void *ssk_arena_zalloc(struct ssk_arena *arena, size_t bytes) {
  void *block = ssk_arena_alloc(arena, bytes);
  return block ? memset(block, 0, bytes) : NULL;
}

char *ssk_arena_strdup(struct ssk_arena *arena, const char *text) {
  if (!text)
    return NULL;
  size_t size = strlen(text) + 1;
  char *copy = ssk_arena_alloc(arena, size);
  return copy ? memcpy(copy, text, size) : NULL;
}

char *ssk_arena_printf(struct ssk_arena *arena, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, format, args);
  char *text = length < 0 ? NULL : ssk_arena_alloc(arena, (size_t)length + 1);
  if (text)
    vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  va_end(args);
  return text;
}

size_t ssk_arena_mark(const struct ssk_arena *arena) {
  return arena->used;
}

void ssk_arena_rewind(struct ssk_arena *arena, size_t mark) {
  if (!arena->current || mark > arena->used)
    return;
  struct ssk_arena_chunk *end = arena->current->next;
  struct ssk_arena_chunk *chunk = arena->first;
  while (chunk != arena->current && mark > chunk->start + chunk->fill)
    chunk = chunk->next;
  for (struct ssk_arena_chunk *c = chunk; c != end; c = c->next) {
    size_t keep = c == chunk ? mark - c->start : 0;
    poison(c->data + keep, c->capacity - keep);
    c->fill = keep;
  }
  arena->current = chunk;
  arena->used = mark;
}

void ssk_arena_reset(struct ssk_arena *arena) {
  ssk_arena_rewind(arena, 0);
}

void ssk_arena_free(struct ssk_arena *arena) {
  for (struct ssk_arena_chunk *c = arena->first, *next; c; c = next) {
    next = c->next;
    unpoison(c->data, c->capacity);
    free(c->data);
    free(c);
  }
  *arena = (struct ssk_arena){0};
}
