/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scoring.h - the slots of what scores a model: the objective in training, metrics in evaluation.
 * Part of plugin.h. */
#ifndef SSKIT_SCORING_H
#define SSKIT_SCORING_H

#include <sskit/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- objective ------------------------------------------------------------------------------ */

/* What an objective needs besides the parts of the bound. */
enum ssk_bound_needs {
  SSK_NEEDS_STEPS = 1,     /* the transition's rate step by step */
  SSK_NEEDS_REFERENCE = 2, /* the rate of all latents against N(0, I) */
  SSK_NEEDS_WEIGHT = 4,    /* the importance weight of each path */
  SSK_NEEDS_PARTICLES = 8, /* the likelihood by a particle filter */
};

/* The parts of the bound of a shard, a value a path: [P], in nats, summed over time. */
struct ssk_bound {
  size_t size;
  ssk_tensor *distortion; /* -log p(x | z) of the data as the model sees them */
  ssk_tensor *initial;    /* rate of z_{1:j} */
  ssk_tensor *transition; /* rate of the rest */
  /* In training for an objective that needs them, else NULL. */
  ssk_tensor *steps; /* [T-j, P] whose sum over time is `transition`; 0 where there is no step */
  ssk_tensor *alive; /* [T-j, P] 1 where there is one; NULL: there are all */
  ssk_tensor *reference;  /* [P] sum over t of KL(q(z_t | .) || N(0, I)) */
  ssk_tensor *log_weight; /* [P] log p(x, z) - log q(z | x) */
  /* [P] log of an estimate without bias of p(x), the same for the paths of a series: these are the
   * particles, the encoder's steps the proposals, and particles are drawn again where the objective
   * says so (`resample_below`). */
  ssk_tensor *log_likelihood;
  /* Means over the shard's series: observed entries; and the log density of the data in their own
   * units over that of what the model sees: distortion - log_jacobian is in the data's own units.
   */
  double entries, log_jacobian;
};

struct ssk_objective_ops {
  size_t size;
  /* [P]: the loss of each path; the kernel minimises its mean over the batch. */
  ssk_tensor *(*loss)(const void *self, const struct ssk_ctx *ctx, const struct ssk_bound *bound);
  unsigned needs; /* of enum ssk_bound_needs, or-ed */
  /* [optional] Declare running statistics: what an objective must remember from step to step. */
  int (*build)(void *self, ssk_builder *b);
  /* With SSK_NEEDS_PARTICLES: the particles of a series are drawn again where their effective
   * number is under this share of them. */
  double (*resample_below)(const void *self);
  /* [optional] The weight of the rate beside that of the distortion, for the log, before the step
   * that ctx->step and ctx->progress name (ssk_peek is allowed, the tape is not). */
  double (*lambda)(const void *self, const struct ssk_ctx *ctx);
  /* [optional] The parts that are trained, a set of enum ssk_parts, when so much of the training is
   * done (ctx->progress); default: all. The others rest: weights, running statistics, averages and
   * the optimiser's moments stay as they are. Where a part begins to be trained that rested in the
   * step before, the optimiser is rebuilt: the moments of all that is trained start anew. */
  unsigned (*trains)(const void *self, double progress);
};

/* ---- metric --------------------------------------------------------------------------------- */

enum ssk_needs {
  SSK_NEEDS_SAMPLES = 1,     /* forecast paths */
  SSK_NEEDS_BOUND = 2,       /* the bound on the series */
  SSK_NEEDS_ORACLE = 4,      /* a data set with an oracle and ground-truth latents */
  SSK_NEEDS_LIKELIHOOD = 8,  /* the importance-weighted likelihood of the series */
  SSK_NEEDS_TRANSITION = 16, /* one step of the latents, from the last of the history */
  SSK_NEEDS_POSTERIOR = 32,  /* what is inferred of a series from all that is observed of it */
};

/* What a forecaster infers of a series from everything that is observed of it (smoothing, and
 * imputation of what is missing), beside what is known of the truth. In the data's own units. */
struct ssk_smoothing {
  size_t size;
  int length;             /* of the series */
  const double *x;        /* [length, D] the series */
  const double *observed; /* [length, D] 1: an entry that was seen */
  const double *hidden;   /* [length, D] 1: an entry that was held out; x is its true value. NULL:
                             none was */
  const double *paths;    /* [samples, length, D] observations drawn given what was seen */
  const double *mean;     /* [length, D] posterior mean of the observation without its noise */
  const double *signal;   /* [length, D] the true observation without its noise, or NULL */
  const double *exact;    /* [length, D] its exact posterior mean (Kalman smoother), or NULL */
};

/* One evaluated series, in the data's own units. Borrowed, valid during the call. */
struct ssk_case {
  size_t size;
  int D, context, horizon, samples; /* context 0: the series is too short for a forecast */
  int lead; /* steps between the history and the truth: 0, but where a later step of a forecast is
               taken alone */
  const double *history;           /* [context, D] */
  const double *history_mask;      /* [context, D] */
  const double *truth;             /* [horizon, D] */
  const double *truth_mask;        /* [horizon, D] */
  const double *paths;             /* [samples, horizon, D] forecast samples, or NULL */
  const double *z_last;            /* [latent] true latent of the last context step, or NULL */
  const struct ssk_oracle *oracle; /* or NULL */
  const void *oracle_self;
  bool has_bound; /* the next three, in nats, summed over the whole series */
  double distortion, rate_initial, rate_transition;
  int bound_length;      /* steps they were summed over */
  bool has_likelihood;   /* the next two, of the series' leading steps */
  double log_likelihood; /* in nats */
  int likelihood_length; /* steps */
  /* Of the paths it was estimated from: how many count, and the shape of their weights' tail. NaN
   * where the likelihood is not importance-weighted. */
  double effective_paths, pareto_k;
  /* The transition alone: from the latents of the history's last steps, what it draws for the next
   * one, in the units of the ground truth where the row's latents are the true ones. */
  bool has_transition;
  int latents, draws;
  const double *next_latent;  /* [latents] the latent that followed */
  const double *transition;   /* [draws, latents] of the row's transition, given its past */
  const double *kernel;       /* [draws, latents] of the exact one, given the true state z_last;
                                 NULL where the row's latents are not the true ones */
  double transition_log_prob; /* log p(next_latent | past), nats; NaN where it has no density */
  const struct ssk_smoothing *smoothing; /* or NULL */
};

enum { SSK_METRIC_TERMS = 4 };

struct ssk_metric_ops {
  size_t size;
  unsigned needs; /* of enum ssk_needs, or-ed: a case without them is not shown to the metric */
  /* The series' value; NaN when it has none (nothing observed). Means and standard errors over
   * series are the kernel's. NULL where the figure is pooled (`terms`). */
  double (*value)(const void *self, const struct ssk_case *c);
  /* Definition and estimator settings in one line, into `text`: two figures are comparable only if
   * these agree. */
  void (*definition)(const void *self, char *text, size_t n);
  int better; /* -1: lower is better, +1: higher, 0: nearer to `ideal` */
  double ideal;
  const char *unit; /* "nats/step", "data", "1" */
  /* [optional] Names of metrics, ended by NULL, that are shown beside this one, asked for or not:
   * what says how far it can be trusted. */
  const char *const *beside;
  /* [optional] Of a metric whose ideal value is a parameter: replaces `ideal`. */
  double (*target)(const void *self);
  /* [optional] Of a figure of all series together, a function of sums such as a ratio: instead of
   * `value`, `accumulate` writes the series' terms[terms] (false: it has none), and `finish` gives
   * the figure from their means over series, with its gradient[terms] by them. A series' value is
   * then figure + gradient . (its terms - means), the linearisation whose mean is the figure and
   * whose standard error is the delta method's. NaN: the figure does not exist. */
  int terms; /* 0: none; at most SSK_METRIC_TERMS */
  bool (*accumulate)(const void *self, const struct ssk_case *c, double *terms);
  double (*finish)(const void *self, const double *means, double *gradient);
};

#ifdef __cplusplus
}
#endif
#endif
