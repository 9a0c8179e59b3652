/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_transition.c - one step of a model's transition: first a pass with one path, which finds
 * the latents and their density, then one with as many paths as there are draws. */
#include "infer/model_transition.h"
#include "infer/oracle_transition.h"
#include "model/segments.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The latents of steps context - j...context, [j + 1, d], in the model's units, and the
 * transition's state [W] before the last of them. */
struct stretch {
  struct ssk_pass *pass;
  const struct ssk_data *data;
  enum ssk_split split;
  int64_t series;
  int context;
  uint64_t seed;
  ssk_real *z, *state;
};

static void begin(const struct stretch *s, int T, int paths) {
  struct ssk_ctx *ctx = &s->pass->ctx;
  ssk_pass_begin(s->pass, T, 1, paths, NULL);
  ctx->training = false;
  ctx->progress = 1;
  ctx->share = 1;
  ctx->seed = s->seed;
  ctx->step = (uint32_t)s->split;
  ctx->shard = (uint32_t)s->series;
}

/* Where latents are the true ones no noise is put on them; else the encoder's path. */
static void find_latents(const struct stretch *s) {
  const struct ssk_ctx *ctx = &s->pass->ctx;
  const int j = ctx->dims->j, d = ctx->dims->d;
  struct ssk_window window = {.series = s->series};
  begin(s, s->context + 1, 1);
  struct ssk_observed obs = ssk_observe(s->pass, s->data, s->split, &window);
  const size_t bytes = (size_t)((j + 1) * d) * sizeof *s->z;
  if (ctx->model->truth && !ssk_tape_code(ctx->tape))
    memcpy(s->z, obs.z->data + (s->context - j) * d, bytes);
  if (ctx->model->truth && !ctx->dims->W)
    return;
  struct ssk_segment whole = ssk_model_whole(s->pass, &obs);
  struct ssk_posterior q = ssk_segment_encode(s->pass, &whole);
  if (!ssk_tape_code(ctx->tape) && !ctx->model->truth)
    memcpy(s->z, ssk_rows(ctx->tape, q.z, s->context - j, j + 1)->data, bytes);
  const int W = ctx->dims->W;
  if (!ssk_tape_code(ctx->tape) && W)
    memcpy(s->state, q.state->data + (j + s->context - 1) * W, (size_t)W * sizeof *s->state);
}

/* The conditions of the step for all paths of the pass. */
static struct ssk_rows conditions(const struct stretch *s) {
  const struct ssk_ctx *ctx = &s->pass->ctx;
  const int j = ctx->dims->j, d = ctx->dims->d;
  ssk_tensor *past =
      ssk_repeat(ctx->tape, ssk_const(ctx->tape, SSK_SHAPE(1, j * d), s->z), 0, ctx->P);
  const int W = ctx->dims->W;
  ssk_tensor *state =
      W ? ssk_repeat(ctx->tape, ssk_const(ctx->tape, SSK_SHAPE(1, W), s->state), 0, ctx->P) : NULL;
  struct ssk_rows rows = {.size = sizeof rows,
                          .n = ctx->P,
                          .past = past,
                          .state = state,
                          .index = (uint32_t)s->context,
                          .step = s->context};
  ssk_model_known(s->pass, s->data, s->split, s->series, s->context, &rows);
  return rows;
}

static double density(const struct stretch *s) {
  const struct ssk_ctx *ctx = &s->pass->ctx;
  const struct ssk_instance *transition = ctx->model->experiment->model.transition;
  const int j = ctx->dims->j, d = ctx->dims->d;
  begin(s, s->context + 1, 1);
  struct ssk_rows rows = conditions(s);
  rows.z = ssk_const(ctx->tape, SSK_SHAPE(1, d), s->z + j * d);
  const ssk_tensor *log_prob = ssk_transition_log_prob(transition, ctx, &rows);
  if (ssk_tape_code(ctx->tape))
    return NAN;
  double value = (double)log_prob->data[0];
  for (int k = 0; k < d && ctx->model->truth; k++)
    value -= log(s->data->z_scale[k]);
  if (isnan(value))
    ssk_tape_fail(ctx->tape, SSK_ENUMERIC, "the density of a latent is not a number");
  return value;
}

static void draw(const struct stretch *s, int draws, double *out) {
  const struct ssk_ctx *ctx = &s->pass->ctx;
  const int d = ctx->dims->d;
  begin(s, s->context + 1, draws);
  struct ssk_rows rows = conditions(s);
  const ssk_tensor *z = ssk_transition_sample(ctx->model->experiment->model.transition, ctx, &rows);
  for (int i = 0; i < draws * d && !ssk_tape_code(ctx->tape); i++) {
    out[i] = (double)z->data[i];
    if (!isfinite(out[i])) /* no histogram has a place for it */
      ssk_tape_fail(ctx->tape, SSK_ENUMERIC, "the transition drew a latent that is not finite");
    if (ctx->model->truth)
      out[i] = s->data->z_centre[i % d] + s->data->z_scale[i % d] * out[i];
  }
}

int ssk_model_transition(struct ssk_pass *pass, const struct ssk_data *data, enum ssk_split split,
                         int64_t series, int context, int draws, uint64_t seed,
                         struct ssk_series_transition *out, ssk_err *err) {
  const struct ssk_model *model = pass->ctx.model;
  const int j = model->dims.j, d = model->dims.d;
  if (context < j)
    return ssk_err_set(err, SSK_EDATA, "a history of %d steps is shorter than the order %d",
                       context, j);
  struct stretch s = {.pass = pass,
                      .data = data,
                      .split = split,
                      .series = series,
                      .context = context,
                      .seed = seed,
                      .z = malloc((size_t)((j + 1) * d + model->dims.W) * sizeof *s.z)};
  if (!s.z)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for latents");
  const struct ssk_transition_ops *ops = model->experiment->model.transition->component->ops;
  s.state = s.z + (j + 1) * d;
  find_latents(&s);
  out->truth = model->truth;
  if (!ssk_tape_code(pass->ctx.tape) && (ops->log_prob || ops->moments))
    out->log_prob = density(&s);
  if (!ssk_tape_code(pass->ctx.tape))
    draw(&s, draws, out->draws);
  if (model->truth)
    ssk_true_latents(data, split, series, context, out->next);
  for (int k = 0; k < d && !model->truth; k++)
    out->next[k] = (double)s.z[j * d + k];
  free(s.z);
  int code = ssk_tape_code(pass->ctx.tape);
  return code ? ssk_err_set(err, code, "%s", ssk_err_message(pass->err, 0)) : SSK_OK;
}
