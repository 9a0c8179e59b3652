/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model.h - the assembled state-space model: its bound on a shard of data, and its building blocks
 * for forecasting. It knows kinds, never names. */
#ifndef SSK_MODEL_MODEL_H
#define SSK_MODEL_MODEL_H

#include "model/data.h"
#include "model/store.h"
#include <sskit/plugin.h>

/* A summary of the model, as the encoder sees it: columns [from, from + width) of h. */
struct ssk_reading {
  const struct ssk_instance *summary;
  bool reversed; /* it reads time backwards: the future; else forwards: the past */
  int from, width;
};
enum { SSK_MAX_READINGS = 2 };

struct ssk_model {
  const struct ssk_experiment *experiment; /* borrowed */
  bool truth;                              /* its latents are the true ones of the data */
  bool copies;                             /* they are the observations */
  struct ssk_dims dims;
  int summary_in; /* width of what a summary reads */
  int n_readings; /* 1 of the future, and where there is one, the history's */
  struct ssk_reading reading[SSK_MAX_READINGS];
  struct ssk_layout layout;
  struct ssk_arena arena;
};

/* Declare all weights. `data` gives the sizes. */
int ssk_model_build(const struct ssk_experiment *experiment, const struct ssk_data *data,
                    struct ssk_model **out, ssk_err *err);
void ssk_model_free(struct ssk_model *model);

/* One thread's workspace for passes of one shard: a tape and the leaves on it. */
struct ssk_pass {
  struct ssk_ctx ctx;
  struct ssk_weights weights;
  ssk_err *err; /* owned */
};
/* values: layout.total entries, borrowed, may be changed between passes. */
int ssk_pass_init(struct ssk_pass *pass, const struct ssk_model *model, ssk_real *values);
void ssk_pass_free(struct ssk_pass *pass);
/* Start a pass: resets tape and leaves, sets the sizes. gradient: layout.total entries to add into,
 * or NULL (then the tape does not record). */
void ssk_pass_begin(struct ssk_pass *pass, int T, int B, int S, ssk_real *gradient);
/* In the midst of a pass: from now on add into this gradient, or record nothing. */
void ssk_pass_record(struct ssk_pass *pass, ssk_real *gradient);

/* Steps of a pass that is to see the first `steps` of a series of `length`: so many, but at least
 * the j of the initial prior where that is all there is of it. */
static inline int ssk_pass_steps(const struct ssk_dims *dims, int steps, int length) {
  return steps == length && steps < dims->j ? dims->j : steps;
}

/* Observations of B windows of length T as tensors, standardised. */
struct ssk_observed ssk_observe(const struct ssk_pass *pass, const struct ssk_data *data,
                                enum ssk_split split, const struct ssk_window *windows);

/* Covariates and time features of step t of one series, for all P paths of the pass, into rows. */
void ssk_model_known(const struct ssk_pass *pass, const struct ssk_data *data, enum ssk_split split,
                     int64_t series, int t, struct ssk_rows *rows);
/* The same with covariates u[V] of that step, in the model's units; V = 0: not read. */
void ssk_model_known_as(const struct ssk_pass *pass, const double *u, int t, struct ssk_rows *rows);

/* The parts of the bound of a pass, each [P], in nats of standardised data. */
struct ssk_bound ssk_model_bound(const struct ssk_pass *pass, const struct ssk_observed *obs);
/* log p(x, z) - log q(z | x) of each path of the encoder, [P], in nats of standardised data. Only
 * where the initial prior and the transition have densities; that of a transition may be for
 * evaluation only. */
ssk_tensor *ssk_model_log_weight(const struct ssk_pass *pass, const struct ssk_observed *obs);

/* ---- segments: the steps [from, from + n) of a pass -------------------------------------------
 */

/* A segment knows of the steps before it no more than j latents, and of those after it no more than
 * h. The bound of a pass is the sum over its segments; what is drawn for a segment is what a single
 * segment with all steps draws. segments.h goes through a pass with little memory. */
/* What a path carries from step to step are its latent and, beside it, the transition's state after
 * it: [P, d + W]. */
struct ssk_particles {
  ssk_tensor *latents;    /* [j, P, d+W] carried by the last j steps, oldest first */
  ssk_tensor *log_weight; /* [P], of the paths of a series those of a distribution */
};
struct ssk_segment {
  int from, n;             /* the first has at least j steps */
  struct ssk_observed obs; /* of these steps */
  ssk_tensor *h;           /* [n, B, H] summaries of the future and the past, side by side */
  ssk_tensor *before;      /* [j, P, d+W] carried by the steps before, oldest first: at step 0, of
                              ssk_model_before */
  struct ssk_particles particles; /* before it; only where the objective needs them */
};

/* The same steps of the tensors of a pass. Views. */
struct ssk_observed ssk_observed_part(ssk_tape *tape, const struct ssk_observed *obs, int from,
                                      int n);

/* Steps that count of each of the B series of a pass, [B], in the tape; NULL: all T of each. */
const int *ssk_observed_lengths(const struct ssk_ctx *ctx, const struct ssk_observed *obs);
/* Where the reversed time of a series with `length` steps has step r: it begins with the last one,
 * so that h_t is a function of this series from t on alone, and what is not of the series comes
 * behind it. Its own inverse. */
static inline int ssk_reversed_step(int length, int r) {
  return r < length ? length - 1 - r : r;
}
/* The steps [from, from + n) of each series' reversed time; lengths: of ssk_observed_lengths. */
struct ssk_observed ssk_observed_reversed(const struct ssk_ctx *ctx, const struct ssk_observed *obs,
                                          const int *lengths, int from, int n);

/* A summary [n, B, its width] of n steps, in and out in the order in which it reads time. Where it
 * can run in parts, `state` is what *next was for the part before (zeros for the first), [B, its
 * state's width]; NULL: these are all steps. */
ssk_tensor *ssk_model_summary(const struct ssk_pass *pass, const struct ssk_reading *reading,
                              const struct ssk_observed *in_order, ssk_tensor *state,
                              ssk_tensor **next);

/* All steps of a pass as one segment, with their summary and nothing before them. */
struct ssk_segment ssk_model_whole(const struct ssk_pass *pass, const struct ssk_observed *obs);

/* Before the first step: latents are zero, the transition's state is its start. */
ssk_tensor *ssk_model_before(const struct ssk_ctx *ctx);
/* The latents z [P, d] of the rows' step with what the transition's state becomes by them and by
 * the step's observation, x and mask [P, D] (mask NULL: all of it). */
ssk_tensor *ssk_model_carry(const struct ssk_ctx *ctx, const struct ssk_rows *rows, ssk_tensor *z,
                            ssk_tensor *x, ssk_tensor *mask);
/* The same latents with the state that was before them: where the observation is to be drawn. */
ssk_tensor *ssk_model_carry_on(const struct ssk_ctx *ctx, const struct ssk_rows *rows,
                               ssk_tensor *z);

/* The encoder's paths: z, mean, logvar [n, P, d], log_q [n, P]; carried [j + n, P, d + W]; its
 * parts are history [j + n, P, d] and state [j + n, P, W], or NULL. In all, n steps come behind the
 * latents before. */
struct ssk_posterior {
  ssk_tensor *carried, *history, *state, *z, *mean, *logvar, *log_q;
};
struct ssk_posterior ssk_segment_encode(const struct ssk_pass *pass,
                                        const struct ssk_segment *segment);
/* Rows of the emission at all n steps of the segment, n*P, step by step. */
struct ssk_rows ssk_segment_emission(const struct ssk_ctx *ctx, const struct ssk_segment *segment,
                                     const struct ssk_posterior *q);
/* The segment's share of ssk_model_log_weight, [P]. */
ssk_tensor *ssk_segment_log_weight(const struct ssk_pass *pass, const struct ssk_segment *segment,
                                   const struct ssk_posterior *q);
/* The segment's share of the parts of the bound, and of what the objective needs of them: `steps`
 * are those of its steps that have a transition, NULL where there are none. */
struct ssk_bound ssk_segment_bound(const struct ssk_pass *pass, const struct ssk_segment *segment,
                                   const struct ssk_posterior *q);
/* A set of enum ssk_bound_needs: of the objective in training, else empty. */
unsigned ssk_objective_needs(const struct ssk_ctx *ctx);
/* The segment's share of log Z, [P], the same for the S paths of a series, by a particle filter
 * whose proposals are the encoder's steps: their mean weights have the expectation p(x) (Gordon,
 * Salmond and Smith 1993; as a bound: FIVO, Maddison et al. 2017; AESMC, Le et al. 2018). Particles
 * are drawn again before a step, by systematic resampling, where their effective number is under
 * the share `below` of S. The first j steps are one. *after: the particles at its end. The gradient
 * goes through the particles, not through the choice of their ancestors. */
ssk_tensor *ssk_segment_particles(const struct ssk_pass *pass, const struct ssk_segment *segment,
                                  double below, struct ssk_particles *after);
/* Before the first step. */
struct ssk_particles ssk_particles_begin(const struct ssk_ctx *ctx);
/* `resample_below` of the objective. */
double ssk_objective_resampling(const struct ssk_ctx *ctx);
/* Add what is known of the bound of all steps from the observations alone. */
void ssk_bound_complete(const struct ssk_pass *pass, const struct ssk_observed *obs,
                        struct ssk_bound *bound);

/* ---- rows ------------------------------------------------------------------------------------ */

/* Conditioning rows of P paths at one step (0-based). newest[0], newest[-1] ... newest[1-j] are
 * what `step` and those before it carried, [P, d + W]; before step 0: of ssk_model_before. For a
 * transition to step t, `step` is t-1; for the emission of step t it is t. Covariates and time
 * features are the caller's to set. */
struct ssk_rows ssk_model_rows(const struct ssk_pass *pass, ssk_tensor *const *newest, int step);

/* Sinusoidal features of the absolute steps from[b]...from[b]+n-1, each repeated for `repeat`
 * paths: [n, B*repeat, F]; NULL when F = 0. Vaswani et al. 2017, section 3.5. */
ssk_tensor *ssk_model_time(const struct ssk_pass *pass, const int *from, int B, int n, int repeat);

/* Mean and log variance [n, d] of a Gaussian transition; NULL and NULL where it is none. */
struct ssk_gaussian ssk_transition_moments(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                           const struct ssk_rows *rows);

/* x, if it has the shape that the component's kind promises of `slot`; else the tape fails and
 * names the component. x may be NULL, which is no shape. */
ssk_tensor *ssk_promised(const struct ssk_ctx *ctx, const struct ssk_instance *i, const char *slot,
                         ssk_tensor *x, int ndim, const int *shape);
/* The slots of the model's emission, initial prior and objective, called; results have the promised
 * shapes. `mean` is NULL where the emission has none. */
ssk_tensor *ssk_emission_log_prob(const struct ssk_ctx *ctx, const struct ssk_rows *rows,
                                  ssk_tensor *x, ssk_tensor *mask);
ssk_tensor *ssk_emission_sample(const struct ssk_ctx *ctx, const struct ssk_rows *rows);
ssk_tensor *ssk_emission_mean(const struct ssk_ctx *ctx, const struct ssk_rows *rows);
ssk_tensor *ssk_initial_rate(const struct ssk_ctx *ctx, const struct ssk_first *first);
ssk_tensor *ssk_initial_sample(const struct ssk_ctx *ctx, int paths);
ssk_tensor *ssk_initial_log_prob(const struct ssk_ctx *ctx, const struct ssk_first *first);
ssk_tensor *ssk_objective_loss(const struct ssk_ctx *ctx, const struct ssk_bound *bound);

/* Of a transition that is a prior of whole paths: its slots, or NULL where it goes step by step. */
const struct ssk_transition_ops *ssk_model_paths(const struct ssk_model *model);
/* Those slots called. */
ssk_tensor *ssk_path_loss(const struct ssk_ctx *ctx, const struct ssk_path *path);
ssk_tensor *ssk_path_sample(const struct ssk_ctx *ctx, const struct ssk_path *path);
/* What is known of the latents z [T, P, d] of a pass: all of its series, or where latents are the
 * observations, what is observed. Covariates are those of obs. */
struct ssk_path ssk_model_path(const struct ssk_ctx *ctx, const struct ssk_observed *obs,
                               ssk_tensor *z);

/* The context for a call of the component at `path`: it names the component's random numbers, and
 * what the component does on the tape is its own in a profile (tensor/profile.h). ssk_ctx_leave
 * with the caller's context ends that. */
struct ssk_ctx ssk_ctx_enter(const struct ssk_ctx *ctx, const char *path);
void ssk_ctx_leave(const struct ssk_ctx *ctx);

#endif
