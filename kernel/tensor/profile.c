/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile.c - the rows of a profile, found by hashing, and what a call is worth. */
#include "tensor/profile.h"
#include "core/clock.h"
#include "tensor/tape_internal.h"
#include <stdlib.h>
#include <string.h>

void ssk_profile_free(struct ssk_profile *profile) {
  free(profile->rows);
  free(profile->slot);
  *profile = (struct ssk_profile){0};
}

void ssk_profile_start(struct ssk_profile *profile) {
  for (int i = 0; i < profile->n; i++)
    memset(profile->rows[i].way, 0, sizeof profile->rows[i].way);
  profile->last = 0;
}

/* ---- rows ----------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct ssk_profile_key *key) {
  uint64_t hash = (uint64_t)(uintptr_t)key->scope * 31 + (uint64_t)(uintptr_t)key->name;
  hash = hash * 31 + (uint64_t)key->inner;
  for (int i = 0; i < key->ndim; i++)
    hash = hash * 0x100000001b3u + (uint64_t)key->shape[i];
  hash *= 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 32;
}

static bool same(const struct ssk_profile_key *a, const struct ssk_profile_key *b) {
  return a->scope == b->scope && a->name == b->name && a->inner == b->inner && a->ndim == b->ndim &&
         memcmp(a->shape, b->shape, sizeof a->shape) == 0;
}

/* The slot of this key: its own, or an empty one. */
static int *slot_of(const struct ssk_profile *profile, const struct ssk_profile_key *key) {
  const uint64_t mask = (uint64_t)profile->slots - 1;
  uint64_t i = hash_of(key) & mask;
  while (profile->slot[i] && !same(&profile->rows[profile->slot[i] - 1].key, key))
    i = (i + 1) & mask;
  return &profile->slot[i];
}

/* Room for twice as many rows, and slots for twice as many again. */
static bool grow(struct ssk_profile *profile) {
  const int capacity = profile->capacity ? 2 * profile->capacity : 256;
  struct ssk_profile_row *rows = realloc(profile->rows, (size_t)capacity * sizeof *rows);
  if (!rows)
    return false;
  profile->rows = rows;
  int *slot = calloc(2 * (size_t)capacity, sizeof *slot);
  if (!slot)
    return false;
  free(profile->slot);
  profile->slot = slot;
  profile->slots = 2 * capacity;
  profile->capacity = capacity;
  for (int i = 0; i < profile->n; i++)
    *slot_of(profile, &rows[i].key) = i + 1;
  return true;
}

/* NULL without memory. */
static struct ssk_profile_row *row_of(struct ssk_profile *profile,
                                      const struct ssk_profile_key *key) {
  if (profile->n == profile->capacity && !grow(profile)) {
    profile->failed = true;
    return NULL;
  }
  int *slot = slot_of(profile, key);
  if (!*slot) {
    profile->rows[profile->n] = (struct ssk_profile_row){.key = *key};
    *slot = ++profile->n;
  }
  return &profile->rows[*slot - 1];
}

/* A thread loses its processor for milliseconds: stretches shorter than this are not looked into.
 */
static const double long_stretch = 1e-4;

/* Processor time since the last booking. */
static double stretch(struct ssk_profile *profile) {
  const double now = ssk_clock();
  const bool first = profile->last == 0;
  double seconds = first ? 0 : now - profile->last;
  profile->last = now;
  if (first || seconds > long_stretch) {
    const double cpu = ssk_thread_clock();
    const double lost = (now - profile->compared) - (cpu - profile->compared_cpu);
    if (!first && lost > 0)
      seconds = lost < seconds ? seconds - lost : 0;
    profile->compared = now;
    profile->compared_cpu = cpu;
  }
  return seconds;
}

static void book(struct ssk_profile *profile, const struct ssk_profile_key *key, enum ssk_way way,
                 int calls, double flops, double bytes) {
  struct ssk_profile_row *row = row_of(profile, key);
  const double seconds = stretch(profile);
  if (row) {
    struct ssk_profile_cost *cost = &row->way[way];
    cost->seconds += seconds;
    cost->calls += calls;
    cost->flops += flops;
    cost->bytes += bytes;
  }
}

void ssk_profile_other(struct ssk_profile *profile, const char *scope, enum ssk_way way) {
  book(profile, &(struct ssk_profile_key){.scope = scope}, way, 0, 0, 0);
}

void ssk_profile_work(struct ssk_profile *profile, const char *scope, const char *name,
                      enum ssk_way way, double bytes) {
  book(profile, &(struct ssk_profile_key){.scope = scope, .name = name}, way, 1, 0, bytes);
}

/* ---- operations ------------------------------------------------------------------------------ */

static double bytes_of(const struct ssk_node *node, enum ssk_way way) {
  size_t count = node->call.out->count;
  for (int i = 0; i < node->n_inputs; i++) {
    const ssk_tensor *x = node->inputs[i];
    if (x && way == SSK_FORWARD)
      count += x->count;
    else if (x && x->needs_grad)
      count += ssk_call_fresh(&node->call, i) ? x->count : 2 * x->count;
  }
  return (double)(count * sizeof(ssk_real));
}

void ssk_profile_node(struct ssk_profile *profile, const struct ssk_node *node, enum ssk_way way) {
  const struct ssk_call *call = &node->call;
  const ssk_tensor *first = node->n_inputs ? node->inputs[0] : NULL;
  struct ssk_profile_key key = {.scope = node->scope,
                                .name = call->op->name,
                                .ndim = call->out->ndim,
                                .inner = first ? ssk_width(first) : 1};
  memcpy(key.shape, call->out->shape, sizeof key.shape);
  const bool counts = call->op->flops && (way == SSK_BACKWARD || call->tape->record);
  const double flops = counts ? call->op->flops(call, way == SSK_BACKWARD) : 0;
  book(profile, &key, way, 1, flops, bytes_of(node, way));
}

/* ---- on a tape ------------------------------------------------------------------------------ */

void ssk_tape_profile(ssk_tape *tape, struct ssk_profile *profile) {
  tape->profile = profile;
}

void ssk_tape_scope(ssk_tape *tape, const char *scope) {
  if (tape->profile)
    ssk_profile_other(tape->profile, tape->scope, SSK_FORWARD);
  tape->scope = scope;
}
