/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmath_philox.h - the uniforms of consecutive blocks of Philox4x32-10, for one instruction set.
 * Included by vmath_copies.h once for each ISA (so it has no guard), with its NAME. */

/* 2n uniforms: two of each of n blocks from rng->index on. Both loops are ones that the compiler
 * does several blocks of in a vector. */
static void NAME(philox)(size_t n, const ssk_rng *rng, double *out) {
  enum { most = 64 };
  double first[most], second[most];
  for (size_t done = 0; done < n; done += most) {
    const size_t m = n - done < most ? n - done : most;
    const uint64_t from = rng->index + done;
    for (size_t i = 0; i < m; i++) {
      const philox4x32_ctr_t counter = {
          {rng->step, rng->row, (uint32_t)(from + i), (uint32_t)((from + i) >> 32)}};
      const philox4x32_key_t key = {{(uint32_t)rng->key, (uint32_t)(rng->key >> 32)}};
      const philox4x32_ctr_t block = philox4x32(counter, key);
      first[i] = ssk_uniform_of(block.v[0] | (uint64_t)block.v[1] << 32);
      second[i] = ssk_uniform_of(block.v[2] | (uint64_t)block.v[3] << 32);
    }
    for (size_t i = 0; i < m; i++) {
      out[2 * (done + i)] = first[i];
      out[2 * (done + i) + 1] = second[i];
    }
  }
}
