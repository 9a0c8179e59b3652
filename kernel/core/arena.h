/* SPDX-License-Identifier: GPL-3.0-or-later */
/* arena.h - bump allocation: allocate one after another, free all at once or back to a mark. */
#ifndef SSK_CORE_ARENA_H
#define SSK_CORE_ARENA_H

#include <stddef.h>

/* Grows by chunks; chunks are kept on reset, so a steady state allocates nothing. Zero-initialise.
 */
struct ssk_arena_chunk;
struct ssk_arena {
  struct ssk_arena_chunk *first, *current;
  size_t used; /* bytes in use, over all chunks */
  size_t peak; /* highest `used` so far */
};

/* 64-byte aligned, not initialised; NULL without memory. */
void *ssk_arena_alloc(struct ssk_arena *arena, size_t bytes);
/* Zeroed. */
void *ssk_arena_zalloc(struct ssk_arena *arena, size_t bytes);
/* Copies a string; NULL gives NULL. */
char *ssk_arena_strdup(struct ssk_arena *arena, const char *text);
char *ssk_arena_printf(struct ssk_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A place to rewind to: frees everything allocated since. Marks nest. */
size_t ssk_arena_mark(const struct ssk_arena *arena);
void ssk_arena_rewind(struct ssk_arena *arena, size_t mark);
void ssk_arena_reset(struct ssk_arena *arena);
void ssk_arena_free(struct ssk_arena *arena);

#endif
