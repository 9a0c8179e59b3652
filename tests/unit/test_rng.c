/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_rng.c - random streams: Philox against its published vectors, the naming of streams, and the
 * distributions. */
#include "tensor/rng_fill.h"
#include "tensor/vmath.h"
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

/* Known answers for philox4x32-10 of Random123 (kat_vectors). */
static void known(uint32_t c0, uint32_t c1, uint64_t c23, uint64_t key, uint32_t w0, uint32_t w1,
                  uint32_t w2, uint32_t w3) {
  ssk_rng rng = {.key = key, .step = c0, .row = c1, .index = c23, .used = 4};
  const uint32_t expected[4] = {w0, w1, w2, w3};
  for (int i = 0; i < 4; i++)
    cr_expect_eq(ssk_rng_u32(&rng), expected[i], "word %d of key %#lx", i, (unsigned long)key);
  cr_expect_eq(rng.index, c23 + 1);
}

Test(rng, is_philox) {
  known(0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
  known(UINT32_MAX, UINT32_MAX, UINT64_MAX, UINT64_MAX, 0x408f276d, 0x41c83b0e, 0xa20bc7c6,
        0x6d5451fd);
  known(0x243f6a88, 0x85a308d3, 0x0370734413198a2e, 0x299f31d0a4093822, 0xd16cfe09, 0x94fdcceb,
        0x5001e420, 0x24126ea1);
}

Test(rng, streams_depend_on_their_name_and_on_nothing_else) {
  ssk_rng a = ssk_rng_open(1, "model.encoder", "noise", 5, 3);
  ssk_rng again = ssk_rng_open(1, "model.encoder", "noise", 5, 3);
  ssk_rng copy = a;
  const uint32_t first = ssk_rng_u32(&a);
  cr_expect_eq(ssk_rng_u32(&again), first);
  cr_expect_eq(ssk_rng_u32(&copy), first);
  ssk_rng others[] = {ssk_rng_open(2, "model.encoder", "noise", 5, 3),
                      ssk_rng_open(1, "model.encode", "rnoise", 5, 3),
                      ssk_rng_open(1, "model.encoder", "level", 5, 3),
                      ssk_rng_open(1, "model.encoder", "noise", 6, 3),
                      ssk_rng_open(1, "model.encoder", "noise", 5, 4),
                      ssk_rng_open(1, NULL, NULL, 5, 3)};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    cr_expect_neq(ssk_rng_u32(&others[i]), first, "stream %zu", i);
  ssk_rng empty = ssk_rng_open(1, "", "", 5, 3), null = ssk_rng_open(1, NULL, NULL, 5, 3);
  cr_expect_eq(ssk_rng_u32(&empty), ssk_rng_u32(&null));
  cr_expect_eq(ssk_rng_key(1, "a", "b"), ssk_rng_open(1, "a", "b", 9, 9).key);
}

/* Largest distance of the empirical distribution to the cumulative function; under 1.95/sqrt(n)
 * with probability 0.999 (Kolmogorov). */
enum { draws = 20000 };
static double distance(double *x, double (*cdf)(double)) {
  gsl_sort(x, 1, draws);
  double worst = 0;
  for (int i = 0; i < draws; i++) {
    const double p = cdf(x[i]);
    worst = fmax(worst, fmax(p - (double)i / draws, (double)(i + 1) / draws - p));
  }
  return worst;
}
static double uniform_cdf(double x) {
  return x;
}

Test(rng, distributions_are_what_they_say) {
  static double u[draws], z[draws];
  ssk_rng rng = ssk_rng_open(3, "test", "distributions", 0, 0);
  double product = 0;
  for (int i = 0; i < draws; i++) {
    u[i] = ssk_rng_uniform(&rng);
    cr_assert(u[i] > 0 && u[i] < 1);
    z[i] = ssk_rng_normal(&rng);
    product += i % 2 ? z[i] * z[i - 1] : 0;
  }
  cr_expect_lt(fabs(product / (draws / 2)), 4 / sqrt(draws / 2), "the two of a pair correlate");
  cr_expect_lt(distance(u, uniform_cdf), 1.95 / sqrt(draws));
  cr_expect_lt(distance(z, gsl_cdf_ugaussian_P), 1.95 / sqrt(draws));

  int count[6] = {0}, sum = 0;
  for (int i = 0; i < draws; i++) {
    count[ssk_rng_below(&rng, 6)]++;
    sum += ssk_rng_sign(&rng);
  }
  for (int k = 0; k < 6; k++)
    cr_expect_lt(abs(count[k] - draws / 6), 4 * sqrt(draws * 5. / 36), "face %d", k);
  cr_expect_lt(abs(sum), 4 * sqrt(draws));
  cr_expect_eq(ssk_rng_below(&rng, 1), 0);
  for (int i = 0; i < 100; i++)
    cr_expect_lt(ssk_rng_below(&rng, (UINT64_C(1) << 63) + 1), (UINT64_C(1) << 63) + 1);
}

static void expect_the_same_at_once(size_t n, uint64_t index) {
  enum { most = 700 };
  ssk_real bulk[most];
  ssk_rng one = ssk_rng_open(4, "test", "bulk", 0, (uint32_t)n), many;
  one.index = index;
  if (n % 2)
    ssk_rng_normal(&one); /* begin within a pair */
  many = one;
  ssk_rng_fill_normal(&many, n, bulk);
  for (size_t i = 0; i < n; i++)
    cr_expect_eq(bulk[i], (ssk_real)ssk_rng_normal(&one), "normal %zu of %zu", i, n);
  ssk_rng_fill_uniform(&many, n, bulk);
  for (size_t i = 0; i < n; i++)
    cr_expect(bulk[i] < 1 && fabs((double)bulk[i] - ssk_rng_uniform(&one)) < 1e-7);
  cr_expect_eq(ssk_rng_normal(&many), ssk_rng_normal(&one), "after %zu", n);
}

Test(rng, many_at_once_are_the_same_as_one_by_one) {
  for (enum ssk_isa isa = SSK_ISA_BASE; isa <= SSK_ISA_BEST; isa++) {
    ssk_vmath_choose(isa);
    for (size_t n = 0; n < 700; n += 1 + n / 3) {
      expect_the_same_at_once(n, 0);
      expect_the_same_at_once(n, UINT32_MAX - 5); /* the index's high word counts, too */
    }
  }
}

Test(rng, uniforms_are_the_same_by_every_instruction_set) {
  enum { blocks = 150 };
  const ssk_rng rng = ssk_rng_open(4, "test", "uniforms", 7, 9);
  for (enum ssk_isa isa = SSK_ISA_BASE; isa <= SSK_ISA_BEST; isa++) {
    double uniforms[2 * blocks];
    ssk_vmath_choose(isa);
    ssk_vphilox(blocks, &rng, uniforms);
    ssk_rng one = rng;
    for (int i = 0; i < 2 * blocks; i++)
      cr_expect_eq(uniforms[i], ssk_rng_uniform(&one), "uniform %d by instruction set %d", i,
                   (int)isa);
  }
}

Test(rng, what_is_skipped_is_what_would_have_come) {
  ssk_rng fresh = ssk_rng_open(6, "test", "skip", 0, 0), one = fresh;
  ssk_rng half_used = fresh;
  ssk_rng_uniform(&half_used);
  for (uint64_t n = 0; n < 50; n++) {
    ssk_rng skipped = fresh;
    ssk_rng_skip_normals(&skipped, n);
    const double normal = ssk_rng_normal(&one);
    cr_expect_eq(ssk_rng_normal(&skipped), normal, "normal %d", (int)n);
  }
  one = fresh;
  for (uint64_t n = 0; n < 50; n++) {
    ssk_rng skipped = fresh, later = half_used;
    ssk_rng_skip_uniforms(&skipped, n);
    if (n > 0)
      ssk_rng_skip_uniforms(&later, n - 1);
    const double uniform = ssk_rng_uniform(&one);
    cr_expect_eq(ssk_rng_uniform(&skipped), uniform, "uniform %d", (int)n);
    cr_expect(n == 0 || ssk_rng_uniform(&later) == uniform, "uniform %d", (int)n);
  }
}

Test(rng, feeds_the_distributions_of_gsl) {
  static double t[draws];
  ssk_rng rng = ssk_rng_open(5, "test", "gsl", 0, 0), same = rng;
  gsl_rng *gsl = ssk_rng_gsl(&rng);
  cr_assert_not_null(gsl);
  cr_expect_eq(gsl_rng_get(gsl), ssk_rng_u32(&same));
  cr_expect_eq(gsl_rng_max(gsl), UINT32_MAX);
  cr_expect_eq(rng.index, 0, "the caller's stream does not move");
  for (int i = 0; i < draws; i++)
    t[i] = gsl_cdf_tdist_P(gsl_ran_tdist(gsl, 3), 3);
  cr_expect_lt(distance(t, uniform_cdf), 1.95 / sqrt(draws));
  gsl_rng_free(gsl);
}
