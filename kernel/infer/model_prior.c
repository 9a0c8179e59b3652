/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_prior.c - ancestral sampling: z_{1:j} from the initial prior, each further latent from the
 * transition, each observation from the emission. */
#include "infer/model_prior.h"
#include "infer/model_state.h"
#include <string.h>

/* What all paths carry: [j + length, P, d + W], the first j of them before step 0; and the latents
 * [j, P, d] of the first steps. */
struct history {
  ssk_real *z, *first;
  size_t slab; /* P*(d + W) */
};

static ssk_tensor *carried_at(const struct ssk_ctx *ctx, const struct history *past, int entry) {
  return ssk_leaf(ctx->tape, SSK_SHAPE(ctx->P, ctx->dims->d + ctx->dims->W),
                  past->z + (size_t)entry * past->slab, NULL);
}

static void begin(const struct ssk_pass *pass, const struct history *past) {
  const struct ssk_ctx *ctx = &pass->ctx;
  const size_t mark = ssk_tape_mark(ctx->tape);
  const ssk_tensor *before = ssk_model_before(ctx);
  const ssk_tensor *z = ssk_initial_sample(ctx, ctx->P);
  if (!ssk_tape_code(ctx->tape)) {
    memcpy(past->z, before->data, before->count * sizeof *past->z);
    memcpy(past->first, z->data, z->count * sizeof *past->z);
  }
  ssk_tape_rewind(ctx->tape, mark);
}

/* Step t: its latent, which the initial prior has drawn for the first steps, its observation, and
 * what the path carries on. */
static void advance(const struct ssk_pass *pass, const struct ssk_data *data, enum ssk_split split,
                    int64_t series, int t, const struct history *past, int length, double *x) {
  const struct ssk_ctx *ctx = &pass->ctx;
  const struct ssk_model_section *parts = &ctx->model->experiment->model;
  const size_t mark = ssk_tape_mark(ctx->tape);
  const int j = ctx->dims->j, D = ctx->dims->D, P = ctx->P, d = ctx->dims->d;
  ssk_tensor *z[SSK_MAX_ORDER + 1];
  for (int i = 0; i < j; i++)
    z[i] = carried_at(ctx, past, t + i);
  struct ssk_rows rows = ssk_model_rows(pass, z + j - 1, t - 1);
  ssk_model_known(pass, data, split, series, t, &rows);
  ssk_tensor *latent =
      t < j ? ssk_leaf(ctx->tape, SSK_SHAPE(P, d), past->first + (size_t)(t * P * d), NULL)
            : ssk_transition_sample(parts->transition, ctx, &rows);
  z[j] = ssk_model_carry_on(ctx, &rows, latent);
  struct ssk_rows seen = ssk_model_rows(pass, z + j, t);
  seen.step = t; /* the emission is of the newest latent's own step */
  seen.u = rows.u;
  seen.time = rows.time;
  ssk_tensor *drawn = ssk_emission_sample(ctx, &seen);
  const ssk_tensor *carried = ssk_model_carry(ctx, &rows, latent, drawn, NULL);
  if (!ssk_tape_code(ctx->tape)) {
    memcpy(past->z + (size_t)(j + t) * past->slab, carried->data, past->slab * sizeof *past->z);
    for (int p = 0; p < P; p++)
      for (int k = 0; k < D; k++)
        x[((size_t)p * (size_t)length + (size_t)t) * (size_t)D + (size_t)k] =
            data->centre[k] + data->scale[k] * (double)drawn->data[p * D + k];
  }
  ssk_tape_rewind(ctx->tape, mark);
}

static int draw(struct ssk_pass *pass, const struct ssk_data *data, enum ssk_split split,
                int64_t series, int length, double *z, double *x, ssk_err *err) {
  const struct ssk_ctx *ctx = &pass->ctx;
  const int d = ctx->dims->d, j = ctx->dims->j;
  const int width = d + ctx->dims->W;
  struct history past = {.slab = (size_t)(ctx->P * width)};
  past.z = ssk_tape_scratch(ctx->tape, (size_t)(j + length) * past.slab * sizeof *past.z);
  past.first = ssk_tape_scratch(ctx->tape, (size_t)(j * ctx->P * d) * sizeof *past.first);
  if (!past.z || !past.first)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %d steps", length);
  begin(pass, &past);
  for (int t = 0; t < length && !ssk_tape_code(ctx->tape); t++)
    advance(pass, data, split, series, t, &past, length, x);
  int code = ssk_tape_code(ctx->tape);
  if (code)
    return ssk_err_set(err, code, "%s", ssk_err_message(pass->err, 0));
  for (int p = 0; p < ctx->P; p++)
    for (int t = 0; t < length; t++)
      for (int k = 0; k < d; k++)
        z[((size_t)p * (size_t)length + (size_t)t) * (size_t)d + (size_t)k] =
            (double)past.z[(size_t)(j + t) * past.slab + (size_t)(p * width + k)];
  return SSK_OK;
}

int ssk_model_draw(const struct ssk_model *model, ssk_real *values, const struct ssk_data *data,
                   enum ssk_split split, int64_t series, int length, int samples, uint64_t seed,
                   double *z, double *x, ssk_err *err) {
  const struct ssk_instance *emission = model->experiment->model.emission;
  const struct ssk_emission_ops *ops = emission->component->ops;
  if (!ops->sample)
    return ssk_err_set(err, SSK_EDATA, "the emission '%s' does not model observations",
                       emission->component->name);
  if (length < model->dims.j)
    return ssk_err_set(err, SSK_EDATA, "a series of %d steps is shorter than the order %d", length,
                       model->dims.j);
  if (model->dims.V && length > data->split[split].length[series])
    return ssk_err_set(err, SSK_EDATA, "there are no covariates beyond the %d steps of the series",
                       data->split[split].length[series]);
  struct ssk_pass pass;
  if (ssk_pass_init(&pass, model, values))
    return ssk_err_set(err, SSK_ENOMEM, "no memory to draw from the model");
  ssk_model_begin(&pass, length, samples, seed, "sample", split, series);
  int code = ssk_model_paths(model) ? ssk_model_complete(&pass, data, split, series, 0, 0, length,
                                                         samples, seed, "sample", z, x, err)
                                    : draw(&pass, data, split, series, length, z, x, err);
  ssk_pass_free(&pass);
  return code;
}
