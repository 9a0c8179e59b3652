/* SPDX-License-Identifier: GPL-3.0-or-later */
/* components.c - calling a component through its kind: the place of its random numbers and weights,
 * and the kernel's defaults for optional slots. */
#include "model/model.h"
#include <string.h>

static const char *key_of(const struct ssk_instance *i) {
  const char *dot = strrchr(i->path, '.');
  return dot ? dot + 1 : i->path;
}

struct ssk_instance *ssk_build_copy(ssk_builder *b, const struct ssk_instance *i) {
  struct ssk_instance *copy = ssk_arena_alloc(b->arena, sizeof *copy);
  void *self = ssk_arena_alloc(b->arena, i->component->self_size);
  if (!copy || !self) {
    ssk_build_fail(b, SSK_ENOMEM, "no memory for a component");
    return NULL;
  }
  *copy = *i;
  copy->self = memcpy(self, i->self, i->component->self_size);
  return copy;
}

/* ---- building ------------------------------------------------------------------------------- */

int ssk_denoiser_build(struct ssk_instance *i, ssk_builder *b, const struct ssk_dims *dims) {
  const struct ssk_denoiser_ops *ops = i->component->ops;
  ssk_scope(b, "%s", key_of(i));
  int code = ops->build(i->self, b, dims);
  ssk_unscope(b);
  return code ? ssk_build_fail(b, code, "the denoiser could not be built") : ssk_build_code(b);
}

int ssk_mixer_build(struct ssk_instance *i, ssk_builder *b, int width) {
  if (!i)
    return ssk_build_code(b);
  const struct ssk_mixer_ops *ops = i->component->ops;
  ssk_scope(b, "%s", key_of(i));
  int code = ops->build(i->self, b, width);
  ssk_unscope(b);
  return code ? ssk_build_fail(b, code, "the mixer could not be built") : ssk_build_code(b);
}

int ssk_transition_build(struct ssk_instance *i, ssk_builder *b, const struct ssk_dims *dims) {
  const struct ssk_transition_ops *ops = i->component->ops;
  if (ops->path_loss || (ops->state_width && ops->state_width(i->self)))
    return ssk_build_fail(b, SSK_ERECIPE, "transition '%s' cannot be a part of another one: it %s",
                          i->component->name,
                          ops->path_loss ? "is a prior of whole paths"
                                         : "has a state of all latents before");
  ssk_scope(b, "%s", key_of(i));
  int code = ops->build(i->self, b, dims);
  ssk_unscope(b);
  return code ? ssk_build_fail(b, code, "the transition could not be built") : ssk_build_code(b);
}

int ssk_network_build(struct ssk_instance *i, ssk_builder *b, const char *name,
                      const struct ssk_network_shape *shape, const struct ssk_variance *variance) {
  if (!i)
    return ssk_build_code(b);
  const struct ssk_network_ops *ops = i->component->ops;
  int code = ops->build(i->self, b, name, shape, variance);
  return code ? ssk_build_fail(b, code, "the network '%s' could not be built", name)
              : ssk_build_code(b);
}

/* ---- running -------------------------------------------------------------------------------- */

/* Rows [from, from + n) of x, or NULL. */
static ssk_tensor *piece_of(ssk_tape *tape, ssk_tensor *x, int from, int n) {
  return x ? ssk_rows(tape, x, from, n) : NULL;
}

static ssk_tensor *denoise_in_pieces(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                     const struct ssk_noisy *in, int rows_at_once) {
  const struct ssk_denoiser_ops *ops = i->component->ops;
  const struct ssk_rows *cond = &in->cond;
  ssk_tape *tape = ctx->tape;
  const int most = rows_at_once / in->M, d = ssk_width(in->noisy);
  ssk_tensor *out = ssk_empty(tape, SSK_SHAPE(cond->n * in->M, d));
  const size_t mark = ssk_tape_mark(tape);
  for (int from = 0, n; from < cond->n && !ssk_tape_code(tape); from += n) {
    n = cond->n - from < most ? cond->n - from : most;
    struct ssk_noisy part = *in;
    part.cond.n = n;
    part.cond.past = piece_of(tape, cond->past, from, n);
    part.cond.state = piece_of(tape, cond->state, from, n);
    part.cond.pad = piece_of(tape, cond->pad, from, n);
    part.cond.u = piece_of(tape, cond->u, from, n);
    part.cond.time = piece_of(tape, cond->time, from, n);
    part.noisy = piece_of(tape, in->noisy, from * in->M, n * in->M);
    part.c_noise = piece_of(tape, in->c_noise, from * in->M, n * in->M);
    const ssk_tensor *F = ops->run(i->self, ctx, &part);
    if (!ssk_tape_code(tape))
      memcpy(out->data + (size_t)(from * in->M) * (size_t)d, F->data, F->count * sizeof *F->data);
    ssk_tape_rewind(tape, mark);
  }
  return out;
}

ssk_tensor *ssk_denoiser_run(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                             const struct ssk_noisy *in) {
  const struct ssk_denoiser_ops *ops = i->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  const bool recorded = ssk_tape_record(ctx->tape, false);
  ssk_tape_record(ctx->tape, recorded);
  const int most = ops->rows_at_once;
  const bool pieces = !recorded && in->M <= most && in->cond.n * in->M > most;
  ssk_tensor *out = pieces ? denoise_in_pieces(i, &inner, in, most) : ops->run(i->self, &inner, in);
  ssk_ctx_leave(ctx);
  return ssk_promised(ctx, i, "run", out, SSK_SHAPE(in->cond.n * in->M, ssk_width(in->noisy)));
}

/* [A, L, N, C] by way of [L, A*N, C]. */
static ssk_tensor *mix_groups(const struct ssk_mixer_ops *ops, const void *self,
                              const struct ssk_ctx *ctx, ssk_tensor *x, bool causal) {
  const int A = x->shape[0], L = x->shape[1], N = x->shape[2], C = x->shape[3];
  const int swap[] = {1, 0, 2, 3};
  ssk_tensor *y = ssk_permute(ctx->tape, x, swap);
  y = ops->run(self, ctx, ssk_reshape(ctx->tape, y, SSK_SHAPE(L, A * N, C)), causal);
  return ssk_permute(ctx->tape, ssk_reshape(ctx->tape, y, SSK_SHAPE(L, A, N, C)), swap);
}

ssk_tensor *ssk_mixer_run(const struct ssk_instance *i, const struct ssk_ctx *ctx, ssk_tensor *x,
                          bool causal) {
  const struct ssk_mixer_ops *ops = i->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *out = x->ndim < 4 || ops->groups ? ops->run(i->self, &inner, x, causal)
                                               : mix_groups(ops, i->self, &inner, x, causal);
  ssk_ctx_leave(ctx);
  return ssk_promised(ctx, i, "run", out, x->ndim, x->shape);
}

ssk_tensor *ssk_network_prepare(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                const struct ssk_network_in *in) {
  const struct ssk_network_ops *ops = i->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *out = ops->prepare(i->self, &inner, in);
  ssk_ctx_leave(ctx);
  return out;
}

struct ssk_gaussian ssk_network_run(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                    const struct ssk_network_in *in,
                                    const struct ssk_variance *variance) {
  const struct ssk_network_ops *ops = i->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  struct ssk_gaussian out = ops->run(i->self, &inner, in, variance);
  ssk_ctx_leave(ctx);
  return out;
}

double ssk_schedule_sigma(const struct ssk_instance *i, double u) {
  const struct ssk_schedule_ops *ops = i->component->ops;
  return ops->sigma(i->self, u);
}

double ssk_schedule_time(const struct ssk_instance *i, double sigma) {
  const struct ssk_schedule_ops *ops = i->component->ops;
  if (ops->time)
    return ops->time(i->self, sigma);
  double lo = 0, hi = 1;
  for (int k = 0; k < 60; k++) {
    double middle = (lo + hi) / 2;
    if (ops->sigma(i->self, middle) < sigma)
      lo = middle;
    else
      hi = middle;
  }
  return (lo + hi) / 2;
}

ssk_tensor *ssk_sampler_run(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                            const struct ssk_sampling *problem) {
  const struct ssk_sampler_ops *ops = i->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *out = ops->run(i->self, &inner, problem);
  ssk_ctx_leave(ctx);
  return out;
}

int ssk_sampler_evaluations(const struct ssk_instance *i, int levels) {
  const struct ssk_sampler_ops *ops = i->component->ops;
  return ops->evaluations(i->self, levels);
}

/* ---- transitions: their state ---------------------------------------------------------------- */

ssk_tensor *ssk_transition_start(const struct ssk_instance *i, const struct ssk_ctx *ctx, int n) {
  const struct ssk_transition_ops *ops = i->component->ops;
  if (!ops->start)
    return ssk_tape_fail(ctx->tape, SSK_EPLUGIN, "transition '%s' has no state",
                         i->component->name);
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *state = ops->start(i->self, &inner, n);
  ssk_ctx_leave(ctx);
  return state;
}

ssk_tensor *ssk_transition_advance(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                   const struct ssk_rows *rows) {
  const struct ssk_transition_ops *ops = i->component->ops;
  if (!ops->advance || !rows->state)
    return ssk_tape_fail(ctx->tape, SSK_EPLUGIN, "transition '%s' has no state",
                         i->component->name);
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *state = ops->advance(i->self, &inner, rows);
  ssk_ctx_leave(ctx);
  return state;
}

/* A transition with a state cannot do without it, and one of whole paths has no steps: what applies
 * it elsewhere must be told. */
static bool lacks_state(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                        const struct ssk_rows *rows) {
  const struct ssk_transition_ops *ops = i->component->ops;
  if (ops->path_loss) {
    ssk_tape_fail(ctx->tape, SSK_ERECIPE,
                  "transition '%s' is a prior of whole paths: it has no single steps",
                  i->component->name);
    return true;
  }
  if (!ops->state_width || rows->state)
    return false;
  ssk_tape_fail(ctx->tape, SSK_ERECIPE,
                "transition '%s' has a state of all latents before: it cannot be applied to a few "
                "of them (model.initial: start begins with its state)",
                i->component->name);
  return true;
}

/* ---- transitions: whole paths ---------------------------------------------------------------- */

const struct ssk_transition_ops *ssk_model_paths(const struct ssk_model *model) {
  const struct ssk_transition_ops *ops = model->experiment->model.transition->component->ops;
  return ops->path_loss ? ops : NULL;
}

ssk_tensor *ssk_path_loss(const struct ssk_ctx *ctx, const struct ssk_path *path) {
  const struct ssk_instance *i = ssk_ctx_transition(ctx);
  const struct ssk_transition_ops *ops = i->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *loss = ops->path_loss(i->self, &inner, path);
  ssk_ctx_leave(ctx);
  return loss;
}

ssk_tensor *ssk_path_sample(const struct ssk_ctx *ctx, const struct ssk_path *path) {
  const struct ssk_instance *i = ssk_ctx_transition(ctx);
  const struct ssk_transition_ops *ops = i->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *z = ops->path_sample(i->self, &inner, path);
  ssk_ctx_leave(ctx);
  return z;
}

struct ssk_path ssk_model_path(const struct ssk_ctx *ctx, const struct ssk_observed *obs,
                               ssk_tensor *z) {
  ssk_tape *tape = ctx->tape;
  const bool copies = ctx->model->copies;
  const int T = ctx->T, d = ctx->dims->d;
  struct ssk_path path = {.size = sizeof path, .T = T, .P = ctx->P, .z = z, .u = obs->u};
  path.known = copies ? obs->mask : ssk_full(tape, SSK_SHAPE(T, ctx->B, d), 1);
  for (int t = 0; obs->alive && !copies && path.known->count && t < T; t++)
    for (int i = 0; i < ctx->B * d; i++)
      path.known->data[t * ctx->B * d + i] = obs->alive->data[t * ctx->B + i / d];
  if (ctx->S > 1) {
    path.known = ssk_repeat(tape, path.known, 1, ctx->S);
    path.u = path.u ? ssk_repeat(tape, path.u, 1, ctx->S) : NULL;
  }
  return path;
}

/* ---- transitions: defaults of a Gaussian one ------------------------------------------------- */

ssk_tensor *ssk_transition_rate(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                const struct ssk_rows *rows) {
  const struct ssk_transition_ops *ops = i->component->ops;
  if (lacks_state(i, ctx, rows))
    return ssk_full(ctx->tape, SSK_SHAPE(rows->n), 0);
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *rate;
  if (ops->rate) {
    rate = ops->rate(i->self, &inner, rows);
  } else if (ops->moments) {
    struct ssk_gaussian q = {rows->mean, rows->logvar};
    rate = ssk_gaussian_kl(ctx->tape, q, ops->moments(i->self, &inner, rows));
  } else {
    ssk_tensor *log_prob = ops->log_prob(i->self, &inner, rows);
    rate = ssk_sub(ctx->tape, rows->log_q,
                   ssk_promised(ctx, i, "log_prob", log_prob, SSK_SHAPE(rows->n)));
  }
  ssk_ctx_leave(ctx);
  return ssk_promised(ctx, i, "rate", rate, SSK_SHAPE(rows->n));
}

ssk_tensor *ssk_transition_sample(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                  const struct ssk_rows *rows) {
  const struct ssk_transition_ops *ops = i->component->ops;
  if (lacks_state(i, ctx, rows))
    return ssk_full(ctx->tape, SSK_SHAPE(rows->n), 0);
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *sample;
  if (ops->sample) {
    sample = ops->sample(i->self, &inner, rows);
  } else {
    ssk_tensor *noise =
        ssk_ctx_normal(&inner, "sample", rows->index, SSK_SHAPE(rows->n, ctx->dims->d));
    sample = ssk_reparam(ctx->tape, ops->moments(i->self, &inner, rows), noise);
  }
  ssk_ctx_leave(ctx);
  return ssk_promised(ctx, i, "sample", sample, SSK_SHAPE(rows->n, ctx->dims->d));
}

ssk_tensor *ssk_transition_log_prob(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                    const struct ssk_rows *rows) {
  const struct ssk_transition_ops *ops = i->component->ops;
  if (lacks_state(i, ctx, rows))
    return ssk_full(ctx->tape, SSK_SHAPE(rows->n), 0);
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *log_prob;
  if (ops->log_prob)
    log_prob = ops->log_prob(i->self, &inner, rows);
  else if (ops->moments)
    log_prob = ssk_gaussian_log_prob(ctx->tape, rows->z, ops->moments(i->self, &inner, rows), NULL);
  else
    log_prob =
        ssk_tape_fail(ctx->tape, SSK_EPLUGIN, "transition '%s' has no density", i->component->name);
  ssk_ctx_leave(ctx);
  return ssk_promised(ctx, i, "log_prob", log_prob, SSK_SHAPE(rows->n));
}

int ssk_transition_stats(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                         const struct ssk_rows *rows, struct ssk_figure *figures) {
  const struct ssk_transition_ops *ops = i->component->ops;
  if (!ops->stats)
    return 0;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  int n = ops->stats(i->self, &inner, rows, figures);
  ssk_ctx_leave(ctx);
  if (n < 0 || n > SSK_MAX_FIGURES) {
    ssk_tape_fail(ctx->tape, SSK_EPLUGIN, "transition '%s': stats gives %d figures, of at most %d",
                  i->component->name, n, SSK_MAX_FIGURES);
    return 0;
  }
  return n;
}

struct ssk_gaussian ssk_transition_moments(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                           const struct ssk_rows *rows) {
  const struct ssk_transition_ops *ops = i->component->ops;
  if (!ops->moments)
    return (struct ssk_gaussian){NULL, NULL};
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  struct ssk_gaussian moments = ops->moments(i->self, &inner, rows);
  ssk_ctx_leave(ctx);
  return moments;
}

int ssk_transition_evaluations(const struct ssk_instance *i) {
  const struct ssk_transition_ops *ops = i->component->ops;
  return ops->evaluations ? ops->evaluations(i->self) : 1;
}
