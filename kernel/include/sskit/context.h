/* SPDX-License-Identifier: GPL-3.0-or-later */
/* context.h - what a model component is told: sizes, the pass, observations, conditioning rows.
 * Part of plugin.h. */
#ifndef SSKIT_CONTEXT_H
#define SSKIT_CONTEXT_H

#include <sskit/rng.h>
#include <sskit/tape.h>
#include <sskit/weights.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SSK_MAX_ORDER = 64 }; /* of the Markov order j; the row of model.order says so, too */

/* Sizes, known before any weight is declared. */
struct ssk_dims {
  size_t size;
  int D; /* observation */
  int V; /* time-varying covariates; 0: none */
  int E; /* static covariates; 0: none */
  int d; /* latent */
  int j; /* Markov order: past latents that a step sees */
  int H; /* width of the summaries, side by side, as the encoder gets them */
  int W; /* width of the transition's state; 0: it has none, it is Markov of order j */
  int F; /* time features; 0: none */
  int T; /* steps of a training window */
};

/* One pass of one shard. Made by the kernel; read-only for plugins. */
struct ssk_ctx {
  size_t size;
  ssk_tape *tape;
  const struct ssk_dims *dims;
  bool training;   /* false: evaluation, sampling (the tape may not record) */
  double progress; /* fraction of the training steps done, 0...1; 1 in evaluation */
  double share;    /* this shard's share of the batch: batch means are sum of share*mean */
  /* Steps, series, paths a series, and P = B*S; row p is path p%S of series p/S. T counts all steps
   * of the pass, also where they come in parts. */
  int T, B, S, P;
  uint64_t seed;                     /* of the recipe */
  uint32_t step;                     /* training step: names the random numbers */
  uint32_t shard;                    /* shard: names the random numbers */
  const char *path;                  /* of the component that runs: names the random numbers */
  const struct ssk_weights *weights; /* see weights.h */
  ssk_real *gradient;                /* of this shard; NULL in evaluation */
  ssk_tensor *leaves;                /* a header for each weight; see ssk_use */
  const struct ssk_model *model;     /* opaque */
};

/* The random stream of the running component for this pass. Different purposes, and different
 * indices (a time step, a draw), give independent streams. */
SSK_API ssk_rng ssk_ctx_rng(const struct ssk_ctx *ctx, const char *purpose, uint32_t index);
/* Standard normals [shape] from that stream: the usual way to draw. */
SSK_API ssk_tensor *ssk_ctx_normal(const struct ssk_ctx *ctx, const char *purpose, uint32_t index,
                                   int ndim, const int *shape);
/* The same without the first `skipped` of them: a part of a larger draw. */
SSK_API ssk_tensor *ssk_ctx_normal_from(const struct ssk_ctx *ctx, const char *purpose,
                                        uint32_t index, uint64_t skipped, int ndim,
                                        const int *shape);
/* Show what was made of the numbers of ssk_ctx_rng to whoever records this pass (`sskit bench
 * --export`); most passes nobody does. ssk_ctx_normal shows its normals by itself. */
SSK_API void ssk_ctx_show_draw(const struct ssk_ctx *ctx, const char *purpose, uint32_t index,
                               const ssk_tensor *values);

/* A shard's observations: time-major, standardised when the recipe says so. */
struct ssk_observed {
  size_t size;
  ssk_tensor *x;     /* [T, B, D]; zero where missing */
  ssk_tensor *mask;  /* [T, B, D]; 1 observed, 0 missing */
  ssk_tensor *u;     /* [T, B, V], or NULL when V = 0 */
  ssk_tensor *s;     /* [B, E], or NULL when E = 0 */
  ssk_tensor *time;  /* [T, B, F], or NULL when F = 0 */
  ssk_tensor *alive; /* [T, B] 1 for the steps that count: up to the end of each series, but at
                        least j (a series of fewer steps is one of j whose last are missing); NULL:
                        all last T steps */
  /* Of all steps of the pass, means over its series, as in struct ssk_bound. */
  double entries, log_jacobian;
  ssk_tensor *z; /* [T, B, d] true latents, standardised when the recipe says so; NULL unless
                    the encoder takes them */
};

/* n conditioning rows, and for `rate` the targets. Tensors that do not apply are NULL. */
struct ssk_rows {
  size_t size;
  int n;
  ssk_tensor *past;   /* [n, j*d] latents, oldest first; zero where padded */
  ssk_tensor *state;  /* [n, W] the transition's state before the rows' step, or NULL; that before
                         the  step's latent for emissions, too */
  ssk_tensor *x;      /* [n, D] the step's observation, for `advance`; NULL: not known */
  ssk_tensor *mask;   /* [n, D] 1 where it was observed */
  ssk_tensor *pad;    /* [n, j] 1 where the slot is padding; NULL: no row has padding */
  ssk_tensor *u;      /* [n, V] covariates of the step, or NULL */
  ssk_tensor *time;   /* [n, F] time features of the step, or NULL */
  ssk_tensor *z;      /* [n, d] the encoder's sample; targets of rate and log_prob */
  ssk_tensor *mean;   /* [n, d] the encoder's moments, for rate; NULL for log_prob */
  ssk_tensor *logvar; /* [n, d] */
  ssk_tensor *log_q;  /* [n] log q(z | ...), for rate */
  ssk_tensor *alive;  /* [n] 0 where the series has ended before, for rate; NULL: nowhere */
  uint32_t index;     /* names the rows' random numbers: hand it to ssk_ctx_rng */
  /* Long series go through `rate` and `log_prob` in parts: these are the rows from `first` on of
   * `total` with one index. What is drawn must be what a call with all of them draws for these (see
   * ssk_ctx_normal_from). A total of 0 stands for n. */
  int first, total;
  /* Which step of the pass, counted from 0, the rows are of: the first `width` of them of `step`,
   * the next of the step after it, and so on. A width of 0 stands for n: all are of one step. A
   * forecast goes on counting where its history ends. */
  int step, width;
};

static inline int ssk_rows_total(const struct ssk_rows *rows) {
  return rows->total ? rows->total : rows->n;
}
/* The step of row i. */
static inline int ssk_rows_step(const struct ssk_rows *rows, int i) {
  return rows->step + (rows->width ? i / rows->width : 0);
}

#ifdef __cplusplus
}
#endif
#endif
