/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dataset.h - the slots of a data set, and of its oracle. Part of plugin.h. */
#ifndef SSKIT_DATASET_H
#define SSKIT_DATASET_H

#include <sskit/context.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ssk_split { SSK_TRAIN, SSK_VALID, SSK_TEST, SSK_SPLIT_COUNT };

struct ssk_data_shape {
  size_t size;
  int D, V, E;    /* observation, time-varying and static covariates */
  int latent;     /* ground-truth latent dimension that fill provides; 0: none */
  int max_length; /* longest series of any split */
};

/* One series, in the data's own units. The kernel allocates the arrays for max_length steps, or for
 * the longest of the split by the slot `length`. */
struct ssk_series {
  size_t size;
  int length;   /* set by fill */
  double *x;    /* [length, D]; anything where missing */
  double *mask; /* [length, D]; preset to 1: write 0 where missing */
  double *u;    /* [length, V], or NULL */
  double *s;    /* [E], or NULL */
  double *z;    /* [length, latent] ground truth, or NULL */
};

/* A linear-Gaussian model, time-invariant, for the Kalman filter:
 * z_1 ~ N(m0, P0), z_t = A z_{t-1} + N(0, Q), x_t = C z_t + N(0, R). Row-major, borrowed. */
struct ssk_linear_gaussian {
  size_t size;
  int d, D;
  const double *m0, *P0; /* [d], [d,d] */
  const double *A, *Q;   /* [d,d] */
  const double *C, *R;   /* [D,d], [D,D] */
};

/* The generating process of a synthetic data set. `self` is the dataset's. Thread-safe. */
struct ssk_oracle {
  size_t size;
  int d; /* latent dimension */
  void (*initial)(const void *self, ssk_rng *rng, double *z);
  void (*transition)(const void *self, ssk_rng *rng, const double *z_prev, double *z);
  void (*emission)(const void *self, ssk_rng *rng, const double *z, double *x);
  /* log p(x | z) over the entries with mask 1, in nats. */
  double (*emission_log_prob)(const void *self, const double *z, const double *x,
                              const double *mask);
  /* [optional] E[x | z]: the observation without its noise. Default: C z of a linear process. */
  void (*emission_mean)(const void *self, const double *z, double *x);
  /* [optional] log p(z | z_prev); absent where the transition has no density. */
  double (*transition_log_prob)(const void *self, const double *z_prev, const double *z);
  /* [optional] P(x_dim <= value | z_prev) one step ahead, and the centre that histograms subtract:
   * the reference of the metric jsd. */
  double (*predictive_cdf)(const void *self, const double *z_prev, int dim, double value);
  double (*predictive_centre)(const void *self, const double *z_prev, int dim);
  /* [optional] The whole process, where it is linear and Gaussian. */
  void (*linear)(const void *self, struct ssk_linear_gaussian *out);
  /* Of the d entries of the state, the last ones that are labels (a sign, a regime): no transition
   * is trained on them, or scored. transition_log_prob is then that of latents and labels. */
  int labels;
  /* [optional] P(z_dim <= value | z_prev), of a latent dim < d - labels: the exact kernel that the
   * metric kernel_jsd compares with. */
  double (*transition_cdf)(const void *self, const double *z_prev, int dim, double value);
};

/* Where a series comes from, for whoever wants to know what was split how. Borrowed. */
struct ssk_series_origin {
  size_t size;
  const char *file; /* "": no file */
  const char *name; /* of the series there */
  int64_t first;    /* its first step, counted from the start of that series */
};

struct ssk_dataset_ops {
  size_t size;
  /* Read, or prepare to generate. `seed` is the data's, independent of the model's streams. Called
   * once, before the slots below. */
  int (*open)(void *self, uint64_t seed, ssk_err *err);
  void (*shape)(const void *self, struct ssk_data_shape *out);
  int64_t (*count)(const void *self, enum ssk_split split); /* series in the split; may be 0 */
  /* Series i of the split; thread-safe; the same series at each call. */
  int (*fill)(const void *self, enum ssk_split split, int64_t i, struct ssk_series *out,
              ssk_err *err);
  const struct ssk_oracle *(*oracle)(const void *self); /* [optional]; may return NULL */
  void (*origin)(const void *self, enum ssk_split split, int64_t i,
                 struct ssk_series_origin *out); /* [optional] */
  /* [optional] Steps of series i, without filling it: where splits differ much in the length of
   * their series, this saves memory. */
  int (*length)(const void *self, enum ssk_split split, int64_t i);
  /* [optional] The names of the dimensions where they come from named columns, so that another file
   * can be read in their order; else n is 0. They live as long as the data set. */
  void (*names)(const void *self, struct ssk_strings *out);
};

#ifdef __cplusplus
}
#endif
#endif
