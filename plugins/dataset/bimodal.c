/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bimodal.c - the series with two futures: each step jumps up or down, a fair coin decides.
 *
 *   z_1 ~ N(0, 1),   z_t = 0.9 z_{t-1} + 4 s_t  with s_t = +1 or -1,   x_t = z_t + noise * eps_t
 *
 * The one-step predictive density given z_{t-1} is an equal mixture of two Gaussians at
 * 0.9 z_{t-1} +- 4: no single Gaussian forecast comes near it. With noise 0.2 a series of 32 steps
 * has a negative log-likelihood of 17.84 nats on average. */
#include <math.h>
#include <sskit/plugin.h>

#define BIMODAL_DECAY 0.9
#define BIMODAL_JUMP  4.0

struct bimodal {
  int64_t sequences, valid, test, length, test_length;
  double noise;
  uint64_t seed;
  double log_scale; /* of the emission's density: -log(noise sqrt(2 pi)) */
};

static const struct ssk_param bimodal_params[] = {
    SSK_PARAM_INT(struct bimodal, sequences, "1024", 1, 1e7, "series",
                  "Series of the training split."),
    SSK_PARAM_INT(struct bimodal, valid, "256", 0, 1e7, "series",
                  "Series of the validation split."),
    SSK_PARAM_INT(struct bimodal, test, "1024", 0, 1e7, "series", "Series of the test split."),
    SSK_PARAM_INT(struct bimodal, length, "32", 2, 1e6, "steps",
                  "Length of the training and validation series."),
    SSK_PARAM_INT(struct bimodal, test_length, "0", 0, 1e6, "steps",
                  "Length of the test series; 0: that of the others."),
    SSK_PARAM_REAL(struct bimodal, noise, "0.2", 1e-6, 100, "data",
                   "Standard deviation of the observation noise."),
    SSK_PARAM_END,
};

static int bimodal_open(void *self, uint64_t seed, ssk_err *err) {
  struct bimodal *d = self;
  (void)err;
  d->seed = seed;
  d->log_scale = -log(d->noise) - 0.5 * log(2 * M_PI);
  if (d->test_length == 0)
    d->test_length = d->length;
  return SSK_OK;
}

static void bimodal_shape(const void *self, struct ssk_data_shape *out) {
  const struct bimodal *d = self;
  *out = (struct ssk_data_shape){
      .size = sizeof *out,
      .D = 1,
      .latent = 1,
      .max_length = (int)(d->test_length > d->length ? d->test_length : d->length)};
}

static int64_t bimodal_count(const void *self, enum ssk_split split) {
  const struct bimodal *d = self;
  return split == SSK_TRAIN ? d->sequences : split == SSK_VALID ? d->valid : d->test;
}

/* ---- the process ----------------------------------------------------------------------------- */

static void bimodal_initial(const void *self, ssk_rng *rng, double *z) {
  (void)self;
  *z = ssk_rng_normal(rng);
}

static void bimodal_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  (void)self;
  *z = BIMODAL_DECAY * *z_prev + BIMODAL_JUMP * ssk_rng_sign(rng);
}

static void bimodal_emission(const void *self, ssk_rng *rng, const double *z, double *x) {
  const struct bimodal *d = self;
  *x = *z + d->noise * ssk_rng_normal(rng);
}

static double bimodal_emission_log_prob(const void *self, const double *z, const double *x,
                                        const double *mask) {
  const struct bimodal *d = self;
  if (*mask == 0)
    return 0;
  double e = (*x - *z) / d->noise;
  return d->log_scale - 0.5 * e * e;
}

static double bimodal_predictive_centre(const void *self, const double *z_prev, int dim) {
  (void)self, (void)dim;
  return BIMODAL_DECAY * *z_prev;
}

static double bimodal_predictive_cdf(const void *self, const double *z_prev, int dim,
                                     double value) {
  const struct bimodal *d = self;
  double e = value - bimodal_predictive_centre(self, z_prev, dim), unit = d->noise * M_SQRT2;
  return 0.25 * (erfc(-(e - BIMODAL_JUMP) / unit) + erfc(-(e + BIMODAL_JUMP) / unit));
}

static const struct ssk_oracle bimodal_process = {
    .size = sizeof(struct ssk_oracle),
    .d = 1,
    .initial = bimodal_initial,
    .transition = bimodal_transition,
    .emission = bimodal_emission,
    .emission_log_prob = bimodal_emission_log_prob,
    .predictive_cdf = bimodal_predictive_cdf,
    .predictive_centre = bimodal_predictive_centre,
};

static const struct ssk_oracle *bimodal_oracle(const void *self) {
  (void)self;
  return &bimodal_process;
}

/* A series is a stream of random numbers named by split and number: so the splits are disjoint, and
 * a longer split begins with the series of a shorter one. */
static int bimodal_fill(const void *self, enum ssk_split split, int64_t i, struct ssk_series *out,
                        ssk_err *err) {
  const struct bimodal *d = self;
  (void)err;
  ssk_rng rng = ssk_rng_open(d->seed, "data.bimodal", "series", split, (uint32_t)i);
  out->length = (int)(split == SSK_TEST ? d->test_length : d->length);
  double z = 0;
  for (int t = 0; t < out->length; t++) {
    if (t == 0)
      bimodal_initial(self, &rng, &z);
    else
      bimodal_transition(self, &rng, &z, &z);
    bimodal_emission(self, &rng, &z, &out->x[t]);
    if (out->z)
      out->z[t] = z;
  }
  return SSK_OK;
}

static const struct ssk_dataset_ops bimodal_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                   .open = bimodal_open,
                                                   .shape = bimodal_shape,
                                                   .count = bimodal_count,
                                                   .fill = bimodal_fill,
                                                   .oracle = bimodal_oracle};

static const struct ssk_component bimodal_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "bimodal",
    .summary = "generated: z jumps by +4 or -4 each step, observed with a little noise",
    .doc = "z_1 ~ N(0,1), z_t = 0.9 z_{t-1} + 4 s_t with independent fair signs s_t, "
           "x_t = z_t + noise eps_t. The next observation has two modes; the oracle knows them. "
           "Training, validation and test series are disjoint slices of one population.",
    .self_size = sizeof(struct bimodal),
    .params = bimodal_params,
    .ops = &bimodal_ops,
};

SSK_PLUGIN(&bimodal_component)
