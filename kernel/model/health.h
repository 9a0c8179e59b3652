/* SPDX-License-Identifier: GPL-3.0-or-later */
/* health.h - is the latent used, and does the transition have the modes that the encoder's steps
 * have? Figures for each latent dimension, measured with the encoder's paths on some series and
 * draws from the transition at some of their latents, and two alarms. docs/health.md says what to
 * make of them.
 *
 * Nothing here asks which transition it is: one with `moments` gives them, of any other they are
 * those of its draws. */
#ifndef SSK_MODEL_HEALTH_H
#define SSK_MODEL_HEALTH_H

#include "core/pool.h"
#include "model/model.h"

/* The figures of a dimension k. A conditioning is a step t > j of one of the encoder's paths, with
 * the latents z_{t-j:t-1} before it; m and v are mean and variance of the transition there. */
enum ssk_health_row {
  /* Mean of KL( q(z_tk | .) || N(m_k, v_k) ) in nats, the closed form. With a transition that is no
   * Gaussian, of the Gaussian with its moments; where these are estimated from M draws, less 1/M,
   * which is what the estimation adds at a Gaussian to first order. Where the encoder's step is the
   * transition's, it is zero, whatever the transition. */
  SSK_HEALTH_KL,
  /* Var_x( E_q[z_tk | x] ), averaged over the steps: the posterior mean's variance over series
   * (Burda, Grosse and Salakhutdinov 2016, section 2). E_q is a mean over S paths of the encoder;
   * what their noise adds to the variance, (variance among paths)/S, is taken off. */
  SSK_HEALTH_POSTERIOR_VARIANCE,
  /* Var(z_tk) over series and paths, averaged over the steps. */
  SSK_HEALTH_LATENT_VARIANCE,
  /* Mean dip (core/dip.h) of the transition's draws at a conditioning. */
  SSK_HEALTH_DIP,
  /* Share of the conditionings whose draws have a dip above ssk_dip_limit. */
  SSK_HEALTH_BIMODAL,
  /* Dip, over the conditionings, of the encoder's innovations (z_tk - m_k)/sqrt(v_k). */
  SSK_HEALTH_INNOVATION_DIP,
  SSK_HEALTH_ROWS
};
/* The key in logs: "kl", "posterior_variance", ... */
const char *ssk_health_row_name(enum ssk_health_row row);

enum ssk_health_alarm {
  /* The posterior has collapsed: no unit is active, or each KL is below 0.01 nats. */
  SSK_ALARM_POSTERIOR = 1,
  /* The transition lacks modes: in some dimension the innovations have a dip of more than 5/4 of
   * ssk_dip_limit, while the draws exceed the limit at fewer than a tenth of the conditionings. */
  SSK_ALARM_MODES = 2,
};
/* One bit of them as a key: "posterior", "modes". */
const char *ssk_health_alarm_name(enum ssk_health_alarm alarm);

struct ssk_health {
  int d;
  int64_t series;
  int conditionings, samples;
  /* Dimensions whose posterior variance is above 0.01 min(1, latent variance): the criterion of
   * Burda et al., which presumes a prior of unit variance, for latents of any scale. -1: there are
   * too few series to tell. */
  int active_units;
  double *row[SSK_HEALTH_ROWS]; /* [d] each; NaN where there is no figure */
  int n_figures;
  struct ssk_figure figures[SSK_MAX_FIGURES]; /* the transition's own */
  unsigned alarms;                            /* of enum ssk_health_alarm, or-ed */
  int missing; /* with SSK_ALARM_MODES: the dimension whose innovations have the largest dip */
  double *memory;
};

/* Measure, as the recipe's section `health` says, on the series of a split that are evaluated
 * (evaluate.series, evaluate.bound_length). `values`: the weights. The result depends on the
 * arguments only, not on the pool. Free with ssk_health_free, also after a failure. */
int ssk_health_measure(const struct ssk_model *model, const struct ssk_data *data, ssk_real *values,
                       enum ssk_split split, struct ssk_pool *pool, struct ssk_health *out,
                       ssk_err *err);
void ssk_health_free(struct ssk_health *health);

/* Set active_units and the alarms by the rows. */
void ssk_health_judge(struct ssk_health *health);
/* Rows of d dimensions, all NaN; SSK_ENOMEM without memory. */
int ssk_health_init(struct ssk_health *health, int d);

#endif
