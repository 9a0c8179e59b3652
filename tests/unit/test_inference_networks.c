/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_inference_networks.c - what a step of the posterior sees: of the data, by the summaries of
 * future and past; of its own past, by the encoder and its network; and by the transition's state.
 */
#include "support/smoke.h"

enum { B = 2 };

struct opened {
  struct ssk_trial s;
  struct ssk_registry *registry;
  ssk_err *err;
};

static void open_recipe(struct opened *o, const char *recipe) {
  char path[2048];
  snprintf(path, sizeof path, "%s/recipes/smoke/%s", getenv("top_srcdir"), recipe);
  o->err = ssk_err_new();
  o->registry = smoke_plugins(o->err);
  cr_assert(smoke_prepare(&o->s, path, 0, NULL, o->registry, o->err), "%s",
            ssk_err_message(o->err, 0));
}

static void close_recipe(struct opened *o) {
  ssk_trial_release(&o->s);
  ssk_registry_free(o->registry);
  ssk_err_free(o->err);
}

/* Begin a pass over two windows, of which `changed` (if not negative) is a step whose observations
 * are others. */
static struct ssk_observed observe(struct opened *o, int changed) {
  struct ssk_pass *pass = &o->s.pass;
  ssk_pass_begin(pass, o->s.data->window_length, B, 1, NULL);
  pass->ctx.training = true;
  struct ssk_observed obs = ssk_observe(pass, o->s.data, SSK_TRAIN, o->s.data->windows);
  const int D = pass->ctx.dims->D;
  for (int i = 0; changed >= 0 && i < B * D; i++)
    obs.x->data[changed * B * D + i] += 1;
  return obs;
}

/* Do columns [from, from + n) of two slabs [T, B, W] agree at step t? */
static bool agree(const ssk_real *a, const ssk_real *b, int W, int t, int from, int n) {
  for (int row = t * B; row < (t + 1) * B; row++)
    if (memcmp(a + row * W + from, b + row * W + from, (size_t)n * sizeof *a) != 0)
      return false;
  return true;
}

/* A copy of h [T, B, H]; the caller's to free. */
static ssk_real *summaries(struct opened *o, int changed) {
  const struct ssk_observed obs = observe(o, changed);
  const struct ssk_segment whole = ssk_model_whole(&o->s.pass, &obs);
  cr_assert_eq(ssk_tape_code(o->s.pass.ctx.tape), SSK_OK, "%s", ssk_err_message(o->s.pass.err, 0));
  ssk_real *copy = malloc(whole.h->count * sizeof *copy);
  memcpy(copy, whole.h->data, whole.h->count * sizeof *copy);
  return copy;
}

Test(inference_networks, history_sees_the_past_and_the_summary_the_future) {
  struct opened o;
  open_recipe(&o, "network_combiner.yaml");
  const int changed = 3, T = o.s.data->window_length, H = o.s.model->dims.H;
  ssk_real *plain = summaries(&o, -1), *other = summaries(&o, changed);
  cr_assert_eq(H, 8);
  for (int t = 0; t < T; t++) {
    cr_expect_eq(agree(plain, other, H, t, 0, 4), t > changed, "future at step %d", t);
    cr_expect_eq(agree(plain, other, H, t, 4, 4), t < changed, "past at step %d", t);
  }
  free(plain);
  free(other);
  close_recipe(&o);
}

/* Copies of the transition's state after each step [T, P, W] and of what the emission gets of it.
 */
static void states(struct opened *o, int changed, ssk_real **after, ssk_real **emission) {
  const struct ssk_observed obs = observe(o, changed);
  const struct ssk_segment all = ssk_model_whole(&o->s.pass, &obs);
  const struct ssk_posterior q = ssk_segment_encode(&o->s.pass, &all);
  const struct ssk_rows rows = ssk_segment_emission(&o->s.pass.ctx, &all, &q);
  cr_assert_eq(ssk_tape_code(o->s.pass.ctx.tape), SSK_OK, "%s", ssk_err_message(o->s.pass.err, 0));
  const struct ssk_ctx *ctx = &o->s.pass.ctx;
  const size_t count = rows.state->count;
  *after = malloc(count * sizeof **after);
  *emission = malloc(count * sizeof **emission);
  memcpy(*after, q.state->data + ctx->dims->j * ctx->P * ctx->dims->W, count * sizeof **after);
  memcpy(*emission, rows.state->data, count * sizeof **emission);
}

Test(inference_networks, a_state_has_read_what_was_before) {
  struct opened o;
  open_recipe(&o, "transition_recurrent.yaml");
  const int changed = 3, T = o.s.data->window_length, W = o.s.model->dims.W;
  ssk_real *after, *emission, *other_after, *other_emission;
  states(&o, -1, &after, &emission);
  states(&o, changed, &other_after, &other_emission);
  for (int t = 0; t < T; t++) {
    cr_expect_eq(agree(after, other_after, W, t, 0, W), t < changed, "after step %d", t);
    cr_expect_eq(agree(emission, other_emission, W, t, 0, W), t <= changed, "emission of %d", t);
    for (int i = 0; i < W; i++) /* h_{t-1}; h_0 = 0 */
      cr_expect_eq(emission[t * B * W + i], t ? after[(t - 1) * B * W + i] : 0);
  }
  free(after);
  free(emission);
  free(other_after);
  free(other_emission);
  close_recipe(&o);
}

/* Mean and logvar of the posterior at step t, from the latent `z` of the step before. */
static double posterior_at(struct opened *o, double z) {
  const struct ssk_observed obs = observe(o, -1);
  struct ssk_segment segment = ssk_model_whole(&o->s.pass, &obs);
  segment.from = 2; /* with a past that has no padding */
  segment.n = 1;
  segment.obs = ssk_observed_part(o->s.pass.ctx.tape, &obs, 2, 1);
  segment.h = ssk_rows(o->s.pass.ctx.tape, segment.h, 2, 1);
  for (size_t i = 0; i < segment.before->count; i++)
    segment.before->data[i] = (ssk_real)z;
  const struct ssk_posterior q = ssk_segment_encode(&o->s.pass, &segment);
  cr_assert_eq(ssk_tape_code(o->s.pass.ctx.tape), SSK_OK, "%s", ssk_err_message(o->s.pass.err, 0));
  return (double)q.mean->data[0] + 3 * (double)q.logvar->data[0];
}

Test(inference_networks, mean_field_does_not_see_the_latents) {
  static const char *const mean_field[] = {"network_combiner_mean_field.yaml",
                                           "encoder_gaussian_mean_field.yaml",
                                           "network_context_mean_field.yaml"};
  struct opened o;
  for (int i = 0; i < 3; i++) {
    open_recipe(&o, mean_field[i]);
    cr_expect_eq(posterior_at(&o, 0), posterior_at(&o, 1), "%s", mean_field[i]);
    close_recipe(&o);
  }
  open_recipe(&o, "network_combiner.yaml");
  cr_expect_neq(posterior_at(&o, 0), posterior_at(&o, 1));
  close_recipe(&o);
}

Test(inference_networks, mean_field_has_no_frame_of_the_latent) {
  char path[2048];
  snprintf(path, sizeof path, "%s/recipes/smoke/encoder_gaussian.yaml", getenv("top_srcdir"));
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(err);
  const char *overrides[] = {"model.encoder.structured=false", "model.encoder.frame=additive",
                             "model.encoder.innovation=false"};
  struct ssk_trial s;
  cr_assert_not(smoke_prepare(&s, path, 3, overrides, registry, err));
  cr_assert(strstr(ssk_err_message(err, 0), "structured: false leaves z_{t-1} out"), "%s",
            ssk_err_message(err, 0));
  ssk_trial_release(&s);
  ssk_registry_free(registry);
  ssk_err_free(err);
}
