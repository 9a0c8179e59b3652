/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_posterior.c - smoothing and imputation with a state-space model: paths of the encoder,
 * which sees the whole series with its mask, and what the emission makes of them. A missing entry
 * is imputed by p(x | z) at the latents that the entries round it call for.
 *
 * With evaluate.smoothing: importance, the paths are weighted by w = p(x, z)/q(z | x), normalised
 * to sum to one, and drawn again by their weights (sampling importance resampling, Rubin 1987):
 * then they are those of the model's own posterior, as far as the encoder's cover it. */
#include "infer/model_state.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is collected over the segments of a series. */
struct work {
  const struct ssk_data *data;
  const struct ssk_series_posterior *out;
  int length;
  double *mean;       /* [samples, length, D] of each path: E[x | z], or the draw where the emission
                         has no mean */
  double *log_weight; /* [samples], or NULL: not wanted */
};

/* rows [n*P, width], step by step, to paths[P, length, width]; steps behind the end are left out.
 * Entries become centre + scale * value where these are given. */
static void keep(const ssk_tensor *rows, int from, int n, int P, int width, const double *centre,
                 const double *scale, int length, double *paths) {
  for (int t = 0; t < n && from + t < length; t++)
    for (int p = 0; p < P; p++)
      for (int k = 0; k < width; k++) {
        const double value = (double)rows->data[(t * P + p) * width + k];
        paths[((size_t)p * (size_t)length + (size_t)(from + t)) * (size_t)width + (size_t)k] =
            centre ? centre[k] + scale[k] * value : value;
      }
}

static void visit(const struct ssk_pass *pass, const struct ssk_segment *segment,
                  const struct ssk_posterior *q, void *state) {
  struct work *w = state;
  const struct ssk_ctx *ctx = &pass->ctx;
  const struct ssk_rows rows = ssk_segment_emission(ctx, segment, q);
  const ssk_tensor *x = ssk_emission_sample(ctx, &rows), *mean = ssk_emission_mean(ctx, &rows);
  const ssk_tensor *log_weight = w->log_weight ? ssk_segment_log_weight(pass, segment, q) : NULL;
  if (ssk_tape_code(ctx->tape))
    return;
  const int D = w->data->shape.D, from = segment->from, n = segment->n, P = ctx->P;
  keep(x, from, n, P, D, w->data->centre, w->data->scale, w->length, w->out->x);
  keep(mean ? mean : x, from, n, P, D, w->data->centre, w->data->scale, w->length, w->mean);
  if (w->out->z)
    keep(q->z, from, n, P, ctx->dims->d, NULL, NULL, w->length, w->out->z);
  for (int p = 0; log_weight && p < P; p++)
    w->log_weight[p] += (double)log_weight->data[p];
}

/* Log weights to weights that sum to one; equal ones where none is positive. NaN counts as none. */
static void normalise(int n, double *w) {
  double top = -INFINITY, sum = 0;
  for (int i = 0; i < n; i++)
    top = w[i] > top ? w[i] : top;
  for (int i = 0; i < n; i++)
    sum += w[i] = !isfinite(top) ? 1 : isnan(w[i]) ? 0 : exp(w[i] - top);
  for (int i = 0; i < n; i++)
    w[i] /= sum;
}

/* Systematic draws by the weights: path s becomes from[s]. */
static void draw_again(int n, const double *weight, ssk_rng *rng, int *from) {
  double u = ssk_rng_uniform(rng), sum = weight[0];
  for (int s = 0, i = 0; s < n; s++) {
    while (sum < (s + u) / n && i < n - 1)
      sum += weight[++i];
    from[s] = i;
  }
}

/* paths[n, row] <- paths[from]. */
static void rearrange(int n, const int *from, size_t row, double *paths, double *spare) {
  memcpy(spare, paths, (size_t)n * row * sizeof *paths);
  for (int s = 0; s < n; s++)
    memcpy(paths + (size_t)s * row, spare + (size_t)from[s] * row, row * sizeof *paths);
}

/* The mean over paths, and with weights the paths by them. */
static int finish(const struct work *w, int samples, int d, ssk_rng *rng, ssk_err *err) {
  const size_t row = (size_t)w->length * (size_t)w->data->shape.D;
  if (w->log_weight)
    normalise(samples, w->log_weight);
  memset(w->out->mean, 0, row * sizeof *w->out->mean);
  for (int s = 0; s < samples; s++)
    for (size_t k = 0; k < row; k++)
      w->out->mean[k] +=
          (w->log_weight ? w->log_weight[s] : 1.0 / samples) * w->mean[(size_t)s * row + k];
  if (!w->log_weight)
    return SSK_OK;
  const size_t z_row = (size_t)w->length * (size_t)d, longest = z_row > row ? z_row : row;
  int *from = malloc((size_t)samples * sizeof *from);
  double *spare = malloc((size_t)samples * longest * sizeof *spare);
  if (from && spare) {
    draw_again(samples, w->log_weight, rng, from);
    rearrange(samples, from, row, w->out->x, spare);
    if (w->out->z)
      rearrange(samples, from, z_row, w->out->z, spare);
  }
  const bool done = from && spare;
  free(from);
  free(spare);
  return done ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for smoothed paths");
}

/* Where latents are the observations, the prior of their paths itself says what is missing. */
static int complete(struct ssk_pass *pass, const struct ssk_data *data, enum ssk_split split,
                    int64_t series, int samples, uint64_t seed,
                    const struct ssk_series_posterior *out, ssk_err *err) {
  const int length = data->split[split].length[series];
  const size_t entries = (size_t)length * (size_t)data->shape.D;
  int code = ssk_model_complete(pass, data, split, series, length, 0, length, samples, seed,
                                "posterior", out->z, out->x, err);
  memset(out->mean, 0, entries * sizeof *out->mean);
  for (int s = 0; s < samples && !code; s++)
    for (size_t k = 0; k < entries; k++)
      out->mean[k] += out->x[(size_t)s * entries + k] / samples;
  return code;
}

int ssk_model_posterior(void *self, const struct ssk_data *data, enum ssk_split split,
                        int64_t series, int samples, uint64_t seed, int thread,
                        const struct ssk_series_posterior *out, ssk_err *err) {
  struct ssk_model_state *state = self;
  struct ssk_pass *pass = &state->passes[thread];
  const struct ssk_ctx *ctx = &pass->ctx;
  const int length = data->split[split].length[series];
  if (state->model->copies)
    return complete(pass, data, split, series, samples, seed, out, err);
  struct work w = {.data = data, .out = out, .length = length};
  w.mean = malloc((size_t)samples * (size_t)(length * data->shape.D) * sizeof *w.mean);
  w.log_weight = state->how->smoothing ? calloc((size_t)samples, sizeof *w.log_weight) : NULL;
  int code = w.mean && (w.log_weight || !state->how->smoothing)
                 ? SSK_OK
                 : ssk_err_set(err, SSK_ENOMEM, "no memory for smoothed paths");
  if (!code) {
    ssk_model_begin(pass, ssk_pass_steps(ctx->dims, length, length), samples, seed, "posterior",
                    split, series);
    const struct ssk_window window = {.series = series};
    const struct ssk_observed obs = ssk_observe(pass, data, split, &window);
    struct ssk_walk walk;
    ssk_walk_begin(&walk, pass, &obs, ssk_segment_length_forward(pass));
    ssk_walk_encode(&walk, visit, &w);
    code = ssk_tape_code(ctx->tape);
    if (code)
      ssk_err_set(err, code, "%s", ssk_err_message(pass->err, 0));
  }
  if (!code) {
    ssk_rng rng =
        ssk_rng_open(ctx->seed, "infer.posterior", "draw again", (uint32_t)split, (uint32_t)series);
    code = finish(&w, samples, ctx->dims->d, &rng, err);
  }
  free(w.mean);
  free(w.log_weight);
  const size_t n = (size_t)samples * (size_t)length * (size_t)data->shape.D;
  return code ? code : ssk_model_check_finite(out->x, n, "what is inferred of the series", err);
}
