/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_forecast.c - forecasts and likelihoods of a state-space model: encode the history, then let
 * the transition and the emission run on. Every forecast path has a latent path of its own through
 * the history, so the uncertainty of the encoder is in the forecast. */
#include "infer/model_forecast.h"
#include "core/hash.h"
#include "infer/importance.h"
#include "infer/model_state.h"
#include "infer/model_transition.h"
#include "model/evaluate_bound.h"
#include <stdlib.h>
#include <string.h>

/* One more latent of every path, step t, and the observation that it emits, in the data's own
 * units. carried [j, P, d + W], oldest first, moves on by a step. */
static void extend(const struct ssk_pass *pass, const struct ssk_data *data, enum ssk_split split,
                   int64_t series, int t, ssk_real *carried, int horizon, double *paths) {
  const struct ssk_ctx *ctx = &pass->ctx;
  const struct ssk_model_section *parts = &ctx->model->experiment->model;
  const int j = ctx->dims->j, D = data->shape.D;
  const size_t count = (size_t)ctx->P * (size_t)(ctx->dims->d + ctx->dims->W);
  ssk_tensor *z[SSK_MAX_ORDER + 1];
  for (int i = 0; i < j; i++)
    z[i] = ssk_leaf(ctx->tape, SSK_SHAPE(ctx->P, ctx->dims->d + ctx->dims->W),
                    carried + (size_t)i * count, NULL);
  struct ssk_rows rows = ssk_model_rows(pass, z + j - 1, t - 1);
  ssk_model_known(pass, data, split, series, t, &rows);
  ssk_tensor *drawn = ssk_transition_sample(parts->transition, ctx, &rows);
  z[j] = ssk_model_carry_on(ctx, &rows, drawn);
  struct ssk_rows seen = ssk_model_rows(pass, z + j, t);
  seen.step = t; /* the emission is of the newest latent's own step */
  seen.u = rows.u;
  seen.time = rows.time;
  ssk_tensor *x = ssk_emission_sample(ctx, &seen);
  z[j] = ssk_model_carry(ctx, &rows, drawn, x, NULL);
  if (ssk_tape_code(ctx->tape))
    return;
  memmove(carried, carried + count, (size_t)(j - 1) * count * sizeof *carried);
  memcpy(carried + (size_t)(j - 1) * count, z[j]->data, count * sizeof *carried);
  for (int p = 0; p < ctx->P; p++)
    for (int k = 0; k < D; k++)
      paths[p * horizon * D + k] = data->centre[k] + data->scale[k] * (double)x->data[p * D + k];
}

void ssk_model_begin(struct ssk_pass *pass, int T, int paths, uint64_t seed, const char *purpose,
                     enum ssk_split split, int64_t series) {
  struct ssk_ctx *ctx = &pass->ctx;
  ssk_pass_begin(pass, T, 1, paths, NULL);
  ctx->training = false;
  ctx->progress = 1;
  ctx->share = 1;
  ctx->seed = ssk_hash_text(seed, purpose);
  ctx->step = (uint32_t)split;
  ctx->shard = (uint32_t)series;
}

int ssk_model_check_finite(const double *x, size_t n, const char *what, ssk_err *err) {
  size_t i = 0;
  while (i < n && isfinite(x[i]))
    i++;
  return i == n ? SSK_OK : ssk_err_set(err, SSK_ENUMERIC, "%s is not finite: it diverges", what);
}

static int draw_paths(struct ssk_model_state *state, const struct ssk_data *data,
                      enum ssk_split split, int64_t series, int context, int horizon, int samples,
                      uint64_t seed, int thread, double *paths, ssk_err *err) {
  struct ssk_pass *pass = &state->passes[thread];
  struct ssk_ctx *ctx = &pass->ctx;
  int j = ctx->dims->j;
  if (context < j)
    return ssk_err_set(err, SSK_EDATA, "a history of %d steps is shorter than the order %d",
                       context, j);
  if (ctx->dims->V && context + horizon > data->split[split].length[series])
    return ssk_err_set(err, SSK_EDATA, "there are no covariates beyond the %d steps of the series",
                       data->split[split].length[series]);
  if (ssk_model_paths(state->model))
    return ssk_model_complete(pass, data, split, series, context, context, context + horizon,
                              samples, seed, "forecast", NULL, paths, err);
  ssk_model_begin(pass, context, samples, seed, "forecast", split, series);
  struct ssk_window window = {.series = series};
  struct ssk_observed obs = ssk_observe(pass, data, split, &window);
  struct ssk_walk walk;
  ssk_walk_begin(&walk, pass, &obs, ssk_segment_length_forward(pass));
  ssk_walk_encode(&walk, NULL, NULL);
  const size_t mark = ssk_tape_mark(ctx->tape);
  for (int t = context; t < context + horizon && !ssk_tape_code(ctx->tape); t++) {
    extend(pass, data, split, series, t, ssk_walk_last(&walk), horizon,
           paths + (t - context) * data->shape.D);
    ssk_tape_rewind(ctx->tape, mark);
  }
  int code = ssk_tape_code(ctx->tape);
  return code ? ssk_err_set(err, code, "%s", ssk_err_message(pass->err, 0)) : SSK_OK;
}

static int forecast(void *self, const struct ssk_data *data, enum ssk_split split, int64_t series,
                    int context, int horizon, int samples, uint64_t seed, int thread, double *paths,
                    ssk_err *err) {
  int code =
      draw_paths(self, data, split, series, context, horizon, samples, seed, thread, paths, err);
  const size_t n = (size_t)samples * (size_t)horizon * (size_t)data->shape.D;
  return code ? code : ssk_model_check_finite(paths, n, "the forecast", err);
}

/* Infinity is worth something, the worst; what is no number would leave the means without a word.
 */
static int check_number(double x, const char *what, ssk_err *err) {
  return isnan(x) ? ssk_err_set(err, SSK_ENUMERIC, "%s of a series is not a number", what) : SSK_OK;
}

static int bound(void *self, const struct ssk_data *data, enum ssk_split split, int64_t series,
                 int length, uint64_t seed, int thread, struct ssk_series_bound *out,
                 ssk_err *err) {
  struct ssk_model_state *state = self;
  struct ssk_bound_value value;
  int code = ssk_pass_bound(&state->passes[thread], data, split, series, 1, length,
                            (int)state->how->bound_paths, seed, &value, err);
  if (!code)
    *out = (struct ssk_series_bound){.length = value.steps,
                                     .distortion = value.distortion,
                                     .rate_initial = value.initial,
                                     .rate_transition = value.transition};
  return code ? code
              : check_number(value.distortion + value.initial + value.transition, "the bound", err);
}

/* log p(x) by the mean importance weight of paths of the encoder (Burda, Grosse, Salakhutdinov:
 * Importance weighted autoencoders, ICLR 2016, equation 8). */
static int likelihood(void *self, const struct ssk_data *data, enum ssk_split split, int64_t series,
                      int length, uint64_t seed, int thread, struct ssk_series_likelihood *out,
                      ssk_err *err) {
  struct ssk_model_state *state = self;
  struct ssk_pass *pass = &state->passes[thread];
  struct ssk_window window = {.series = series};
  int paths = (int)state->how->likelihood_paths;
  const int steps = ssk_pass_steps(pass->ctx.dims, length, data->split[split].length[series]);
  ssk_model_begin(pass, steps, paths, seed, "likelihood", split, series);
  struct ssk_observed obs = ssk_observe(pass, data, split, &window);
  const ssk_tensor *weight = ssk_model_log_weight(pass, &obs);
  double *log_w = ssk_tape_scratch(pass->ctx.tape, (size_t)paths * sizeof *log_w);
  int code = log_w ? ssk_tape_code(pass->ctx.tape) : SSK_ENOMEM;
  if (code)
    return ssk_err_set(err, code, "%s", ssk_err_message(pass->err, 0));
  for (int i = 0; i < paths; i++)
    log_w[i] = (double)weight->data[i];
  struct ssk_importance estimate;
  ssk_importance(paths, log_w, &estimate);
  const double *mask = data->split[split].mask + series * data->split[split].room * data->shape.D;
  *out = (struct ssk_series_likelihood){.length = length,
                                        .log_likelihood = estimate.log_mean +
                                                          ssk_data_log_jacobian(data, mask, length),
                                        .effective_paths = estimate.effective_paths,
                                        .pareto_k = estimate.pareto_k};
  return check_number(estimate.log_mean, "the likelihood", err);
}

static int transition(void *self, const struct ssk_data *data, enum ssk_split split, int64_t series,
                      int context, int draws, uint64_t seed, int thread,
                      struct ssk_series_transition *out, ssk_err *err) {
  struct ssk_model_state *state = self;
  return ssk_model_transition(&state->passes[thread], data, split, series, context, draws,
                              ssk_hash_text(seed, "transition"), out, err);
}

static void release(void *self) {
  struct ssk_model_state *state = self;
  for (int i = 0; i < state->threads; i++)
    if (state->passes[i].ctx.tape)
      ssk_pass_free(&state->passes[i]);
  free(state->passes);
  free(state);
}

int ssk_model_forecaster(const struct ssk_model *model, ssk_real *values, const char *name,
                         int threads, const struct ssk_evaluate_section *how,
                         struct ssk_forecaster *out, ssk_err *err) {
  *out = (struct ssk_forecaster){0};
  struct ssk_model_state *state = calloc(1, sizeof *state);
  if (state)
    *state = (struct ssk_model_state){.model = model,
                                      .threads = threads,
                                      .how = how,
                                      .passes = calloc((size_t)threads, sizeof *state->passes)};
  int code = state && state->passes ? SSK_OK : SSK_ENOMEM;
  for (int i = 0; i < threads && !code; i++)
    code = ssk_pass_init(&state->passes[i], model, values);
  if (code) {
    if (state && state->passes)
      release(state);
    else
      free(state);
    return ssk_err_set(err, code, "no memory for a forecaster");
  }
  const struct ssk_emission_ops *emission = model->experiment->model.emission->component->ops;
  bool observes = emission->sample != NULL;
  bool steps = !ssk_model_paths(model); /* a prior of whole paths has neither bound nor steps */
  *out = (struct ssk_forecaster){
      .name = name,
      .self = state,
      .forecast = observes ? forecast : NULL,
      .bound = observes && steps ? bound : NULL,
      .likelihood = observes && steps ? likelihood : NULL,
      .transition = steps ? transition : NULL,
      .posterior = observes ? ssk_model_posterior : NULL,
      .history = model->dims.j,
      .latents = model->dims.d,
      .evaluations = ssk_transition_evaluations(model->experiment->model.transition),
      .free = release};
  return SSK_OK;
}
