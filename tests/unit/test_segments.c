/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_segments.c - in segments as at once: loss and gradient of every smoke recipe; and what it is
 * for, memory that grows with the square root of the steps. */
#include "support/smoke.h"

#ifdef SSK_DOUBLE
static const double tolerance = 1e-11;
#else
static const double tolerance = 2e-4;
#endif

/* Entries of the gradient beside the largest of their weight: a sum of many may cancel. */
static void compare_gradients(const struct ssk_trial *s, const ssk_real *whole, int segment,
                              const char *name) {
  for (int k = 0; k < s->model->layout.n; k++) {
    const struct ssk_slice *slice = &s->model->layout.slice[k];
    double size = 1e-2, worst = 0;
    for (size_t i = slice->offset; i < slice->offset + slice->count; i++) {
      size = fmax(size, fabs((double)whole[i]));
      worst = fmax(worst, fabs((double)whole[i] - (double)s->gradient[i]));
    }
    cr_expect_leq(worst, tolerance * size, "%s, segments of %d: %s: off by %g of %g", name, segment,
                  slice->name, worst, size);
  }
}

/* Segments of the order (the shortest), such with a remainder, of the square root, of all. */
static void check_segments(struct ssk_trial *s, const char *name) {
  const size_t bytes = s->model->layout.total * sizeof *s->gradient;
  ssk_real *whole = malloc(bytes), *first = malloc(bytes);
  const double wanted = smoke_loss(s, 0);
  memcpy(whole, s->gradient, bytes);
  const int segments[] = {1, 3, 5, -1, 1000};
  for (int i = 0; i < 5; i++) {
    const double got = smoke_loss(s, segments[i]);
    cr_expect_leq(fabs(got - wanted), tolerance * fmax(1, fabs(wanted)),
                  "%s, segments of %d: the loss is %.15g, at once %.15g", name, segments[i], got,
                  wanted);
    compare_gradients(s, whole, segments[i], name);
    memcpy(first, s->gradient, bytes);
    cr_expect(smoke_loss(s, segments[i]) == got && !memcmp(first, s->gradient, bytes),
              "%s, segments of %d: a second pass gives other bits", name, segments[i]);
  }
  free(whole);
  free(first);
}

Test(segments, every_smoke_recipe_has_the_same_gradient) {
  cr_expect_gt(smoke_each(0, NULL, check_segments), 0, "no smoke recipes");
}
Test(segments, of_a_higher_order_too) {
  cr_expect_gt(smoke_each(1, (const char *[]){"model.order=3"}, check_segments), 0);
}
Test(segments, of_the_first_order_too) {
  cr_expect_gt(smoke_each(1, (const char *[]){"model.order=1"}, check_segments), 0);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Peak of the tape for windows of T steps of `recipe`, without what is linear in T by nature: the
 * series (observation, mask, time features) and the slab of h. */
static double peak_of(const char *recipe, int T, int segment) {
  char path[2048], length[64];
  snprintf(path, sizeof path, "%s/recipes/smoke/%s", getenv("top_srcdir"), recipe);
  snprintf(length, sizeof length, "data.length=%d", T);
  const char *overrides[] = {length, "data.sequences=4", "data.valid=1", "data.test=1"};
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(err);
  struct ssk_trial s;
  cr_assert(smoke_prepare(&s, path, 4, overrides, registry, err), "%s", ssk_err_message(err, 0));
  cr_assert(isfinite(smoke_loss(&s, segment)));
  const struct ssk_dims *dims = &s.model->dims;
  const int width = 2 * dims->D + dims->F + dims->H;
  double peak = (double)ssk_tape_peak(s.pass.ctx.tape);
  peak -= (double)T * s.pass.ctx.B * width * (double)sizeof(ssk_real);
  ssk_trial_release(&s);
  ssk_registry_free(registry);
  ssk_err_free(err);
  return peak;
}

/* Sixteen times the steps: sixteen times the memory at once, about four times in segments. */
Test(segments, take_memory_like_the_square_root) {
  static const char *const recipes[] = {"transition_gaussian.yaml", "denoiser_mlp.yaml"};
  for (int i = 0; i < 2; i++) {
    double at_once = peak_of(recipes[i], 1024, 0) / peak_of(recipes[i], 64, 0);
    double in_segments = peak_of(recipes[i], 1024, -1) / peak_of(recipes[i], 64, -1);
    cr_expect(at_once > 14 && at_once < 17, "%s: at once %g", recipes[i], at_once);
    cr_expect(in_segments > 3 && in_segments < 5, "%s: in segments %g", recipes[i], in_segments);
    cr_expect_lt(peak_of(recipes[i], 1024, -1), peak_of(recipes[i], 1024, 0) / 10, "%s",
                 recipes[i]);
  }
}
