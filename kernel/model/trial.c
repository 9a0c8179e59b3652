/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trial.c - one training pass of a model, and differences beside its gradient. */
#include "model/trial.h"
#include "model/segments.h"
#include <float.h>
#include <stdlib.h>
#include <string.h>

/* Weights away from their zero starts, so that no path is switched off. */
static void shake(const struct ssk_layout *layout, ssk_real *values) {
  for (int k = 0; k < layout->n; k++) {
    const struct ssk_slice *slice = &layout->slice[k];
    ssk_rng rng = ssk_rng_open(7, slice->name, "shake", 0, 0);
    for (size_t i = 0; i < slice->count && !(slice->flags & SSK_STATISTIC); i++)
      values[slice->offset + i] += (ssk_real)(0.1 * ssk_rng_normal(&rng));
  }
}

int ssk_trial_open(struct ssk_trial *trial, struct ssk_experiment *experiment, ssk_err *err) {
  *trial = (struct ssk_trial){.experiment = experiment};
  int code = ssk_data_load(experiment, &trial->data, err);
  if (!code)
    code = ssk_model_build(experiment, trial->data, &trial->model, err);
  if (code)
    return code;
  const struct ssk_layout *layout = &trial->model->layout;
  trial->values = calloc(layout->total + 1, sizeof *trial->values);
  trial->gradient = calloc(layout->total + 1, sizeof *trial->gradient);
  if (!trial->values || !trial->gradient)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the weights");
  ssk_layout_initialise(layout, 1, trial->values);
  shake(layout, trial->values);
  return ssk_pass_init(&trial->pass, trial->model, trial->values);
}

void ssk_trial_release(struct ssk_trial *trial) {
  if (trial->pass.ctx.tape)
    ssk_pass_free(&trial->pass);
  free(trial->values);
  free(trial->gradient);
  ssk_model_free(trial->model);
  ssk_data_free(trial->data);
  ssk_experiment_free(trial->experiment);
  *trial = (struct ssk_trial){0};
}

double ssk_trial_loss(const struct ssk_trial *trial, struct ssk_pass *pass, ssk_real *gradient,
                      int segment) {
  enum { B = 4 };
  const struct ssk_data *data = trial->data;
  const struct ssk_experiment *experiment = trial->experiment;
  struct ssk_ctx *ctx = &pass->ctx;
  memset(gradient, 0, trial->model->layout.total * sizeof *gradient);
  ssk_pass_begin(pass, data->window_length, B, (int)experiment->model.paths,
                 segment ? NULL : gradient);
  ctx->training = true;
  ctx->progress = 0.5;
  ctx->step = 3;
  struct ssk_window windows[B];
  for (int b = 0; b < B; b++)
    windows[b] = data->windows[(b * 5) % data->n_windows];
  windows[1].start = data->split[SSK_TRAIN].length[windows[1].series] - ctx->dims->j - 1;
  windows[1].start = windows[1].start < 0 ? 0 : windows[1].start;
  struct ssk_observed obs = ssk_observe(pass, data, SSK_TRAIN, windows);
  struct ssk_walk walk;
  struct ssk_bound bound;
  if (segment) {
    ssk_walk_begin(&walk, pass, &obs, ssk_segment_length(pass, segment));
    bound = ssk_walk_bound(&walk, gradient);
  } else {
    bound = ssk_model_bound(pass, &obs);
  }
  ssk_tensor *mean = ssk_mean_all(ctx->tape, ssk_objective_loss(ctx, &bound));
  if (ssk_tape_code(ctx->tape))
    return NAN;
  const double value = (double)mean->data[0];
  ssk_backward(ctx->tape, mean, 1);
  if (segment)
    ssk_walk_backward(&walk);
  return ssk_tape_code(ctx->tape) ? NAN : value;
}

/* ---- differences ----------------------------------------------------------------------------- */

/* A unit vector in the space of a slice. False: the gradient is zero there. */
static bool direct(const struct ssk_slice *slice, const ssk_real *gradient, bool along_gradient,
                   double *direction) {
  ssk_rng rng = ssk_rng_open(11, slice->name, "direction", 0, 0);
  double norm = 0;
  for (size_t i = 0; i < slice->count; i++) {
    direction[i] = along_gradient ? (double)gradient[slice->offset + i] : ssk_rng_normal(&rng);
    norm += direction[i] * direction[i];
  }
  norm = sqrt(norm);
  for (size_t i = 0; i < slice->count && norm > 0; i++)
    direction[i] /= norm;
  return norm > 0;
}

/* The loss with the slice moved by `way`. */
static double loss_at(struct ssk_trial *trial, const struct ssk_slice *slice,
                      const double *direction, double way) {
  const size_t bytes = slice->count * sizeof(ssk_real);
  ssk_real *at = trial->values + slice->offset, *kept = malloc(bytes + 1);
  if (!kept)
    return NAN;
  memcpy(kept, at, bytes);
  for (size_t i = 0; i < slice->count; i++)
    at[i] += (ssk_real)(way * direction[i]);
  const double value = ssk_trial_loss(trial, &trial->pass, trial->gradient, 0);
  memcpy(at, kept, bytes);
  free(kept);
  return value;
}

/* By central differences with step h; what is allowed beside them is a share of the slice's whole
 * gradient `norm`, and the rounding of the loss over h. */
static struct ssk_slope differ(struct ssk_trial *trial, const struct ssk_slice *slice,
                               const double *direction, double reverse, double norm, double h,
                               double *rounding) {
  const bool exact = sizeof(ssk_real) == 8;
  const double ahead = loss_at(trial, slice, direction, h);
  const double behind = loss_at(trial, slice, direction, -h);
  *rounding = (exact ? 20e-15 : 8 * FLT_EPSILON) * fmax(fabs(ahead), 1) / h;
  const double share = exact ? 1e-6 : 2e-2;
  return (struct ssk_slope){.reverse = reverse,
                            .differences = (ahead - behind) / (2 * h),
                            .allowed = share * fmax(norm, 1e-2) + *rounding};
}

/* A step must be small beside the loss's curvature and the distance of its next kink (a ReLU's),
 * and large beside its rounding: of a few the first that agrees. Where the first step tells the
 * slope well, one whose rounding is no longer small beside the slope says nothing: with it, any
 * gradient would agree. */
struct ssk_slope ssk_trial_slope(struct ssk_trial *trial, int k, const ssk_real *gradient,
                                 bool along_gradient) {
  static const double of_double[] = {1e-6, 1e-7, 0}, of_float[] = {1e-2, 3e-3, 1e-3, 3e-4, 0};
  const struct ssk_slice *slice = &trial->model->layout.slice[k];
  double *direction = calloc(slice->count + 1, sizeof *direction);
  const double small = 0.5; /* of the slope */
  struct ssk_slope best = {0};
  if (!direction)
    return (struct ssk_slope){NAN, NAN, 0};
  if (direct(slice, gradient, along_gradient, direction)) {
    double norm = 0, reverse = 0;
    for (size_t i = 0; i < slice->count; i++) {
      const double g = (double)gradient[slice->offset + i];
      reverse += direction[i] * g;
      norm += g * g;
    }
    double least = INFINITY, size = 0, rounding, first = 0;
    for (const double *h = sizeof(ssk_real) == 8 ? of_double : of_float; *h > 0 && least > 1; h++) {
      const struct ssk_slope slope =
          differ(trial, slice, direction, reverse, sqrt(norm), *h, &rounding);
      if (first == 0) {
        first = rounding;
        size = fmax(fabs(reverse), fabs(slope.differences));
      } else if (size > 10 * first && rounding > small * size)
        break;
      const double off = fabs(slope.differences - reverse) / slope.allowed;
      if (isfinite(off) ? off < least : isinf(least)) {
        best = slope;
        least = isfinite(off) ? off : least;
      }
    }
  }
  free(direction);
  return best;
}
