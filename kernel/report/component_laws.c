/* SPDX-License-Identifier: GPL-3.0-or-later */
/* component_laws.c - what must hold of the functions of single kinds. */
#include "core/text.h"
#include "report/component_check.h"
#include <stdlib.h>
#include <string.h>

/* ---- draws and density ----------------------------------------------------------------------- */

/* N draws of one dimension, given one past, and the density at N places. */
enum { N = 4096, BINS = 20 };
static const double tolerance = 0.03; /* nine standard errors of a bin's share, six of the sum of
                                         all; densities by a solver of an ODE are not exact */

static int ascending(const void *a, const void *b) {
  const ssk_real x = *(const ssk_real *)a, y = *(const ssk_real *)b;
  return (x > y) - (x < y);
}

struct law {
  struct ssk_trial *trial;
  const struct ssk_instance *instance;
  enum ssk_kind kind;
};

static struct law law_of(struct ssk_trial *trial, enum ssk_kind kind) {
  const struct ssk_model_section *parts = &trial->experiment->model;
  return (struct law){trial, kind == SSK_TRANSITION ? parts->transition : parts->emission, kind};
}

/* Of what is drawn, for each path. */
static size_t width_of(const struct law *law) {
  const struct ssk_dims *dims = &law->trial->model->dims;
  return (size_t)(law->kind == SSK_TRANSITION ? dims->d : dims->D);
}

/* A pass of N paths at one step whose latents before are all the same; its rows, `later` by some
 * steps. */
static struct ssk_rows begin(const struct law *law, int later) {
  struct ssk_pass *pass = &law->trial->pass;
  struct ssk_ctx *ctx = &pass->ctx;
  ssk_tensor *past[SSK_MAX_ORDER];
  const int j = ctx->dims->j;
  ssk_pass_begin(pass, law->trial->data->window_length, 1, N, NULL);
  for (int k = 0; k < j; k++)
    past[k] = ssk_full(ctx->tape, SSK_SHAPE(N, ctx->dims->d), (ssk_real)0.3);
  return ssk_model_rows(pass, &past[j - 1], j + later);
}

static ssk_tensor *draw(const struct law *law, int later) {
  const struct ssk_ctx *ctx = &law->trial->pass.ctx;
  struct ssk_rows rows = begin(law, later);
  return law->kind == SSK_TRANSITION ? ssk_transition_sample(law->instance, ctx, &rows)
                                     : ssk_emission_sample(ctx, &rows);
}

/* Log density at lo ... hi in N places. */
static ssk_tensor *density(const struct law *law, double lo, double hi) {
  const struct ssk_ctx *ctx = &law->trial->pass.ctx;
  struct ssk_rows rows = begin(law, 0);
  ssk_tensor *x = ssk_empty(ctx->tape, SSK_SHAPE(N, 1));
  for (size_t i = 0; i < x->count; i++)
    x->data[i] = (ssk_real)(lo + (hi - lo) * (double)i / (N - 1));
  if (law->kind == SSK_EMISSION)
    return ssk_emission_log_prob(ctx, &rows, x, ssk_full(ctx->tape, SSK_SHAPE(N, 1), 1));
  rows.z = x;
  return ssk_transition_log_prob(law->instance, ctx, &rows);
}

/* The mass of the density from `from` to `to`, of values at lo ... hi, by trapezoids. */
static double mass(const double *p, double lo, double hi, double from, double to) {
  enum { PARTS = 256 };
  double sum = 0;
  for (int i = 0; i <= PARTS; i++) {
    const double x = from + (to - from) * i / PARTS, at = (x - lo) / (hi - lo) * (N - 1);
    const int k = at >= N - 1 ? N - 2 : (int)at;
    const double value = p[k] + (at - k) * (p[k + 1] - p[k]);
    sum += value * (i == 0 || i == PARTS ? 0.5 : 1);
  }
  return sum * (to - from) / PARTS;
}

/* Why nothing can be drawn from given latents alone, or NULL. */
static const char *draws_nothing(const struct law *law) {
  const struct ssk_dims *dims = &law->trial->model->dims;
  if (dims->W || dims->V || dims->E)
    return "only without covariates and state";
  if (law->kind == SSK_EMISSION) {
    const struct ssk_emission_ops *ops = law->instance->component->ops;
    return ops->sample ? NULL : "it draws nothing";
  }
  const struct ssk_transition_ops *ops = law->instance->component->ops;
  return ops->path_loss ? "it is one of whole paths" : NULL;
}

/* Why the distribution of one dimension cannot be looked at, or NULL. */
static const char *has_no_density(const struct law *law) {
  if (width_of(law) != 1)
    return "only for one dimension";
  if (law->kind == SSK_EMISSION) {
    const struct ssk_emission_ops *ops = law->instance->component->ops;
    return ops->discrete ? "it is discrete" : NULL;
  }
  const struct ssk_transition_ops *ops = law->instance->component->ops;
  return ops->moments || ops->log_prob ? NULL : "it gives no density";
}

static const char *failure(const struct ssk_trial *trial, const char *otherwise) {
  return ssk_err_count(trial->pass.err) ? ssk_err_message(trial->pass.err, 0) : otherwise;
}

/* Values of a draw into `to`; false, where it has failed. */
static bool take(const struct law *law, int later, ssk_real *to) {
  const ssk_tensor *x = draw(law, later);
  if (ssk_tape_code(law->trial->pass.ctx.tape))
    return false;
  memcpy(to, x->data, N * width_of(law) * sizeof *to);
  return true;
}

static bool varies(const ssk_real *x, size_t width) {
  for (size_t i = width; i < N * width; i++)
    if (x[i] != x[i - width])
      return true;
  return false;
}

void ssk_check_draws(struct ssk_trial *trial, enum ssk_kind kind, struct ssk_check_report *report) {
  const struct law law = law_of(trial, kind);
  const size_t width = width_of(&law), n = N * width;
  const char *why = draws_nothing(&law);
  ssk_check_begin(report, "draws");
  if (why) {
    ssk_check_end(report, "draws", SSK_CHECK_SKIPPED, "%s", why);
    return;
  }
  ssk_real *x = calloc(3 * n, sizeof *x);
  if (!x || !take(&law, 0, x) || !take(&law, 0, x + n) || !take(&law, 1, x + 2 * n))
    ssk_check_end(report, "draws", SSK_CHECK_FAILED, "%s", failure(trial, "no memory"));
  else if (memcmp(x, x + n, n * sizeof *x))
    ssk_check_end(report, "draws", SSK_CHECK_FAILED,
                  "they are others when repeated: random numbers must come from the context");
  else if (varies(x, width) && !memcmp(x, x + 2 * n, n * sizeof *x))
    ssk_check_end(report, "draws", SSK_CHECK_FAILED,
                  "those of the next step are the same: rows->index names the random numbers");
  else
    ssk_check_end(report, "draws", SSK_CHECK_OK, "repeated, they are the same%s",
                  varies(x, width) ? "; at another step, others" : ": there is no chance in them");
  free(x);
}

void ssk_check_mask(struct ssk_trial *trial, struct ssk_check_report *report) {
  const struct law law = law_of(trial, SSK_EMISSION);
  const struct ssk_ctx *ctx = &trial->pass.ctx;
  const struct ssk_dims *dims = &trial->model->dims;
  ssk_check_begin(report, "mask");
  if (dims->V || dims->E || dims->W) {
    ssk_check_end(report, "mask", SSK_CHECK_SKIPPED, "only without covariates and state");
    return;
  }
  const struct ssk_rows rows = begin(&law, 0);
  const ssk_tensor *log_prob =
      ssk_emission_log_prob(ctx, &rows, ssk_full(ctx->tape, SSK_SHAPE(N, dims->D), 0),
                            ssk_full(ctx->tape, SSK_SHAPE(N, dims->D), 0));
  double most = 0;
  for (size_t i = 0; i < log_prob->count; i++)
    most = fmax(most, fabs((double)log_prob->data[i]));
  if (ssk_tape_code(ctx->tape))
    ssk_check_end(report, "mask", SSK_CHECK_FAILED, "%s", failure(trial, ""));
  else
    ssk_check_end(report, "mask", most == 0 ? SSK_CHECK_OK : SSK_CHECK_FAILED,
                  "where nothing is observed, the log density is %.3g", most);
}

void ssk_check_density(struct ssk_trial *trial, enum ssk_kind kind,
                       struct ssk_check_report *report) {
  const struct law law = law_of(trial, kind);
  const char *why = draws_nothing(&law);
  why = why ? why : has_no_density(&law);
  ssk_check_begin(report, "density");
  if (why) {
    ssk_check_end(report, "density", SSK_CHECK_SKIPPED, "%s", why);
    return;
  }
  ssk_real drawn[N];
  double p[N], worst = 0, total = 0;
  bool fine = take(&law, 0, drawn);
  for (int i = 0; fine && i < N; i++)
    fine = isfinite((double)drawn[i]);
  qsort(drawn, fine ? N : 0, sizeof *drawn, ascending);
  const double lo = fine ? (double)drawn[N / BINS] : 0, hi = fine ? (double)drawn[N - N / BINS] : 0;
  const ssk_tensor *log_p = fine && hi > lo ? density(&law, lo, hi) : NULL;
  if (!log_p || ssk_tape_code(trial->pass.ctx.tape)) {
    ssk_check_end(report, "density", SSK_CHECK_FAILED, "%s",
                  failure(trial, "draws are not finite, or all the same"));
    return;
  }
  for (int i = 0; i < N; i++)
    p[i] = exp((double)log_p->data[i]);
  const double share = (double)(N / BINS) / N;
  for (int k = 1; k < BINS - 1; k++) {
    const double m =
        mass(p, lo, hi, (double)drawn[k * (N / BINS)], (double)drawn[(k + 1) * (N / BINS)]);
    const double off = fabs(m - share);
    worst = off <= worst ? worst : off;
    total += m - share;
  }
  const bool fits = worst <= tolerance && fabs(total) <= tolerance;
  ssk_check_end(
      report, "density", fits ? SSK_CHECK_OK : SSK_CHECK_FAILED,
      "%d draws in %d bins: shares and masses of the density differ by %.3g, their sums by "
      "%.3g, at most %.3g is allowed",
      N, BINS - 2, worst, fabs(total), tolerance);
}

/* ---- schedules ------------------------------------------------------------------------------- */

void ssk_check_schedule(const struct ssk_instance *schedule, struct ssk_check_report *report) {
  enum { POINTS = 64 };
  const struct ssk_schedule_ops *ops = schedule->component->ops;
  double before = 0, worst = 0;
  int broken = -1;
  ssk_check_begin(report, "schedule");
  for (int i = 0; broken < 0 && i <= POINTS; i++) {
    const double u = (double)i / POINTS, sigma = ops->sigma(schedule->self, u);
    if (!isfinite(sigma) || !(sigma > before))
      broken = i;
    before = sigma;
    if (ops->time && broken < 0)
      worst = fmax(worst, fabs(ops->time(schedule->self, sigma) - u));
  }
  if (broken >= 0)
    ssk_check_end(report, "schedule", SSK_CHECK_FAILED,
                  "sigma(%g) = %g is not positive, finite and more than before",
                  (double)broken / POINTS, before);
  else
    ssk_check_end(report, "schedule", worst < 1e-6 ? SSK_CHECK_OK : SSK_CHECK_FAILED,
                  "sigma increases; time(sigma(u)) is off by %.2g", worst);
}

/* ---- data sets ------------------------------------------------------------------------------- */

/* Series i once more beside what was read: whether they are the same. */
static bool same_again(const struct ssk_data *data, enum ssk_split split, int64_t i,
                       struct ssk_series *series, ssk_err *err) {
  const struct ssk_dataset_ops *ops = data->dataset->component->ops;
  const struct ssk_split_data *read = &data->split[split];
  const size_t D = (size_t)data->shape.D;
  for (size_t e = 0; e < (size_t)data->shape.max_length * D; e++)
    series->mask[e] = 1;
  if (ops->fill(data->dataset->self, split, i, series, err) || series->length != read->length[i])
    return false;
  const double *x = read->x + (size_t)i * (size_t)read->room * D;
  const double *mask = read->mask + (size_t)i * (size_t)read->room * D;
  for (size_t e = 0; e < (size_t)series->length * D; e++)
    if (mask[e] != 0 && (series->mask[e] != mask[e] || series->x[e] != x[e]))
      return false;
  return true;
}

void ssk_check_dataset(const struct ssk_trial *trial, struct ssk_check_report *report) {
  const struct ssk_data *data = trial->data;
  const size_t steps = (size_t)data->shape.max_length;
  const size_t width = (size_t)(data->shape.D * 2 + data->shape.V + data->shape.latent);
  double *memory = calloc(steps * width + (size_t)data->shape.E + 1, sizeof *memory);
  struct ssk_series series = {.size = sizeof series};
  ssk_err *err = ssk_err_new();
  int64_t n = 0;
  bool same = memory != NULL;
  ssk_check_begin(report, "series");
  if (memory) {
    double *next = memory;
    series.x = next, next += steps * (size_t)data->shape.D;
    series.mask = next, next += steps * (size_t)data->shape.D;
    series.u = data->shape.V ? next : NULL, next += steps * (size_t)data->shape.V;
    series.z = data->shape.latent ? next : NULL, next += steps * (size_t)data->shape.latent;
    series.s = data->shape.E ? next : NULL;
  }
  for (int split = 0; same && split < SSK_SPLIT_COUNT; split++)
    for (int64_t i = data->split[split].n - 1; same && i >= 0; i--, n++)
      same = same_again(data, split, i, &series, err);
  ssk_check_end(report, "series", same ? SSK_CHECK_OK : SSK_CHECK_FAILED,
                same ? "%lld series are the same when read again, the last first"
                     : "after %lld series read again, the last first, one is another",
                (long long)n);
  free(memory);
  ssk_err_free(err);
}
