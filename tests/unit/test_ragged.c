/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_ragged.c - series of different lengths in one batch: the bound of a short one is that of its
 * own steps, whatever else is in the batch and however far it is filled up. */
#include "model/evaluate_bound.h"
#include "support/smoke.h"

#ifdef SSK_DOUBLE
static const double tolerance = 1e-12;
#else
static const double tolerance = 1e-5;
#endif

enum { B = 3, SHORT = 5 };

/* The three parts, [3, B], of three windows of T steps. The first and the last reach up to the end
 * of their series, SHORT steps on; the middle one begins where its series does. What is drawn for
 * a step and a path is the same for any T. segment: 0, or the steps of each. */
static void bound_of(struct ssk_trial *s, int T, int steps, int segment, double *parts) {
  struct ssk_pass *pass = &s->pass;
  struct ssk_ctx *ctx = &pass->ctx;
  ssk_pass_begin(pass, T, B, (int)s->experiment->model.paths, NULL);
  ctx->training = false;
  ctx->step = 1;
  struct ssk_window windows[B];
  const struct ssk_split_data *train = &s->data->split[SSK_TRAIN];
  for (int b = 0; b < B; b++) {
    windows[b].series = b % train->n;
    windows[b].start = b == 1 && T > steps ? 0 : train->length[windows[b].series] - steps;
  }
  struct ssk_observed obs = ssk_observe(pass, s->data, SSK_TRAIN, windows);
  struct ssk_walk walk;
  struct ssk_bound bound;
  if (segment) {
    ssk_walk_begin(&walk, pass, &obs, ssk_segment_length(pass, segment));
    bound = ssk_walk_bound(&walk, NULL);
  } else {
    bound = ssk_model_bound(pass, &obs);
  }
  cr_assert_eq(ssk_tape_code(ctx->tape), SSK_OK, "%s", ssk_err_message(pass->err, 0));
  const ssk_tensor *part[] = {bound.distortion, bound.initial, bound.transition};
  for (int i = 0; i < 3; i++)
    for (int b = 0; b < B; b++) {
      parts[i * B + b] = 0;
      for (int p = 0; p < ctx->S; p++)
        parts[i * B + b] += (double)part[i]->data[b * ctx->S + p];
    }
}

/* A transition that draws numbers of its own may draw others in a longer pass. */
static int comparable_parts(const struct ssk_trial *s) {
  const struct ssk_transition_ops *ops = s->experiment->model.transition->component->ops;
  return ops->rate || ops->path_loss ? 2 : 3;
}

static void compare(struct ssk_trial *s, const char *name, int T, int steps) {
  static const char *const part[] = {"distortion", "initial rate", "transition rate"};
  double alone[3 * B], together[3 * B];
  const int segments[] = {0, 2, 3};
  bound_of(s, T, steps, 0, alone);
  for (int k = 0; k < 3; k++) {
    bound_of(s, s->data->window_length, steps, segments[k], together);
    for (int i = 0; i < comparable_parts(s); i++)
      for (int b = 0; b < B; b += 2) {
        const double want = alone[i * B + b], got = together[i * B + b];
        cr_expect_leq(fabs(want - got), tolerance * fmax(1, fabs(want)),
                      "%s, segments of %d: the %s of series %d is %.15g alone, %.15g beside a "
                      "longer one",
                      name, segments[k], part[i], b, want, got);
      }
  }
}

static void check_ragged(struct ssk_trial *s, const char *name) {
  compare(s, name, SHORT, SHORT);
}
Test(ragged, a_short_series_has_its_own_bound) {
  cr_expect_gt(smoke_each(0, NULL, check_ragged), 0, "no smoke recipes");
}

/* Two steps of an order of 3: as many latents as the initial prior has, none after. */
static void check_shorter_than_the_order(struct ssk_trial *s, const char *name) {
  compare(s, name, 3, 2);
  double parts[3 * B];
  bound_of(s, s->data->window_length, 2, 0, parts);
  if (!ssk_model_paths(s->model)) /* a prior of whole paths has no steps to count */
    cr_expect(parts[2 * B] == 0 && parts[2 * B + 2] == 0, "%s: a transition without a step", name);
}
Test(ragged, even_if_it_is_shorter_than_the_order) {
  cr_expect_gt(smoke_each(1, (const char *[]){"model.order=3"}, check_shorter_than_the_order), 0);
}

/* ---- in training and evaluation ---------------------------------------------------------------
 */

/* Of an order of 3, with a first series of `steps` steps. */
static void prepare(struct ssk_trial *s, int steps, struct ssk_registry *registry, ssk_err *err) {
  char path[2048];
  snprintf(path, sizeof path, "%s/recipes/smoke/transition_gaussian.yaml", getenv("top_srcdir"));
  cr_assert(smoke_prepare(s, path, 1, (const char *[]){"model.order=3"}, registry, err), "%s",
            ssk_err_message(err, 0));
  struct ssk_split_data *split = &s->data->split[SSK_TEST];
  split->length[0] = steps;
  for (int t = steps; t < split->room; t++)
    for (int k = 0; k < s->data->shape.D; k++)
      split->mask[t * s->data->shape.D + k] = 0;
}

Test(ragged, a_series_shorter_than_the_order_can_be_evaluated) {
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(err);
  struct ssk_trial s;
  prepare(&s, 2, registry, err);
  struct ssk_bound_value value[2];
  cr_expect_eq(ssk_pass_bound(&s.pass, s.data, SSK_TEST, 0, 1, 0, 4, 1, value, err), SSK_OK, "%s",
               ssk_err_message(err, 0));
  cr_expect(value[0].steps == 2 && isfinite(value[0].distortion) && isfinite(value[0].initial) &&
            value[0].transition == 0);
  cr_expect_eq(ssk_pass_bound(&s.pass, s.data, SSK_TEST, 0, 2, 0, 4, 1, value, err), SSK_OK);
  cr_expect(value[0].steps == 2 && value[0].transition == 0);
  cr_expect(value[1].steps == 8 && value[1].transition > 0);
  /* Cutting a longer series off is another matter: its third step is not missing. */
  cr_expect_eq(ssk_pass_bound(&s.pass, s.data, SSK_TEST, 1, 1, 2, 4, 1, value, err), SSK_EDATA);
  cr_expect_str_eq(
      ssk_err_message(err, 0),
      "a series of 2 steps (or cut to them by evaluate.bound_length) is shorter than the order 3");
  ssk_trial_release(&s);
  ssk_registry_free(registry);
  ssk_err_free(err);
}
