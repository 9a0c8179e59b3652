/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_filter.c - a step lies on the tape from when its latents are drawn until its own
 * observation has come; then what is carried on is copied and the tape goes back. They are drawn
 * right after the observation before it, or, where the model has covariates, once these are known.
 * Particles are drawn again, by systematic resampling, where their effective number is under half
 * of them. */
#include "infer/model_filter.h"
#include "core/hash.h"
#include "infer/systematic.h"
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ssk_filter {
  struct ssk_pass pass;
  const struct ssk_data *data;
  size_t mark;                 /* of the tape, before a step */
  int n, t;                    /* particles; the step that is on the tape */
  size_t slab;                 /* n*(d + W): what all particles carry of a step */
  ssk_real *carried, *shifted; /* [j, n, d + W] of the steps before, oldest first; room for them */
  ssk_real *first, *moved;     /* [j, n, d] drawn by the initial prior; room for them */
  double *weight, *log_g;      /* [n] */
  double *before;              /* [n] the weights that go with `predicted` */
  double *predicted, *signal;  /* [n, D] draws of the observation, and without its noise */
  double *mean, *sd, *predicted_mean; /* [D] */
  int *ancestor;                      /* [n] */
  double *column;                     /* [n] a dimension of `predicted`, for its quantiles, */
  size_t *order;                      /* [n] in its order; */
  int sorted;                         /* which; -1: none yet */
  /* On the tape. */
  struct ssk_rows rows, seen;
  ssk_tensor *latent;
};

static int tape_failure(const struct ssk_filter *f, ssk_err *err) {
  const int code = ssk_tape_code(f->pass.ctx.tape);
  return code ? ssk_err_set(err, code, "step %d: %s", f->t, ssk_err_message(f->pass.err, 0))
              : SSK_OK;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int check_model(const struct ssk_model *model, ssk_err *err) {
  const struct ssk_model_section *parts = &model->experiment->model;
  const struct ssk_emission_ops *emission = parts->emission->component->ops;
  if (ssk_model_paths(model))
    return ssk_err_set(err, SSK_EDATA,
                       "the transition '%s' is a prior of whole paths: it has no single steps, and "
                       "no filter",
                       parts->transition->component->name);
  if (!emission->sample)
    return ssk_err_set(err, SSK_EDATA, "the emission '%s' does not model observations",
                       parts->emission->component->name);
  return SSK_OK;
}

static bool make_room(struct ssk_filter *f) {
  const struct ssk_dims *dims = f->pass.ctx.dims;
  const size_t n = (size_t)f->n, j = (size_t)dims->j, d = (size_t)dims->d, D = (size_t)dims->D;
  f->carried = calloc(j * f->slab, sizeof *f->carried);
  f->shifted = calloc(j * f->slab, sizeof *f->shifted);
  f->first = calloc(j * n * d, sizeof *f->first);
  f->moved = calloc(j * n * d, sizeof *f->moved);
  f->weight = calloc(n, sizeof *f->weight);
  f->log_g = calloc(n, sizeof *f->log_g);
  f->before = calloc(n, sizeof *f->before);
  f->predicted = calloc(n * D, sizeof *f->predicted);
  f->signal = calloc(n * D, sizeof *f->signal);
  f->mean = calloc(D, sizeof *f->mean);
  f->sd = calloc(D, sizeof *f->sd);
  f->predicted_mean = calloc(D, sizeof *f->predicted_mean);
  f->ancestor = calloc(n, sizeof *f->ancestor);
  f->column = calloc(n, sizeof *f->column);
  f->order = calloc(n, sizeof *f->order);
  return f->carried && f->shifted && f->first && f->moved && f->weight && f->log_g && f->before &&
         f->predicted && f->signal && f->mean && f->sd && f->predicted_mean && f->ancestor &&
         f->column && f->order;
}

int ssk_filter_open(const struct ssk_model *model, ssk_real *values, const struct ssk_data *data,
                    int particles, uint64_t seed, struct ssk_filter **out, ssk_err *err) {
  *out = NULL;
  int code = check_model(model, err);
  if (code)
    return code;
  struct ssk_filter *f = calloc(1, sizeof *f);
  if (f && !ssk_pass_init(&f->pass, model, values)) {
    f->data = data;
    f->n = particles;
    f->slab = (size_t)particles * (size_t)(model->dims.d + model->dims.W);
    f->pass.ctx.seed = ssk_hash_text(seed, "filter");
  }
  if (!f || !f->data || !make_room(f)) {
    ssk_filter_free(f);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %d particles", particles);
  }
  *out = f;
  return SSK_OK;
}

void ssk_filter_free(struct ssk_filter *f) {
  if (!f)
    return;
  if (f->pass.ctx.tape)
    ssk_pass_free(&f->pass);
  free(f->carried);
  free(f->shifted);
  free(f->first);
  free(f->moved);
  free(f->weight);
  free(f->log_g);
  free(f->before);
  free(f->predicted);
  free(f->signal);
  free(f->mean);
  free(f->sd);
  free(f->predicted_mean);
  free(f->ancestor);
  free(f->column);
  free(f->order);
  free(f);
}

/* ---- the next step --------------------------------------------------------------------------- */

/* Means over the particles of values [n, D] and, where sd is not NULL, their deviations. */
static void moments_of(const struct ssk_filter *f, const double *values, double *mean, double *sd) {
  const int D = f->pass.ctx.dims->D;
  for (int k = 0; k < D; k++) {
    double sum = 0, squares = 0;
    for (int i = 0; i < f->n; i++)
      sum += f->weight[i] * values[i * D + k];
    for (int i = 0; i < f->n && sd; i++)
      squares += f->weight[i] * (values[i * D + k] - sum) * (values[i * D + k] - sum);
    mean[k] = sum;
    if (sd)
      sd[k] = sqrt(squares);
  }
}

/* [n, D] in the data's own units. */
static void in_own_units(const struct ssk_filter *f, const ssk_tensor *x, double *out) {
  const int D = f->pass.ctx.dims->D;
  for (int i = 0; i < f->n * D; i++)
    out[i] = f->data->centre[i % D] + f->data->scale[i % D] * (double)x->data[i];
}

/* Put step f->t, with its covariates, on the tape: the particles' latents, and what they say of its
 * observation. */
static int propagate(struct ssk_filter *f, const double *u, ssk_err *err) {
  const struct ssk_ctx *ctx = &f->pass.ctx;
  const struct ssk_dims *dims = ctx->dims;
  const struct ssk_model_section *parts = &ctx->model->experiment->model;
  const int j = dims->j, t = f->t;
  ssk_tensor *z[SSK_MAX_ORDER + 1];
  for (int i = 0; i < j; i++)
    z[i] = ssk_leaf(ctx->tape, SSK_SHAPE(f->n, dims->d + dims->W), f->carried + (size_t)i * f->slab,
                    NULL);
  f->rows = ssk_model_rows(&f->pass, z + j - 1, t - 1);
  ssk_model_known_as(&f->pass, u, t, &f->rows);
  f->latent = t < j ? ssk_leaf(ctx->tape, SSK_SHAPE(f->n, dims->d),
                               f->first + (size_t)(t * f->n * dims->d), NULL)
                    : ssk_transition_sample(parts->transition, ctx, &f->rows);
  z[j] = ssk_model_carry_on(ctx, &f->rows, f->latent);
  f->seen = ssk_model_rows(&f->pass, z + j, t);
  f->seen.step = t; /* the emission is of the newest latent's own step */
  f->seen.u = f->rows.u;
  f->seen.time = f->rows.time;
  const ssk_tensor *x = ssk_emission_sample(ctx, &f->seen),
                   *mean = ssk_emission_mean(ctx, &f->seen);
  const int code = tape_failure(f, err);
  if (code)
    return code;
  in_own_units(f, x, f->predicted);
  in_own_units(f, mean ? mean : x, f->signal);
  moments_of(f, f->signal, f->predicted_mean, NULL);
  memcpy(f->before, f->weight, (size_t)f->n * sizeof *f->before);
  f->sorted = -1;
  return SSK_OK;
}

/* Whether a step has to wait for its covariates. */
static bool waits(const struct ssk_filter *f) {
  return f->pass.ctx.dims->V > 0;
}

int ssk_filter_begin(struct ssk_filter *f, int64_t series, ssk_err *err) {
  struct ssk_ctx *ctx = &f->pass.ctx;
  ssk_pass_begin(&f->pass, ctx->dims->j, 1, f->n, NULL);
  ctx->training = false;
  ctx->step = 0;
  ctx->shard = (uint32_t)series;
  f->mark = ssk_tape_mark(ctx->tape);
  f->t = 0;
  const ssk_tensor *before = ssk_model_before(ctx);
  const ssk_tensor *z = ssk_initial_sample(ctx, f->n);
  const int code = tape_failure(f, err);
  if (code)
    return code;
  memcpy(f->carried, before->data, before->count * sizeof *f->carried);
  memcpy(f->first, z->data, z->count * sizeof *f->first);
  for (int p = 0; p < f->n; p++)
    f->weight[p] = 1.0 / f->n;
  ssk_tape_rewind(ctx->tape, f->mark);
  return waits(f) ? SSK_OK : propagate(f, NULL, err);
}

/* ---- an observation -------------------------------------------------------------------------- */

/* weight_i <- weight_i p(x | z_i), normalised; returns the log of the sum. NaN counts as none. */
static double reweight(struct ssk_filter *f, const ssk_tensor *log_prob) {
  double top = -INFINITY, sum = 0;
  for (int i = 0; i < f->n; i++)
    top = fmax(top, (double)log_prob->data[i]);
  if (!isfinite(top))
    return -INFINITY;
  for (int i = 0; i < f->n; i++) {
    const double g = exp((double)log_prob->data[i] - top);
    f->log_g[i] = isnan(g) ? 0 : f->weight[i] * g;
    sum += f->log_g[i];
  }
  if (!(sum > 0))
    return -INFINITY;
  for (int i = 0; i < f->n; i++)
    f->weight[i] = f->log_g[i] / sum;
  return top + log(sum);
}

/* Which particles go on. */
static void choose(struct ssk_filter *f, double effective) {
  const struct ssk_ctx *ctx = &f->pass.ctx;
  if (effective >= 0.5 * f->n) {
    for (int i = 0; i < f->n; i++)
      f->ancestor[i] = i;
    return;
  }
  ssk_rng rng = ssk_rng_open(ctx->seed, "model.filter", "ancestors", ctx->step, ctx->shard);
  ssk_rng_skip_uniforms(&rng, (uint64_t)f->t); /* by place, not by what happened before */
  struct ssk_systematic draws = ssk_systematic_begin(f->n, f->weight, f->n, ssk_rng_uniform(&rng));
  for (int i = 0; i < f->n; i++)
    f->ancestor[i] = ssk_systematic_next(&draws);
  for (int i = 0; i < f->n; i++)
    f->weight[i] = 1.0 / f->n;
}

/* Rows of [n, width] by their ancestors. */
static void descend(const struct ssk_filter *f, const ssk_real *from, int width, ssk_real *to) {
  for (int i = 0; i < f->n; i++)
    memcpy(to + (size_t)i * (size_t)width, from + (size_t)f->ancestor[i] * (size_t)width,
           (size_t)width * sizeof *to);
}

/* What the particles carry after the step, the newest of all; the oldest goes. */
static void carry_on(struct ssk_filter *f, const ssk_real *newest) {
  const struct ssk_dims *dims = f->pass.ctx.dims;
  const int j = dims->j, width = dims->d + dims->W;
  for (int i = 0; i < j; i++)
    descend(f, i + 1 < j ? f->carried + (size_t)(i + 1) * f->slab : newest, width,
            f->shifted + (size_t)i * f->slab);
  ssk_real *swap = f->carried;
  f->carried = f->shifted;
  f->shifted = swap;
  if (f->t + 1 >= j)
    return;
  for (int i = 0; i < j; i++) /* latents that the initial prior has drawn ahead belong to a path */
    descend(f, f->first + (size_t)(i * f->n * dims->d), dims->d,
            f->moved + (size_t)(i * f->n * dims->d));
  swap = f->first;
  f->first = f->moved;
  f->moved = swap;
}

int ssk_filter_feed(struct ssk_filter *f, const double *x, const double *u,
                    struct ssk_filtered *out, ssk_err *err) {
  int code = waits(f) ? propagate(f, u, err) : SSK_OK;
  if (code)
    return code;
  const struct ssk_ctx *ctx = &f->pass.ctx;
  const int D = ctx->dims->D;
  ssk_tensor *seen = ssk_empty(ctx->tape, SSK_SHAPE(f->n, D));
  ssk_tensor *mask = ssk_empty(ctx->tape, SSK_SHAPE(f->n, D));
  double log_jacobian = 0;
  bool any = false;
  for (int k = 0; k < D; k++) {
    const bool observed = !isnan(x[k]);
    const double value = observed ? (x[k] - f->data->centre[k]) / f->data->scale[k] : 0;
    any = any || observed;
    log_jacobian -= observed ? log(f->data->scale[k]) : 0;
    for (int p = 0; seen->count && mask->count && p < f->n; p++) {
      seen->data[p * D + k] = (ssk_real)value;
      mask->data[p * D + k] = observed;
    }
  }
  const ssk_tensor *log_prob = any ? ssk_emission_log_prob(ctx, &f->seen, seen, mask) : NULL;
  const ssk_tensor *newest = ssk_model_carry(ctx, &f->rows, f->latent, seen, mask);
  code = tape_failure(f, err);
  if (!code && f->t == INT32_MAX - 1)
    code = ssk_err_set(err, SSK_EDATA, "a series has at most %d steps", INT32_MAX - 1);
  if (code)
    return code;
  *out = (struct ssk_filtered){.step = f->t,
                               .log_density = any ? reweight(f, log_prob) + log_jacobian : 0,
                               .mean = f->mean,
                               .sd = f->sd,
                               .predicted_mean = f->predicted_mean,
                               .n = f->n,
                               .predicted = f->predicted,
                               .weight = f->before};
  moments_of(f, f->signal, f->mean, f->sd);
  out->effective = ssk_effective_size(f->n, f->weight);
  choose(f, out->effective);
  carry_on(f, newest->data);
  ssk_tape_rewind(ctx->tape, f->mark);
  f->t++;
  return waits(f) ? SSK_OK : propagate(f, NULL, err);
}

double ssk_filtered_quantile(struct ssk_filter *f, int k, double level) {
  const int D = f->pass.ctx.dims->D;
  if (f->sorted != k) {
    for (int i = 0; i < f->n; i++)
      f->column[i] = f->predicted[i * D + k];
    gsl_sort_index(f->order, f->column, 1, (size_t)f->n);
    f->sorted = k;
  }
  double below = 0;
  int i = 0;
  while (i < f->n - 1 && (below += f->before[f->order[i]]) < level)
    i++;
  return f->column[f->order[i]];
}
