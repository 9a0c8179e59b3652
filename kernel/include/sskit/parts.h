/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parts.h - the slots of the parts of a model: summary, encoder, emission, initial prior,
 * transition, and the network that any of them may have. Part of plugin.h. */
#ifndef SSKIT_PARTS_H
#define SSKIT_PARTS_H

#include <sskit/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- summary -------------------------------------------------------------------------------- */

/* The future summary F_phi: h_t is a function of the inputs from t on. The kernel concatenates the
 * inputs [x*m, m, u, time, s], reverses time (but for a summary of the past, model.history), and
 * flips the result back: a summary only has to be causal along the first axis. Each series is
 * reversed by its own length, so that what fills up a shorter one comes last. */
struct ssk_summary_ops {
  size_t size;
  /* Declare weights for inputs of width `in`; write the width of the result to *out. */
  int (*build)(void *self, ssk_builder *b, const struct ssk_dims *dims, int in, int *out);
  ssk_tensor *(*run)(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x); /* [T,B,in] ->
                                                                                      [T,B,out] */
  /* [optional, both or none] The same in parts, so that long series need not be in memory at once:
   * x holds some of the steps, `state` [B, W] what *next was in the call before (zeros at first).
   * `state_width` is W. All parts together give what `run` gives. */
  ssk_tensor *(*run_part)(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x,
                          ssk_tensor *state, ssk_tensor **next);
  int (*state_width)(const void *self);
};

/* ---- encoder -------------------------------------------------------------------------------- */

struct ssk_encoder_step {
  size_t size;
  int t;              /* 0-based step */
  struct ssk_rows in; /* n = P: past, pad, u, time */
  ssk_tensor *h;      /* [P, .] what `prepare` returned for this step; else the summary [P, H] */
  ssk_tensor *x;      /* [P, D] the step's observation and mask */
  ssk_tensor *mask;
  ssk_tensor *z; /* [P, d] the step's true latents, where `truth` is set; else NULL */
};

struct ssk_encoder_ops {
  size_t size;
  int (*build)(void *self, ssk_builder *b, const struct ssk_dims *dims);
  /* [optional] Work for many steps at once, on B rows a step: h [n, B, H] -> [n, B, anything]. Each
   * step is worked on by itself: long series come in parts. */
  ssk_tensor *(*prepare)(const void *self, const struct ssk_ctx *ctx,
                         const struct ssk_observed *obs, ssk_tensor *h);
  /* q(z_t | past, h_t): mean and log variance [P, d]. */
  struct ssk_gaussian (*posterior)(const void *self, const struct ssk_ctx *ctx,
                                   const struct ssk_encoder_step *step);
  /* It takes the true latents of a data set, which must have as many as the model: the model's
   * latents are then those of the data, and its transition can be scored against the exact one. */
  bool truth;
  /* Its latents are the observations, as many and the same: then they are known where these are
   * observed. Needs an emission that gives them back, and a transition of whole paths. */
  bool copies;
};

/* ---- emission ------------------------------------------------------------------------------- */

/* p(x_t | z_{t-j+1:t}). In `in`, `past` holds z_{t-j+1:t}: the newest last. */
struct ssk_emission_ops {
  size_t size;
  int (*build)(void *self, ssk_builder *b, const struct ssk_dims *dims);
  /* [n]: log p(x | z), summed over the observed entries of x [n, D]. In nats. */
  ssk_tensor *(*log_prob)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in,
                          ssk_tensor *x, ssk_tensor *mask);
  /* [optional] [n, D]: a draw. Absent where observations are not modelled: then there are neither
   * forecasts nor bounds of them. */
  ssk_tensor *(*sample)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in);
  /* [optional] E[x | z], [n, D]; default: not available. */
  ssk_tensor *(*mean)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in);
  bool discrete; /* x must not be standardised (binary, counts) */
  /* [optional] NULL where x can be observed, else what an observation must be ("0 or 1"). Asked for
   * each observed entry when the data are read: log_prob need not check. */
  const char *(*refuse)(const void *self, double x);
  bool copies; /* the observation is the latent, of an encoder that copies it: log_prob is zero */
};

/* ---- initial -------------------------------------------------------------------------------- */

/* The first j latents of P paths. */
struct ssk_first {
  size_t size;
  ssk_tensor *z, *mean, *logvar; /* [j, P, d] */
  ssk_tensor *log_q;             /* [P] summed over the j steps */
};

struct ssk_initial_ops {
  size_t size;
  int (*build)(void *self, ssk_builder *b, const struct ssk_dims *dims);
  /* [P]: an estimate of (a bound on) E_q[log q(z_{1:j}) - log p(z_{1:j})]. */
  ssk_tensor *(*rate)(const void *self, const struct ssk_ctx *ctx, const struct ssk_first *first);
  ssk_tensor *(*sample)(const void *self, const struct ssk_ctx *ctx, int P); /* [j, P, d] */
  /* [optional] [P]: log of p(first->z), or of an estimate of p without bias; for likelihoods. Only
   * first->z is given. */
  ssk_tensor *(*log_prob)(const void *self, const struct ssk_ctx *ctx,
                          const struct ssk_first *first);
};

/* ---- transition ----------------------------------------------------------------------------- */

/* A figure that a component reports of itself; the name in lower case, as keys of logs are. */
struct ssk_figure {
  const char *name;
  double value;
};
enum { SSK_MAX_FIGURES = 8 };

/* Whole paths of latents, time-major, that are known in part. */
struct ssk_path {
  size_t size;
  int T, P;
  ssk_tensor *z;     /* [T, P, d]; zero where it is not known */
  ssk_tensor *known; /* [T, P, d] 1 where it is, else 0 */
  ssk_tensor *u;     /* [T, P, V] covariates, or NULL */
  uint32_t index;    /* names the random numbers */
};

/* p(z_t | z_{t-j:t-1}). Needs `build`, and either `moments` (a Gaussian: everything else follows),
 * or a way to train (`rate` or `log_prob`) and `sample`. */
struct ssk_transition_ops {
  size_t size;
  int (*build)(void *self, ssk_builder *b, const struct ssk_dims *dims);
  /* [optional] [n]: an estimate of (a bound on) E_q[log q(z) - log p(z | past)]. Default: the
   * closed form KL from `moments`, else log_q - log_prob at the sample. */
  ssk_tensor *(*rate)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows);
  /* [optional] [n, d]: a draw for rows of one step. Default: from `moments`. */
  ssk_tensor *(*sample)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows);
  /* [optional] [n]: log p(rows->z | past). Default: from `moments`. */
  ssk_tensor *(*log_prob)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows);
  /* [optional] Of a Gaussian transition: mean and log variance [n, d]. */
  struct ssk_gaussian (*moments)(const void *self, const struct ssk_ctx *ctx,
                                 const struct ssk_rows *rows);
  /* [optional] Network evaluations that one draw costs; default 1. */
  int (*evaluations)(const void *self);
  /* [optional, all or none] A transition that sees more than j latents keeps a state of them: a
   * deterministic function of all latents (and observations) before, of width W, which
   * `rows->state` gives to the slots above. It is known from the parameters alone. */
  int (*state_width)(const void *self);
  /* [n, W]: before the first latent. */
  ssk_tensor *(*start)(const void *self, const struct ssk_ctx *ctx, int n);
  /* [n, W]: what `state` becomes by the latent rows->z of the rows' step, and its observation. */
  ssk_tensor *(*advance)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows);
  /* [optional] Figures by which a training is watched (docs/health.md), as means over these rows of
   * one step, of which past, u and time are given: at most SSK_MAX_FIGURES into `figures`; returns
   * how many. The same names in the same order at each call with the same weights. */
  int (*stats)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows,
               struct ssk_figure *figures);
  /* [both or none] A prior of the whole path z_{1:T} at once instead of step by step; then none of
   * the slots above but `build` and `evaluations` (of a draw of the whole path). It stands for the
   * initial prior, too. A model that has it gives neither bounds nor likelihoods, and its passes
   * are not cut into segments. */
  /* [P]: what is minimised to train it, on what is known of the paths. */
  ssk_tensor *(*path_loss)(const void *self, const struct ssk_ctx *ctx,
                           const struct ssk_path *path);
  /* [T, P, d]: what is not known drawn given what is. The tape does not record. */
  ssk_tensor *(*path_sample)(const void *self, const struct ssk_ctx *ctx,
                             const struct ssk_path *path);
};

/* ---- network ------------------------------------------------------------------------------- */

/* The network of a conditional Gaussian: from what a step is conditioned on to the step's mean and
 * log variance. Encoders, emissions, priors and transitions differ in what they are conditioned on,
 * not in how a network may look: each says which of these inputs it has, and its recipe key
 * `network` says what is made of them. */
struct ssk_network_shape {
  size_t size;
  int slots, width; /* past latents, and their dimension */
  int lag;          /* steps from the newest of them to the step that u and time belong to */
  bool pad;         /* whether slots may be padding */
  int now;          /* width of whatever else depends on the path */
  int u;            /* width of the covariates; 0: none, here and below */
  int time;         /* width of the time features */
  int known;        /* width of what is known of the step before any path is drawn: a summary */
  int outputs;
};

struct ssk_network_in {
  size_t size;
  struct ssk_rows rows; /* n, past, pad, u, time */
  ssk_tensor *now;      /* [n, now], or NULL */
  ssk_tensor *known;    /* [n, known], or NULL */
  ssk_tensor *prepared; /* [n, .] what `prepare` made of u, time and known; then these are NULL */
};

struct ssk_network_ops {
  size_t size;
  /* Declare weights, all named `name`.something. The variance says where the log variance starts;
   * NULL: only the mean is asked for. */
  int (*build)(void *self, ssk_builder *b, const char *name, const struct ssk_network_shape *shape,
               const struct ssk_variance *variance);
  /* For recursions over paths: the work on u, time and known [.., .] that can be done for all steps
   * at once, ahead; [.., anything]. run on what it returns equals run on its inputs. */
  ssk_tensor *(*prepare)(const void *self, const struct ssk_ctx *ctx,
                         const struct ssk_network_in *in);
  /* Mean and log variance [n, outputs]; the log variance is NULL where it was not asked for. The
   * limits may differ from those of the build (a floor that is annealed). */
  struct ssk_gaussian (*run)(const void *self, const struct ssk_ctx *ctx,
                             const struct ssk_network_in *in, const struct ssk_variance *variance);
};

#ifdef __cplusplus
}
#endif
#endif
