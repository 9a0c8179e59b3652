/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rng.c - Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3";
 * Debian's Random123) as named streams, and their distributions.
 *
 * Key: FNV-1a hashes, chained over seed, path and purpose. Counter words: step, row, and the index
 * of the block, low half first. Words of a block are handed out in order; a uniform takes two. */
#include "core/hash.h"
#include "tensor/rng_fill.h"
#include "tensor/vmath.h"
#include <math.h>
#include <Random123/philox.h>
#include <stdlib.h>
#include <string.h>

uint64_t ssk_rng_key(uint64_t seed, const char *path, const char *purpose) {
  return ssk_hash_text(ssk_hash_text(seed, path), purpose);
}

ssk_rng ssk_rng_open(uint64_t seed, const char *path, const char *purpose, uint32_t step,
                     uint32_t row) {
  return (ssk_rng){.key = ssk_rng_key(seed, path, purpose), .step = step, .row = row, .used = 4};
}

static void next_block(ssk_rng *rng) {
  const philox4x32_ctr_t counter = {
      {rng->step, rng->row, (uint32_t)rng->index, (uint32_t)(rng->index >> 32)}};
  const philox4x32_key_t key = {{(uint32_t)rng->key, (uint32_t)(rng->key >> 32)}};
  const philox4x32_ctr_t block = philox4x32(counter, key);
  memcpy(rng->block, block.v, sizeof rng->block);
  rng->index++;
  rng->used = 0;
}

uint32_t ssk_rng_u32(ssk_rng *rng) {
  if (rng->used == 4)
    next_block(rng);
  return rng->block[rng->used++];
}

static uint64_t next_u64(ssk_rng *rng) {
  const uint64_t low = ssk_rng_u32(rng);
  return low | (uint64_t)ssk_rng_u32(rng) << 32;
}

double ssk_rng_uniform(ssk_rng *rng) {
  return ssk_uniform_of(next_u64(rng));
}

/* n uniforms; whole blocks at once. */
static void fill_uniform(ssk_rng *rng, size_t n, double *out) {
  while (n && rng->used < 4) {
    *out++ = ssk_rng_uniform(rng);
    n--;
  }
  ssk_vphilox(n / 2, rng, out);
  rng->index += n / 2;
  if (n % 2)
    out[n - 1] = ssk_rng_uniform(rng);
}

double ssk_rng_normal(ssk_rng *rng) {
  if (rng->has_spare) {
    rng->has_spare = false;
    return rng->spare;
  }
  double pair[2];
  pair[0] = ssk_rng_uniform(rng);
  pair[1] = ssk_rng_uniform(rng);
  ssk_vbox_muller(1, pair);
  rng->spare = pair[1];
  rng->has_spare = true;
  return pair[0];
}

/* Numbers below 2^64 mod n are rejected: the rest holds every remainder equally often. */
uint64_t ssk_rng_below(ssk_rng *rng, uint64_t n) {
  if (n < 2)
    return 0;
  const uint64_t surplus = (0 - n) % n;
  uint64_t draw = next_u64(rng);
  while (draw < surplus)
    draw = next_u64(rng);
  return draw % n;
}

/* A block holds two uniforms. */
void ssk_rng_skip_uniforms(ssk_rng *rng, uint64_t n) {
  for (; n && rng->used != 4; n--)
    ssk_rng_uniform(rng);
  rng->index += n / 2;
  if (n % 2)
    ssk_rng_uniform(rng);
}

void ssk_rng_skip_normals(ssk_rng *rng, uint64_t n) {
  ssk_rng_skip_uniforms(rng, n - n % 2);
  if (n % 2)
    ssk_rng_normal(rng);
}

int ssk_rng_sign(ssk_rng *rng) {
  return ssk_rng_u32(rng) >> 31 ? 1 : -1;
}

void ssk_rng_fill_normal(ssk_rng *rng, size_t n, ssk_real *out) {
  enum { pairs = 128 };
  double block[2 * pairs];
  size_t done = 0;
  if (n && rng->has_spare)
    out[done++] = (ssk_real)ssk_rng_normal(rng);
  while (n - done >= 2) {
    const size_t m = (n - done) / 2 < pairs ? (n - done) / 2 : pairs;
    fill_uniform(rng, 2 * m, block);
    ssk_vbox_muller(m, block);
    for (size_t i = 0; i < 2 * m; i++)
      out[done + i] = (ssk_real)block[i];
    done += 2 * m;
  }
  if (done < n)
    out[done] = (ssk_real)ssk_rng_normal(rng);
}

void ssk_rng_fill_uniform(ssk_rng *rng, size_t n, ssk_real *out) {
#ifdef SSK_DOUBLE
  const ssk_real largest = 0x1.fffffffffffffp-1;
#else
  const ssk_real largest = 0x1.fffffep-1f;
#endif
  enum { most = 256 };
  double block[most];
  for (size_t done = 0; done < n;) {
    const size_t m = n - done < most ? n - done : most;
    fill_uniform(rng, m, block);
    for (size_t i = 0; i < m; i++) {
      const ssk_real u = (ssk_real)block[i];
      out[done + i] = u < largest ? u : largest;
    }
    done += m;
  }
}

/* ---- GSL ------------------------------------------------------------------------------------ */

static void gsl_set(void *state, unsigned long seed) {
  *(ssk_rng *)state = ssk_rng_open(seed, NULL, NULL, 0, 0);
}

static unsigned long gsl_get(void *state) {
  return ssk_rng_u32(state);
}

static double gsl_get_double(void *state) {
  return ssk_rng_uniform(state);
}

/* Not gsl_rng_alloc: without memory that calls GSL's error handler, which ends the process. */
gsl_rng *ssk_rng_gsl(const ssk_rng *rng) {
  static const gsl_rng_type type = {.name = "philox4x32-10",
                                    .max = UINT32_MAX,
                                    .min = 0,
                                    .size = sizeof(ssk_rng),
                                    .set = gsl_set,
                                    .get = gsl_get,
                                    .get_double = gsl_get_double};
  gsl_rng *out = malloc(sizeof *out);
  ssk_rng *state = malloc(sizeof *state);
  if (!out || !state) {
    free(out);
    free(state);
    return NULL;
  }
  *state = *rng;
  out->type = &type;
  out->state = state;
  return out;
}
