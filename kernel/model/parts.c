/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parts.c - calling the parts of a model that stand for themselves (emission, initial prior,
 * objective), and holding what a component gives to the shape that its kind promises: where a shape
 * is wrong, broadcasting would make something else of it, and nobody would know. */
#include "model/model.h"
#include "tensor/shape_text.h"
#include <string.h>

ssk_tensor *ssk_promised(const struct ssk_ctx *ctx, const struct ssk_instance *i, const char *slot,
                         ssk_tensor *x, int ndim, const int *shape) {
  if (ssk_tape_code(ctx->tape))
    return x;
  if (!x)
    return ssk_tape_fail(ctx->tape, SSK_EPLUGIN, "%s '%s': %s gives nothing",
                         ssk_kind_name(i->component->kind), i->component->name, slot);
  if (x->ndim == ndim && !memcmp(x->shape, shape, (size_t)ndim * sizeof *shape))
    return x;
  return ssk_tape_fail(ctx->tape, SSK_EPLUGIN, "%s '%s': %s gives the shape %s, not %s",
                       ssk_kind_name(i->component->kind), i->component->name, slot, SSK_SHOW(x),
                       ssk_shape_text(ndim, shape).text);
}

/* ---- emission -------------------------------------------------------------------------------- */

static const struct ssk_instance *emission_of(const struct ssk_ctx *ctx) {
  return ctx->model->experiment->model.emission;
}

ssk_tensor *ssk_emission_log_prob(const struct ssk_ctx *ctx, const struct ssk_rows *rows,
                                  ssk_tensor *x, ssk_tensor *mask) {
  const struct ssk_instance *i = emission_of(ctx);
  const struct ssk_emission_ops *ops = i->component->ops;
  const struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *log_prob = ops->log_prob(i->self, &inner, rows, x, mask);
  ssk_ctx_leave(ctx);
  return ssk_promised(ctx, i, "log_prob", log_prob, SSK_SHAPE(rows->n));
}

ssk_tensor *ssk_emission_sample(const struct ssk_ctx *ctx, const struct ssk_rows *rows) {
  const struct ssk_instance *i = emission_of(ctx);
  const struct ssk_emission_ops *ops = i->component->ops;
  const struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *x = ops->sample(i->self, &inner, rows);
  ssk_ctx_leave(ctx);
  return ssk_promised(ctx, i, "sample", x, SSK_SHAPE(rows->n, ctx->dims->D));
}

ssk_tensor *ssk_emission_mean(const struct ssk_ctx *ctx, const struct ssk_rows *rows) {
  const struct ssk_instance *i = emission_of(ctx);
  const struct ssk_emission_ops *ops = i->component->ops;
  if (!ops->mean)
    return NULL;
  const struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *mean = ops->mean(i->self, &inner, rows);
  ssk_ctx_leave(ctx);
  return ssk_promised(ctx, i, "mean", mean, SSK_SHAPE(rows->n, ctx->dims->D));
}

/* ---- initial prior --------------------------------------------------------------------------- */

static const struct ssk_instance *initial_of(const struct ssk_ctx *ctx) {
  return ctx->model->experiment->model.initial;
}

ssk_tensor *ssk_initial_rate(const struct ssk_ctx *ctx, const struct ssk_first *first) {
  const struct ssk_instance *i = initial_of(ctx);
  const struct ssk_initial_ops *ops = i->component->ops;
  const struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *rate = ops->rate(i->self, &inner, first);
  ssk_ctx_leave(ctx);
  return ssk_promised(ctx, i, "rate", rate, SSK_SHAPE(ctx->P));
}

ssk_tensor *ssk_initial_sample(const struct ssk_ctx *ctx, int paths) {
  const struct ssk_instance *i = initial_of(ctx);
  const struct ssk_initial_ops *ops = i->component->ops;
  const struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *z = ops->sample(i->self, &inner, paths);
  ssk_ctx_leave(ctx);
  return ssk_promised(ctx, i, "sample", z, SSK_SHAPE(ctx->dims->j, paths, ctx->dims->d));
}

ssk_tensor *ssk_initial_log_prob(const struct ssk_ctx *ctx, const struct ssk_first *first) {
  const struct ssk_instance *i = initial_of(ctx);
  const struct ssk_initial_ops *ops = i->component->ops;
  if (!ops->log_prob)
    return ssk_tape_fail(ctx->tape, SSK_EPLUGIN, "the initial prior '%s' has no density",
                         i->component->name);
  const struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *log_prob = ops->log_prob(i->self, &inner, first);
  ssk_ctx_leave(ctx);
  return ssk_promised(ctx, i, "log_prob", log_prob, SSK_SHAPE(ctx->P));
}

/* ---- objective ------------------------------------------------------------------------------- */

ssk_tensor *ssk_objective_loss(const struct ssk_ctx *ctx, const struct ssk_bound *bound) {
  const struct ssk_instance *i = ctx->model->experiment->objective;
  const struct ssk_objective_ops *ops = i->component->ops;
  const struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *loss = ops->loss(i->self, &inner, bound);
  ssk_ctx_leave(ctx);
  return ssk_promised(ctx, i, "loss", loss, SSK_SHAPE(ctx->P));
}
