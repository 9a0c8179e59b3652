/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oracle_forecast.c - what is possible on a data set whose generating process is known.
 *
 * oracle: filter the history, exactly where the process is linear and Gaussian, else with
 * particles; draw states and let the process go on. Its bound is the log-likelihood: exact, or the
 * particle filter's estimate. oracle_gaussian: a Gaussian with the same mean and covariance at each
 * step, the ceiling of all forecasters whose forecast is Gaussian; its log-likelihood is the sum of
 * what these say of each next observation. */
#include "infer/oracle_forecast.h"
#include "infer/dense.h"
#include "infer/kalman.h"
#include "infer/oracle_transition.h"
#include "infer/particle.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct oracle_state {
  const struct ssk_oracle *oracle;
  const void *self;
  int particles;
  bool matched;                      /* a Gaussian of the same moments instead of the process */
  struct ssk_linear_gaussian linear; /* where oracle->linear is set */
  void *owned;                       /* `self`, where it is the forecaster's own; else NULL */
  void (*release)(void *process);
};

static int state_size(const struct oracle_state *o) {
  return o->oracle->linear ? o->linear.d : o->oracle->d;
}

struct history {
  const double *x, *mask;
  int length, D;
  ssk_rng rng;
};

static struct history history_of(const struct ssk_data *data, enum ssk_split split, int64_t series,
                                 int length, uint64_t seed, const char *purpose) {
  int64_t offset = series * data->split[split].room * data->shape.D;
  return (struct history){.x = data->split[split].x + offset,
                          .mask = data->split[split].mask + offset,
                          .length = length,
                          .D = data->shape.D,
                          .rng =
                              ssk_rng_open(seed, "infer.oracle", purpose, split, (uint32_t)series)};
}

static int run_particles(const struct oracle_state *o, const struct history *past,
                         struct ssk_particles *p, ssk_err *err) {
  int code = ssk_particles_open(p, o->oracle, o->self, o->particles, past->rng, err);
  for (int t = 0; t < past->length && !code; t++)
    ssk_particles_feed(p, past->x + t * past->D, past->mask + t * past->D, past->D);
  return code;
}

/* ---- drawing from Gaussians -------------------------------------------------------------------
 */

/* factor[n, n] with factor factor' = cov; `cov` is overwritten. */
static int square_root(int n, double *cov, double *factor, ssk_err *err) {
  int *pivot = malloc((size_t)n * sizeof *pivot);
  if (!pivot)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the oracle");
  ssk_dense_semidefinite(n, cov, factor, pivot);
  free(pivot);
  return SSK_OK;
}

static void draw_gaussian(int n, const double *mean, const double *factor, ssk_rng *rng,
                          double *normal, double *out) {
  for (int i = 0; i < n; i++)
    normal[i] = ssk_rng_normal(rng);
  for (int i = 0; i < n; i++) {
    out[i] = mean[i];
    for (int k = 0; k < n; k++)
      out[i] += factor[i * n + k] * normal[k];
  }
}

/* ---- the forecasts ----------------------------------------------------------------------------
 */

/* Exact: states from the filtered Gaussian, then the process. */
static int forecast_linear(const struct oracle_state *o, struct history *past, int samples,
                           int horizon, double *paths, ssk_err *err) {
  int d = o->linear.d, D = past->D;
  struct ssk_kalman filtered;
  int code = ssk_kalman_filter(&o->linear, past->length, past->x, past->mask, &filtered, err);
  double *work = malloc((size_t)(d * d + 3 * d) * sizeof *work);
  if (!code && !work)
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for the oracle");
  double *factor = work;
  if (!code)
    code = square_root(d, filtered.filtered_cov + (past->length - 1) * d * d, factor, err);
  for (int s = 0; s < samples && !code; s++) {
    double *normal = work + d * d, *from = normal + d, *to = from + d;
    draw_gaussian(d, filtered.filtered_mean + (past->length - 1) * d, factor, &past->rng, normal,
                  from);
    for (int h = 0; h < horizon; h++) {
      o->oracle->transition(o->self, &past->rng, from, to);
      o->oracle->emission(o->self, &past->rng, to,
                          paths + ((size_t)s * (size_t)horizon + (size_t)h) * (size_t)D);
      memcpy(from, to, (size_t)d * sizeof *from);
    }
  }
  free(work);
  ssk_kalman_free(&filtered);
  return code;
}

static int forecast_particles(const struct oracle_state *o, const struct history *past, int samples,
                              int horizon, double *paths, ssk_err *err) {
  struct ssk_particles p = {0};
  int code = run_particles(o, past, &p, err);
  if (!code)
    code = ssk_particles_forecast(&p, samples, horizon, past->D, paths, err);
  ssk_particles_free(&p);
  return code;
}

static int oracle_forecast(void *self, const struct ssk_data *data, enum ssk_split split,
                           int64_t series, int context, int horizon, int samples, uint64_t seed,
                           int thread, double *paths, ssk_err *err) {
  const struct oracle_state *o = self;
  struct history past = history_of(data, split, series, context, seed, "forecast");
  (void)thread;
  return o->oracle->linear ? forecast_linear(o, &past, samples, horizon, paths, err)
                           : forecast_particles(o, &past, samples, horizon, paths, err);
}

/* ---- matched moments --------------------------------------------------------------------------
 */

/* mean[horizon, D] and cov[horizon, D, D] of n paths. */
static void sample_moments(const double *paths, int n, int horizon, int D, double *mean,
                           double *cov) {
  for (int h = 0; h < horizon; h++, mean += D, cov += D * D) {
    memset(mean, 0, (size_t)D * sizeof *mean);
    memset(cov, 0, (size_t)(D * D) * sizeof *cov);
    for (int s = 0; s < n; s++)
      for (int k = 0; k < D; k++)
        mean[k] += paths[((size_t)s * (size_t)horizon + (size_t)h) * (size_t)D + (size_t)k] / n;
    for (int s = 0; s < n; s++) {
      const double *x = paths + ((size_t)s * (size_t)horizon + (size_t)h) * (size_t)D;
      for (int i = 0; i < D; i++)
        for (int k = 0; k < D; k++)
          cov[i * D + k] += (x[i] - mean[i]) * (x[k] - mean[k]) / n;
    }
  }
}

/* Of the next `horizon` observations after what p has been fed. */
static int particle_moments(struct ssk_particles *p, int horizon, int D, double *mean, double *cov,
                            ssk_err *err) {
  double *paths = malloc((size_t)p->n * (size_t)horizon * (size_t)D * sizeof *paths);
  if (!paths)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the oracle");
  int code = ssk_particles_forecast(p, p->n, horizon, D, paths, err);
  if (!code)
    sample_moments(paths, p->n, horizon, D, mean, cov);
  free(paths);
  return code;
}

static int oracle_moments(const struct oracle_state *o, const struct history *past, int horizon,
                          double *mean, double *cov, ssk_err *err) {
  int d = state_size(o), D = past->D;
  if (o->oracle->linear) {
    struct ssk_kalman filtered;
    int code = ssk_kalman_filter(&o->linear, past->length, past->x, past->mask, &filtered, err);
    if (!code)
      code = ssk_kalman_predict(&o->linear, filtered.filtered_mean + (past->length - 1) * d,
                                filtered.filtered_cov + (past->length - 1) * d * d, horizon, mean,
                                cov, NULL, NULL, err);
    ssk_kalman_free(&filtered);
    return code;
  }
  struct ssk_particles p = {0};
  int code = run_particles(o, past, &p, err);
  if (!code)
    code = particle_moments(&p, horizon, D, mean, cov, err);
  ssk_particles_free(&p);
  return code;
}

static int gaussian_forecast(void *self, const struct ssk_data *data, enum ssk_split split,
                             int64_t series, int context, int horizon, int samples, uint64_t seed,
                             int thread, double *paths, ssk_err *err) {
  const struct oracle_state *o = self;
  size_t D = (size_t)data->shape.D, H = (size_t)horizon;
  struct history past = history_of(data, split, series, context, seed, "forecast");
  ssk_rng rng = ssk_rng_open(seed, "infer.oracle_gaussian", "draw", split, (uint32_t)series);
  (void)thread;
  double *work = malloc((H * D + H * D * D + D * D + D) * sizeof *work);
  if (!work)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the oracle");
  double *mean = work, *cov = mean + H * D, *factor = cov + H * D * D, *normal = factor + D * D;
  int code = oracle_moments(o, &past, horizon, mean, cov, err);
  for (size_t h = 0; h < H && !code; h++) {
    code = square_root((int)D, cov + h * D * D, factor, err);
    for (size_t s = 0; s < (size_t)samples && !code; s++)
      draw_gaussian((int)D, mean + h * D, factor, &rng, normal, paths + (s * H + h) * D);
  }
  free(work);
  return code;
}

/* ---- smoothing --------------------------------------------------------------------------------
 */

/* E[x | z]; false where the process does not say. */
static bool emission_mean(const struct oracle_state *o, int D, const double *z, double *x) {
  if (o->oracle->emission_mean)
    o->oracle->emission_mean(o->self, z, x);
  else if (o->oracle->linear)
    ssk_dense_product(D, o->linear.d, 1, o->linear.C, z, x);
  else
    return false;
  return true;
}

/* mean[T, D]: of E[x | z] over the paths; of x where that is not known. */
static void mean_of_paths(const struct oracle_state *o, int samples, int T, int D,
                          const struct ssk_series_posterior *out, const double *z, double *work) {
  const size_t d = (size_t)state_size(o), rows = (size_t)samples * (size_t)T;
  memset(out->mean, 0, (size_t)(T * D) * sizeof *out->mean);
  for (size_t r = 0; r < rows; r++) {
    const bool known = emission_mean(o, D, z + r * d, work);
    for (int k = 0; k < D; k++)
      out->mean[(r % (size_t)T) * (size_t)D + (size_t)k] +=
          (known ? work[k] : out->x[r * (size_t)D + (size_t)k]) / samples;
  }
}

/* Paths of a linear process, and the exact mean. */
static int smooth_linear(const struct oracle_state *o, struct history *past, int samples, double *z,
                         double *mean, ssk_err *err) {
  const int d = o->linear.d, D = past->D;
  struct ssk_kalman states;
  int code = ssk_kalman_filter(&o->linear, past->length, past->x, past->mask, &states, err);
  if (!code)
    code = ssk_kalman_smooth(&o->linear, &states, err);
  if (!code)
    code = ssk_kalman_draw(&o->linear, &states, samples, &past->rng, z, err);
  for (int t = 0; t < past->length && !code; t++)
    ssk_dense_product(D, d, 1, o->linear.C, states.smoothed_mean + t * d, mean + t * D);
  ssk_kalman_free(&states);
  return code;
}

static int oracle_posterior(void *self, const struct ssk_data *data, enum ssk_split split,
                            int64_t series, int samples, uint64_t seed, int thread,
                            const struct ssk_series_posterior *out, ssk_err *err) {
  const struct oracle_state *o = self;
  const int T = data->split[split].length[series], D = data->shape.D;
  const size_t rows = (size_t)samples * (size_t)T, d = (size_t)state_size(o);
  struct history past = history_of(data, split, series, T, seed, "posterior");
  double *z = malloc(rows * d * sizeof *z); /* the state, which may be more than the latents */
  double *work = malloc((size_t)D * sizeof *work);
  (void)thread;
  int code =
      z && work ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for %d smoothed paths", samples);
  if (!code && o->oracle->linear) {
    code = smooth_linear(o, &past, samples, z, out->mean, err);
  } else if (!code) {
    struct ssk_particles p = {0};
    code = ssk_particles_open(&p, o->oracle, o->self, o->particles, past.rng, err);
    if (!code)
      code = ssk_particles_smooth(&p, T, past.x, past.mask, D, samples, z, err);
    past.rng = p.rng;
    ssk_particles_free(&p);
  }
  for (size_t r = 0; r < rows && !code; r++)
    o->oracle->emission(o->self, &past.rng, z + r * d, out->x + r * (size_t)D);
  if (!code && !o->oracle->linear)
    mean_of_paths(o, samples, T, D, out, z, work);
  free(z);
  free(work);
  return code;
}

/* ---- the likelihood ---------------------------------------------------------------------------
 */

/* log N(x; mean, cov) of the entries with mask 1: one step of a filter that observes its state. */
static int gaussian_log_prob(int D, const double *mean, const double *cov, const double *x,
                             const double *mask, double *log_prob, ssk_err *err) {
  double *identity = calloc((size_t)(2 * D * D), sizeof *identity);
  if (!identity)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the oracle");
  for (int i = 0; i < D; i++)
    identity[i * D + i] = 1;
  const double *zero = identity + D * D;
  const struct ssk_linear_gaussian step = {.size = sizeof step,
                                           .d = D,
                                           .D = D,
                                           .m0 = mean,
                                           .P0 = cov,
                                           .A = identity,
                                           .Q = zero,
                                           .C = identity,
                                           .R = zero};
  struct ssk_kalman filtered;
  int code = ssk_kalman_filter(&step, 1, x, mask, &filtered, err);
  *log_prob = filtered.log_likelihood;
  ssk_kalman_free(&filtered);
  free(identity);
  return code;
}

/* Sum over the steps of what the Gaussian with the particles' predictive moments says of x_t. */
static int matched_likelihood(const struct oracle_state *o, const struct history *past,
                              double *log_likelihood, ssk_err *err) {
  const int D = past->D;
  double *mean = malloc((size_t)(D + D * D) * sizeof *mean);
  if (!mean)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the oracle");
  struct ssk_particles p = {0};
  int code = ssk_particles_open(&p, o->oracle, o->self, o->particles, past->rng, err);
  *log_likelihood = 0;
  for (int t = 0; t < past->length && !code; t++) {
    const double *x = past->x + t * D, *mask = past->mask + t * D;
    double step = 0;
    code = particle_moments(&p, 1, D, mean, mean + D, err);
    if (!code)
      code = gaussian_log_prob(D, mean, mean + D, x, mask, &step, err);
    *log_likelihood += step;
    ssk_particles_feed(&p, x, mask, D);
  }
  ssk_particles_free(&p);
  free(mean);
  return code;
}

static int exact_likelihood(const struct oracle_state *o, const struct history *past,
                            double *log_likelihood, ssk_err *err) {
  int code;
  if (o->oracle->linear) { /* the forecast is Gaussian: its own match */
    struct ssk_kalman filtered;
    code = ssk_kalman_filter(&o->linear, past->length, past->x, past->mask, &filtered, err);
    *log_likelihood = filtered.log_likelihood;
    ssk_kalman_free(&filtered);
  } else {
    struct ssk_particles p = {0};
    code = run_particles(o, past, &p, err);
    *log_likelihood = p.log_likelihood;
    ssk_particles_free(&p);
  }
  return code;
}

static int oracle_likelihood(void *self, const struct ssk_data *data, enum ssk_split split,
                             int64_t series, int length, uint64_t seed, int thread,
                             struct ssk_series_likelihood *out, ssk_err *err) {
  const struct oracle_state *o = self;
  const struct history past = history_of(data, split, series, length, seed, "likelihood");
  (void)thread;
  *out = (struct ssk_series_likelihood){.length = length, .effective_paths = NAN, .pareto_k = NAN};
  return o->matched && !o->oracle->linear ? matched_likelihood(o, &past, &out->log_likelihood, err)
                                          : exact_likelihood(o, &past, &out->log_likelihood, err);
}

static int oracle_bound(void *self, const struct ssk_data *data, enum ssk_split split,
                        int64_t series, int length, uint64_t seed, int thread,
                        struct ssk_series_bound *out, ssk_err *err) {
  struct ssk_series_likelihood exact;
  int code = oracle_likelihood(self, data, split, series, length, seed, thread, &exact, err);
  *out = (struct ssk_series_bound){.length = length, .distortion = -exact.log_likelihood};
  return code;
}

/* ---- the transition --------------------------------------------------------------------------
 */

static int oracle_transition(void *self, const struct ssk_data *data, enum ssk_split split,
                             int64_t series, int context, int draws, uint64_t seed, int thread,
                             struct ssk_series_transition *out, ssk_err *err) {
  (void)self, (void)thread;
  out->truth = true;
  out->log_prob = ssk_oracle_log_prob(data, split, series, context);
  ssk_true_latents(data, split, series, context, out->next);
  return ssk_oracle_draw(data, split, series, context, draws,
                         ssk_rng_open(seed, "infer.oracle", "transition", split, (uint32_t)series),
                         out->draws, err);
}

static void oracle_free(void *self) {
  struct oracle_state *o = self;
  if (o->owned)
    o->release(o->owned);
  free(o);
}

static int forecaster_of(const struct oracle_state *state, const char *name,
                         struct ssk_forecaster *out, ssk_err *err) {
  struct oracle_state *o = malloc(sizeof *o);
  if (!o)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the oracle");
  *o = *state;
  if (o->oracle->linear)
    o->oracle->linear(o->self, &o->linear);
  bool smooths = !o->matched || o->oracle->linear; /* a matched Gaussian is one of the next step */
  *out = (struct ssk_forecaster){.name = name,
                                 .self = o,
                                 .forecast = o->matched ? gaussian_forecast : oracle_forecast,
                                 .bound = oracle_bound,
                                 .likelihood = oracle_likelihood,
                                 .posterior = smooths ? oracle_posterior : NULL,
                                 .free = oracle_free};
  return SSK_OK;
}

int ssk_oracle_forecaster(const char *name, bool gaussian, const struct ssk_data *data,
                          int64_t particles, struct ssk_forecaster *out, ssk_err *err) {
  *out = (struct ssk_forecaster){0};
  if (!data->oracle) {
    ssk_err_set(err, SSK_EDATA, "the data set '%s' has no oracle, which the row '%s' needs",
                data->dataset->component->name, name);
    ssk_err_hint(err, "take the row out, or use data whose generating process is known");
    return SSK_EDATA;
  }
  if (particles < 1 || particles > INT32_MAX)
    return ssk_err_set(err, SSK_ERECIPE, "%lld particles: at least 1 are needed",
                       (long long)particles);
  const struct oracle_state state = {.oracle = data->oracle,
                                     .self = data->dataset->self,
                                     .particles = (int)particles,
                                     .matched = gaussian};
  int code = forecaster_of(&state, name, out, err);
  if (!code) {
    out->transition = oracle_transition;
    out->latents = data->latents;
  }
  return code;
}

int ssk_linear_forecaster(const char *name, const struct ssk_oracle *oracle, void *process,
                          void (*release)(void *process), struct ssk_forecaster *out,
                          ssk_err *err) {
  const struct oracle_state state = {
      .oracle = oracle, .self = process, .owned = process, .release = release};
  *out = (struct ssk_forecaster){0};
  int code = forecaster_of(&state, name, out, err);
  if (code)
    release(process);
  return code;
}
