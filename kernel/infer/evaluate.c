/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evaluate.c - one loop for models, baselines and the oracle: forecast each series from its
 * context, take the bound, show both to the metrics. Series are the tasks of the pool; each writes
 * its own row of values, and random numbers are named by series, so threads leave no trace. */
#include "infer/evaluate.h"
#include "infer/no_value.h"
#include "infer/oracle_transition.h"
#include "infer/pooled.h"
#include "infer/smoothing.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ssk_mean ssk_mean_of(const double *values, int64_t n, int64_t stride) {
  struct ssk_mean out = {.mean = NAN, .se = NAN};
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < n; i++)
    if (!isnan(values[i * stride])) {
      sum += values[i * stride];
      out.n++;
    }
  if (out.n == 0)
    return out;
  out.mean = sum / (double)out.n;
  for (int64_t i = 0; i < n; i++)
    if (!isnan(values[i * stride]))
      squares += (values[i * stride] - out.mean) * (values[i * stride] - out.mean);
  if (out.n > 1)
    out.se = sqrt(squares / (double)(out.n - 1) / (double)out.n);
  return out;
}

static const struct ssk_metric_ops *ops_of(const struct ssk_instance *metric) {
  return metric->component->ops;
}

/* ---- the loop ---------------------------------------------------------------------------------
 */

struct thread_state {
  double *paths;          /* [samples, horizon, D] */
  double *step;           /* [samples, D] */
  double *draws, *kernel; /* [kernel_draws, latents] of the transition, of the exact one */
  double *next;           /* [latents] */
  struct ssk_smoothing_work smoothing;
  struct ssk_smoothing smoothed; /* of the series at hand */
  ssk_err *err;
  int code, failed; /* the first failure and its series */
};

struct loop {
  const struct ssk_forecaster *forecaster;
  const struct ssk_data *data;
  const struct ssk_evaluate_section *evaluate;
  uint64_t seed;
  unsigned needs; /* of all metrics */
  int64_t first;  /* series, of the split; its row of the results is 0 */
  struct ssk_evaluation *out;
  struct thread_state *threads;
};

/* One step of the transition, and the exact one beside it. */
static int add_transition(const struct loop *l, int i, int thread, struct ssk_case *c) {
  const struct ssk_evaluate_section *e = l->evaluate;
  struct thread_state *state = &l->threads[thread];
  struct ssk_series_transition t = {.draws = state->draws, .next = state->next, .log_prob = NAN};
  int n = (int)e->kernel_draws;
  int code = l->forecaster->transition(l->forecaster->self, l->data, e->split, i, c->context, n,
                                       l->seed, thread, &t, state->err);
  if (code)
    return code;
  c->has_transition = true;
  c->latents = l->forecaster->latents;
  c->draws = n;
  c->next_latent = t.next;
  c->transition = t.draws;
  c->transition_log_prob = t.log_prob;
  if (!t.truth || !c->oracle)
    return SSK_OK;
  c->kernel = state->kernel;
  return ssk_oracle_draw(l->data, e->split, i, c->context, n,
                         ssk_rng_open(l->seed, "infer.kernel", "reference", e->split, (uint32_t)i),
                         state->kernel, state->err);
}

/* The case of series i; samples is 0 where the series is too short for a forecast. */
static int make_case(const struct loop *l, int i, int thread, struct ssk_case *c) {
  const struct ssk_evaluate_section *e = l->evaluate;
  const struct ssk_data *data = l->data;
  const struct ssk_split_data *split = &data->split[e->split];
  struct thread_state *state = &l->threads[thread];
  int D = data->shape.D, length = split->length[i], horizon = (int)e->horizon;
  int64_t row = (int64_t)i * split->room;
  *c = (struct ssk_case){.size = sizeof *c, .D = D};
  int context = ssk_forecaster_context(l->forecaster, e->context, horizon, length), code = SSK_OK;
  if (context) {
    c->context = context;
    c->horizon = horizon;
    c->history = split->x + row * D;
    c->history_mask = split->mask + row * D;
    c->truth = c->history + context * D;
    c->truth_mask = c->history_mask + context * D;
    if (split->z)
      c->z_last = split->z + (row + context - 1) * data->shape.latent;
    if (data->oracle && c->z_last) {
      c->oracle = data->oracle;
      c->oracle_self = data->dataset->self;
    }
    if (l->forecaster->forecast && (l->needs & SSK_NEEDS_SAMPLES)) {
      c->samples = (int)e->samples;
      c->paths = state->paths;
      code = l->forecaster->forecast(l->forecaster->self, data, e->split, i, context, horizon,
                                     c->samples, l->seed, thread, state->paths, state->err);
    }
  }
  if (!code && c->context && l->forecaster->transition && (l->needs & SSK_NEEDS_TRANSITION))
    code = add_transition(l, i, thread, c);
  int steps = e->bound_length && e->bound_length < length ? (int)e->bound_length : length;
  if (!code && l->forecaster->bound && (l->needs & SSK_NEEDS_BOUND)) {
    struct ssk_series_bound bound = {0};
    code = l->forecaster->bound(l->forecaster->self, data, e->split, i, steps, l->seed, thread,
                                &bound, state->err);
    c->has_bound = !code;
    c->bound_length = bound.length;
    c->distortion = bound.distortion;
    c->rate_initial = bound.rate_initial;
    c->rate_transition = bound.rate_transition;
  }
  if (!code && l->forecaster->likelihood && (l->needs & SSK_NEEDS_LIKELIHOOD)) {
    struct ssk_series_likelihood likelihood = {0};
    code = l->forecaster->likelihood(l->forecaster->self, data, e->split, i, steps, l->seed, thread,
                                     &likelihood, state->err);
    c->has_likelihood = !code;
    c->likelihood_length = likelihood.length;
    c->log_likelihood = likelihood.log_likelihood;
    c->effective_paths = likelihood.effective_paths;
    c->pareto_k = likelihood.pareto_k;
  }
  if (!code && l->forecaster->posterior && (l->needs & SSK_NEEDS_POSTERIOR)) {
    c->samples = (int)e->samples;
    code = ssk_smoothing_of(l->forecaster, data, e->split, i, c->samples, l->seed, thread,
                            &state->smoothing, &state->smoothed, state->err);
    c->smoothing = code ? NULL : &state->smoothed;
  }
  return code;
}

/* The case of one step of the horizon: a forecast of one step. */
static struct ssk_case case_of_step(const struct ssk_case *c, int step, double *paths) {
  struct ssk_case one = *c;
  size_t D = (size_t)c->D, H = (size_t)c->horizon, h = (size_t)step - 1;
  one.horizon = 1;
  one.z_last = step == 1 ? c->z_last : NULL;
  one.lead = step - 1;
  one.truth += h * D;
  one.truth_mask += h * D;
  one.paths = paths;
  for (size_t s = 0; s < (size_t)c->samples; s++)
    memcpy(paths + s * D, c->paths + (s * H + h) * D, D * sizeof *paths);
  return one;
}

static bool can_show(unsigned needs, const struct ssk_case *c) {
  return !((needs & SSK_NEEDS_SAMPLES) && !c->paths) &&
         !((needs & SSK_NEEDS_BOUND) && !c->has_bound) &&
         !((needs & SSK_NEEDS_LIKELIHOOD) && !c->has_likelihood) &&
         !((needs & SSK_NEEDS_TRANSITION) && !c->has_transition) &&
         !((needs & SSK_NEEDS_POSTERIOR) && !c->smoothing) &&
         !((needs & SSK_NEEDS_ORACLE) && !c->oracle);
}

static void evaluate_series(int task, int thread, void *user) {
  struct loop *l = user;
  struct thread_state *state = &l->threads[thread];
  struct ssk_case c;
  double *values = l->out->values + (int64_t)task * l->out->n_metrics;
  if (state->code)
    return; /* the evaluation fails: its values are not used */
  int code = make_case(l, (int)l->first + task, thread, &c);
  if (code) {
    state->code = code;
    state->failed = (int)l->first + task;
    return;
  }
  for (int k = 0; k < l->out->n_metrics; k++) {
    const struct ssk_metric_column *column = &l->out->columns[k];
    double *terms = l->out->terms + ((int64_t)task * l->out->n_metrics + k) * SSK_METRIC_TERMS;
    const struct ssk_metric_ops *ops = ops_of(column->metric);
    values[k] = terms[0] = NAN;
    if (can_show(ops->needs, &c)) {
      struct ssk_case shown = column->step ? case_of_step(&c, column->step, state->step) : c;
      if (!ops->terms)
        values[k] = ops->value(column->metric->self, &shown);
      else if (!ops->accumulate(column->metric->self, &shown, terms))
        terms[0] = NAN;
    }
    if (task == 0) /* where none has a value, the first has none */
      l->out->reasons[k] = ssk_no_value(l->forecaster, l->data, ops->needs, &c);
  }
}

/* The failure of the lowest series, whatever thread met it. */
static int report_failure(const struct loop *l, int n_threads, ssk_err *err) {
  const struct thread_state *first = NULL;
  for (int t = 0; t < n_threads; t++)
    if (l->threads[t].code && (!first || l->threads[t].failed < first->failed))
      first = &l->threads[t];
  if (!first)
    return SSK_OK;
  return ssk_err_set(err, first->code, "%s, series %d: %s", l->forecaster->name, first->failed,
                     ssk_err_message(first->err, 0));
}

static int prepare(struct loop *l, int n_threads, ssk_err *err) {
  const struct ssk_evaluate_section *e = l->evaluate;
  struct ssk_evaluation *out = l->out;
  out->values = calloc((size_t)out->n_series * (size_t)(out->n_metrics + 1), sizeof *out->values);
  out->means = calloc((size_t)out->n_metrics + 1, sizeof *out->means);
  out->reasons = calloc((size_t)out->n_metrics + 1, sizeof *out->reasons);
  l->threads = calloc((size_t)n_threads, sizeof *l->threads);
  out->columns = calloc((size_t)out->n_metrics + 1, sizeof *out->columns);
  out->terms = calloc((size_t)out->n_series * (size_t)(out->n_metrics + 1) * SSK_METRIC_TERMS,
                      sizeof *out->terms);
  bool failed =
      !out->values || !out->means || !out->reasons || !l->threads || !out->columns || !out->terms;
  size_t step = (size_t)e->samples * (size_t)l->data->shape.D, entries = step * (size_t)e->horizon;
  size_t latents = (size_t)l->forecaster->latents;
  size_t draws = (l->needs & SSK_NEEDS_TRANSITION) ? (size_t)e->kernel_draws * latents : 0;
  if (!failed)
    ssk_metric_columns(e, out->columns);
  for (int t = 0; t < n_threads && !failed; t++) {
    l->threads[t].paths = malloc(entries * sizeof(double));
    l->threads[t].step = malloc(step * sizeof(double));
    l->threads[t].draws = malloc((2 * draws + latents + 1) * sizeof(double));
    l->threads[t].err = ssk_err_new();
    failed = !l->threads[t].paths || !l->threads[t].step || !l->threads[t].draws ||
             !l->threads[t].err ||
             ((l->needs & SSK_NEEDS_POSTERIOR) &&
              ssk_smoothing_open(&l->threads[t].smoothing, l->data, (int)e->samples, err));
    l->threads[t].kernel = failed ? NULL : l->threads[t].draws + draws;
    l->threads[t].next = failed ? NULL : l->threads[t].kernel + draws;
  }
  return failed ? ssk_err_set(err, SSK_ENOMEM, "no memory for the evaluation") : SSK_OK;
}

/* Pooled figures as values, and the means of all; columns with one need no reason. */
static void summarise(struct ssk_evaluation *out) {
  for (int k = 0; k < out->n_metrics; k++)
    if (ops_of(out->columns[k].metric)->terms)
      ssk_pooled_values(out->columns[k].metric, out->terms + (int64_t)k * SSK_METRIC_TERMS,
                        out->n_series, out->n_metrics, out->values + k);
  for (int k = 0; k < out->n_metrics; k++) {
    out->means[k] = ssk_mean_of(out->values + k, out->n_series, out->n_metrics);
    if (out->means[k].n)
      out->reasons[k] = NULL;
  }
}

static unsigned needs_of(const struct ssk_evaluate_section *evaluate) {
  unsigned needs = 0;
  for (int k = 0; k < evaluate->metrics.n; k++)
    needs |= ops_of(evaluate->metrics.items[k])->needs;
  return needs;
}

int ssk_evaluate_check(const struct ssk_forecaster *forecaster, const struct ssk_data *data,
                       const struct ssk_evaluate_section *evaluate, ssk_err *err) {
  const int64_t named = ssk_evaluated_series(evaluate, data);
  const int64_t least = ssk_forecaster_history(forecaster);
  const int64_t wanted = (evaluate->context ? evaluate->context : least) + evaluate->horizon;
  int64_t longest = 0;
  for (int64_t i = 0; i < named; i++)
    longest = data->split[evaluate->split].length[i] > longest
                  ? data->split[evaluate->split].length[i]
                  : longest;
  if (named < 1)
    return ssk_err_set(err, SSK_EDATA, "the split to evaluate has no series");
  if (!(needs_of(evaluate) & (SSK_NEEDS_SAMPLES | SSK_NEEDS_TRANSITION)))
    return SSK_OK;
  if (evaluate->context && evaluate->context < least)
    return ssk_err_set(err, SSK_EDATA,
                       "evaluate.context is %lld: %s needs a history of %lld steps, its order",
                       (long long)evaluate->context, forecaster->name, (long long)least);
  if (longest < wanted)
    return ssk_err_set(err, SSK_EDATA,
                       "no series is long enough to evaluate: context and horizon take %lld steps, "
                       "the longest has %lld",
                       (long long)wanted, (long long)longest);
  return SSK_OK;
}

int ssk_evaluate_range(const struct ssk_forecaster *forecaster, const struct ssk_data *data,
                       const struct ssk_evaluate_section *evaluate, int64_t first, int64_t count,
                       uint64_t seed, struct ssk_pool *pool, struct ssk_evaluation *out,
                       ssk_err *err) {
  const struct ssk_split_data *split = &data->split[evaluate->split];
  int n_threads = ssk_pool_threads(pool);
  struct timespec start, end;
  int64_t n = split->n < INT_MAX ? split->n : INT_MAX; /* as tasks of a pool are counted */
  count = first < n ? count < n - first ? count : n - first : 0;
  *out = (struct ssk_evaluation){.n_series = count,
                                 .n_metrics = ssk_metric_column_count(evaluate),
                                 .evaluations = forecaster->evaluations};
  struct loop l = {.forecaster = forecaster,
                   .data = data,
                   .evaluate = evaluate,
                   .seed = seed,
                   .needs = needs_of(evaluate),
                   .first = first,
                   .out = out};
  int code = ssk_evaluate_check(forecaster, data, evaluate, err);
  if (code)
    return code;
  clock_gettime(CLOCK_MONOTONIC, &start);
  code = prepare(&l, n_threads, err);
  if (!code) {
    ssk_pool_run(pool, (int)out->n_series, evaluate_series, &l);
    code = report_failure(&l, n_threads, err);
  }
  if (!code)
    summarise(out);
  for (int t = 0; t < n_threads && l.threads; t++) {
    free(l.threads[t].paths);
    free(l.threads[t].step);
    free(l.threads[t].draws);
    ssk_smoothing_free(&l.threads[t].smoothing);
    ssk_err_free(l.threads[t].err);
  }
  free(l.threads);
  clock_gettime(CLOCK_MONOTONIC, &end);
  out->seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
  if (code)
    ssk_evaluation_free(out);
  return code;
}

int64_t ssk_evaluated_series(const struct ssk_evaluate_section *evaluate,
                             const struct ssk_data *data) {
  int64_t n = data->split[evaluate->split].n;
  return evaluate->series && evaluate->series < n ? evaluate->series : n;
}

int ssk_evaluate(const struct ssk_forecaster *forecaster, const struct ssk_data *data,
                 const struct ssk_evaluate_section *evaluate, uint64_t seed, struct ssk_pool *pool,
                 struct ssk_evaluation *out, ssk_err *err) {
  return ssk_evaluate_range(forecaster, data, evaluate, 0, ssk_evaluated_series(evaluate, data),
                            seed, pool, out, err);
}

/* a[n] and b[m] in one, malloc'ed. */
static double *join(const double *a, size_t n, const double *b, size_t m) {
  double *both = malloc((n + m + 1) * sizeof *both);
  if (both) {
    memcpy(both, a, n * sizeof *both);
    memcpy(both + n, b, m * sizeof *both);
  }
  return both;
}

int ssk_evaluation_append(struct ssk_evaluation *all, struct ssk_evaluation *more, ssk_err *err) {
  if (!all->values) {
    *all = *more;
    *more = (struct ssk_evaluation){0};
    return SSK_OK;
  }
  size_t row = (size_t)all->n_metrics, n = (size_t)all->n_series, m = (size_t)more->n_series;
  double *values = join(all->values, n * row, more->values, m * row);
  row *= SSK_METRIC_TERMS;
  double *terms = join(all->terms, n * row, more->terms, m * row);
  int code = values && terms ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for scores");
  if (code) {
    free(values);
    free(terms);
  } else {
    free(all->values);
    free(all->terms);
    all->values = values;
    all->terms = terms;
    all->n_series += more->n_series;
    all->seconds += more->seconds;
    summarise(all);
  }
  ssk_evaluation_free(more);
  return code;
}

void ssk_evaluation_free(struct ssk_evaluation *evaluation) {
  free(evaluation->columns);
  free(evaluation->terms);
  free(evaluation->values);
  free(evaluation->means);
  free(evaluation->reasons);
  *evaluation = (struct ssk_evaluation){0};
}
