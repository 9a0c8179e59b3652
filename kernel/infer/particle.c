/* SPDX-License-Identifier: GPL-3.0-or-later */
/* particle.c - the bootstrap filter: propose from the transition, weight by the emission (Gordon,
 * Salmond and Smith 1993), with systematic resampling when the effective sample size falls under
 * half (Kitagawa 1996; Doucet and Johansen 2009, section 3.5). It needs samplers and the emission's
 * density only, so also serves processes whose transition has none. */
#include "infer/particle.h"
#include "infer/systematic.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int ssk_particles_open(struct ssk_particles *p, const struct ssk_oracle *oracle, const void *self,
                       int n, ssk_rng rng, ssk_err *err) {
  size_t states = (size_t)n * (size_t)oracle->d;
  *p = (struct ssk_particles){.oracle = oracle, .self = self, .n = n, .d = oracle->d, .rng = rng};
  p->memory = calloc(2 * states + (size_t)n, sizeof *p->memory);
  p->ancestor = calloc((size_t)n, sizeof *p->ancestor);
  if (!p->memory || !p->ancestor) {
    ssk_particles_free(p);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %d particles", n);
  }
  p->z = p->memory;
  p->weight = p->memory + 2 * states;
  for (int i = 0; i < n; i++)
    p->weight[i] = 1.0 / n;
  return SSK_OK;
}

void ssk_particles_free(struct ssk_particles *p) {
  free(p->memory);
  free(p->ancestor);
  *p = (struct ssk_particles){0};
}

/* index[n_draws], which may be NULL: the particles that are drawn, ascending. */
static void draw(struct ssk_particles *p, int n_draws, double *z, int *index) {
  struct ssk_systematic draws =
      ssk_systematic_begin(p->n, p->weight, n_draws, ssk_rng_uniform(&p->rng));
  for (int k = 0; k < n_draws; k++) {
    const int i = ssk_systematic_next(&draws);
    memcpy(z + (size_t)k * (size_t)p->d, p->z + (size_t)i * (size_t)p->d, (size_t)p->d * sizeof *z);
    if (index)
      index[k] = i;
  }
}

void ssk_particles_draw(struct ssk_particles *p, int n_draws, double *z) {
  draw(p, n_draws, z, NULL);
}

/* The half of the states that is not in use. */
static double *spare(const struct ssk_particles *p) {
  return p->z == p->memory ? p->memory + (size_t)p->n * (size_t)p->d : p->memory;
}

static void resample(struct ssk_particles *p) {
  double *other = spare(p);
  draw(p, p->n, other, p->ancestor);
  p->z = other;
  for (int i = 0; i < p->n; i++)
    p->weight[i] = 1.0 / p->n;
}

/* One state, after `steps` of them: the first comes from nowhere. */
static void step(struct ssk_particles *p, int64_t steps, const double *from, double *to) {
  if (steps == 0)
    p->oracle->initial(p->self, &p->rng, to);
  else
    p->oracle->transition(p->self, &p->rng, from, to);
}

/* A transition may not be asked to work in place: from one half of the states to the other. */
static void propagate(struct ssk_particles *p) {
  double *from = p->z, *to = spare(p);
  for (int i = 0; i < p->n; i++, from += p->d, to += p->d)
    step(p, p->steps, from, to);
  p->z = spare(p);
  p->steps++;
}

/* weight_i <- weight_i p(x | z_i), normalised; adds the log of the sum. Where no particle can
 * explain x, the likelihood is zero and the weights stay. */
static void reweight(struct ssk_particles *p, const double *x, const double *mask) {
  double *log_g = spare(p); /* room for n: d >= 1 */
  double top = -INFINITY, sum = 0;
  for (int i = 0; i < p->n; i++) {
    log_g[i] = p->oracle->emission_log_prob(p->self, p->z + (size_t)i * (size_t)p->d, x, mask);
    if (log_g[i] > top)
      top = log_g[i];
  }
  if (top == -INFINITY) {
    p->log_likelihood = -INFINITY;
    return;
  }
  for (int i = 0; i < p->n; i++) {
    double g = log_g[i] - top; /* most particles may be far off: exp is slow where it underflows */
    log_g[i] = g > -700 ? p->weight[i] * exp(g) : 0;
    sum += log_g[i];
  }
  if (sum == 0) {
    p->log_likelihood = -INFINITY;
    return;
  }
  for (int i = 0; i < p->n; i++)
    p->weight[i] = log_g[i] / sum;
  p->log_likelihood += top + log(sum);
}

void ssk_particles_feed(struct ssk_particles *p, const double *x, const double *mask, int D) {
  bool seen = false;
  for (int k = 0; k < D; k++)
    seen = seen || mask[k] != 0;
  for (int i = 0; i < p->n; i++)
    p->ancestor[i] = i;
  if (p->steps > 0 && ssk_effective_size(p->n, p->weight) < 0.5 * p->n)
    resample(p);
  propagate(p);
  if (seen)
    reweight(p, x, mask);
}

int ssk_particles_forecast(struct ssk_particles *p, int samples, int horizon, int D, double *paths,
                           ssk_err *err) {
  size_t states = (size_t)samples * (size_t)p->d;
  double *z = malloc(2 * states * sizeof *z);
  if (!z)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %d forecasts", samples);
  ssk_particles_draw(p, samples, z);
  for (int s = 0; s < samples; s++) {
    double *from = z + (size_t)s * (size_t)p->d, *to = from + states;
    for (int h = 0; h < horizon; h++) {
      step(p, p->steps + h, from, to);
      p->oracle->emission(p->self, &p->rng, to,
                          paths + ((size_t)s * (size_t)horizon + (size_t)h) * (size_t)D);
      double *swap = from;
      from = to;
      to = swap;
    }
  }
  free(z);
  return SSK_OK;
}

int ssk_particles_smooth(struct ssk_particles *p, int T, const double *x, const double *mask, int D,
                         int samples, double *z, ssk_err *err) {
  const size_t n = (size_t)p->n, d = (size_t)p->d;
  double *states = malloc((size_t)T * n * d * sizeof *states);
  double *last = malloc((size_t)samples * d * sizeof *last);
  int *ancestors = malloc((size_t)T * n * sizeof *ancestors);
  int *index = malloc((size_t)samples * sizeof *index);
  int code = states && ancestors && last && index
                 ? SSK_OK
                 : ssk_err_set(err, SSK_ENOMEM, "no memory for the particles of %d steps", T);
  for (int t = 0; t < T && !code; t++) {
    ssk_particles_feed(p, x + t * D, mask + t * D, D);
    memcpy(states + (size_t)t * n * d, p->z, n * d * sizeof *states);
    memcpy(ancestors + (size_t)t * n, p->ancestor, n * sizeof *ancestors);
  }
  if (!code)
    draw(p, samples, last, index);
  for (int s = 0; s < samples && !code; s++)
    for (int t = T - 1, i = index[s]; t >= 0; i = ancestors[(size_t)t * n + (size_t)i], t--)
      memcpy(z + ((size_t)s * (size_t)T + (size_t)t) * d, states + ((size_t)t * n + (size_t)i) * d,
             d * sizeof *z);
  free(states);
  free(ancestors);
  free(last);
  free(index);
  return code;
}

void ssk_particles_mean(const struct ssk_particles *p, double *mean) {
  memset(mean, 0, (size_t)p->d * sizeof *mean);
  for (int i = 0; i < p->n; i++)
    for (int k = 0; k < p->d; k++)
      mean[k] += p->weight[i] * p->z[(size_t)i * (size_t)p->d + (size_t)k];
}
