/* SPDX-License-Identifier: GPL-3.0-or-later */
/* component_check.c - a component in a small model: is its recipe read, does it run at several
 * sizes, is its gradient that of the loss, are its bits the same twice, in two threads and after
 * another use, does it leave memory behind, and is what it forecasts finite? */
#include "report/component_check.h"
#include "core/pool.h"
#include "core/text.h"
#include "infer/evaluate.h"
#include "infer/model_forecast.h"
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void ssk_check_begin(struct ssk_check_report *report, const char *check) {
  report->begin(report->user, check);
}

void ssk_check_end(struct ssk_check_report *report, const char *check, enum ssk_outcome outcome,
                   const char *format, ...) {
  char detail[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(detail, sizeof detail, format, args);
  va_end(args);
  report->failed += outcome == SSK_CHECK_FAILED;
  report->end(report->user, check, outcome, detail);
}

/* ---- the small model ------------------------------------------------------------------------- */

/* Where in a recipe a component of each kind stands; %s is its name. */
static const char *const places[SSK_KIND_COUNT] = {
    [SSK_DATASET] = "data: {use: %s}\n",
    [SSK_SUMMARY] = "model: {summary: {use: %s}}\n",
    [SSK_ENCODER] = "model: {encoder: {use: %s}}\n",
    [SSK_EMISSION] = "model: {emission: {use: %s}}\n",
    [SSK_INITIAL] = "model: {initial: {use: %s}}\n",
    [SSK_TRANSITION] = "model: {transition: {use: %s}}\n",
    [SSK_SCHEDULE] = "model: {transition: {use: diffusion, levels: 8, schedule: {use: %s}}}\n",
    [SSK_DENOISER] = "model: {transition: {use: diffusion, levels: 8, denoiser: {use: %s}}}\n",
    [SSK_MIXER] = "model: {transition: {use: diffusion, levels: 8, denoiser: {use: csdi, "
                  "channels: 8, layers: 1, time: {use: %s}}}}\n",
    [SSK_SAMPLER] = "model: {transition: {use: diffusion, levels: 8, sampler: {use: %s}}}\n",
    [SSK_OBJECTIVE] = "objective: {use: %s}\n",
    [SSK_METRIC] = "evaluate: {metrics: [{use: %s}]}\n",
    [SSK_NETWORK] = "model: {transition: {use: gaussian, network: {use: %s}}}\n",
};

/* What the small model has elsewhere. */
static const char *const defaults[] = {
    "model.latent=1",
    "model.paths=2",
    "model.summary={use: gru, hidden: 4}",
    "model.encoder={use: gaussian, network: {use: mlp, hidden: 4, layers: 1}}",
    "model.transition={use: gaussian, network: {use: mlp, hidden: 4, layers: 1}}",
    "objective={use: elbo, warmup: 0}", /* a rate of full weight */
    "training.batch=8",
    "evaluate.series=4",
    "evaluate.horizon=2",
    "evaluate.samples=16",
    "evaluate.bound_paths=2",
    "evaluate.likelihood_paths=2",
    "evaluate.particles=32",
    "evaluate.kernel_draws=32",
};
enum { N_DEFAULTS = sizeof defaults / sizeof defaults[0] };

/* What it is called where a file has its name. */
static const char own_recipe[] = "(recipe of the check)";

struct subject {
  const struct ssk_component *component;
  struct ssk_registry *registry;
  const char *recipe; /* NULL: the small one */
  int n_over;
  const char *const *over;
  struct ssk_check_report *report;
};

/* The overrides of a subject in the small model: what of the defaults its place leaves free, then
 * `more`, then the user's. */
static int small_overrides(const struct subject *s, const char *const *more, const char **out) {
  static const char *const owners[] = {
      [SSK_SUMMARY] = "model.summary=",       [SSK_ENCODER] = "model.encoder=",
      [SSK_TRANSITION] = "model.transition=", [SSK_SCHEDULE] = "model.transition=",
      [SSK_DENOISER] = "model.transition=",   [SSK_MIXER] = "model.transition=",
      [SSK_SAMPLER] = "model.transition=",    [SSK_NETWORK] = "model.transition=",
      [SSK_OBJECTIVE] = "objective=",         [SSK_KIND_COUNT] = NULL};
  const char *owner = owners[s->component->kind];
  int n = 0;
  for (int i = 0; i < N_DEFAULTS; i++)
    if (!owner || strncmp(defaults[i], owner, strlen(owner)) != 0)
      out[n++] = defaults[i];
  if (s->component->kind != SSK_DATASET)
    out[n++] = "data={use: lgssm, sequences: 16, valid: 8, test: 8, length: 8}";
  while (more && *more)
    out[n++] = *more++;
  for (int i = 0; i < s->n_over; i++)
    out[n++] = s->over[i];
  return n;
}

static int open_trial(const struct subject *s, const char *const *more, struct ssk_trial *trial,
                      ssk_err *err) {
  struct ssk_experiment *experiment = NULL;
  *trial = (struct ssk_trial){0};
  int code;
  if (s->recipe) {
    code = ssk_experiment_load(s->recipe, s->n_over, s->over, s->registry, &experiment, err);
  } else {
    const char **over = calloc((size_t)(N_DEFAULTS + 8 + s->n_over), sizeof *over);
    struct ssk_text text = {0};
    ssk_text_add(&text, "name: check\n");
    ssk_text_printf(&text, places[s->component->kind], s->component->name);
    if (!over || text.failed)
      code = ssk_err_set(err, SSK_ENOMEM, "no memory for a recipe");
    else
      code =
          ssk_experiment_parse(own_recipe, text.data, text.length, small_overrides(s, more, over),
                               over, s->registry, &experiment, err);
    ssk_text_free(&text);
    free(over);
  }
  return code ? code : ssk_trial_open(trial, experiment, err);
}

/* The instance that is of the component, among what the members of a struct hold, or beneath; NULL
 * where there is none. */
static const struct ssk_instance *find_in(const struct ssk_param *rows, const char *self,
                                          const struct ssk_component *component);

static const struct ssk_instance *find(const struct ssk_instance *i,
                                       const struct ssk_component *component) {
  return !i || i->component == component ? i : find_in(i->component->params, i->self, component);
}

static const struct ssk_instance *find_in(const struct ssk_param *rows, const char *self,
                                          const struct ssk_component *component) {
  const struct ssk_instance *found = NULL;
  for (const struct ssk_param *row = rows; row && row->name && !found; row++) {
    const void *member = self + row->offset;
    const struct ssk_instances *list = member;
    if (row->type == SSK_T_SECTION)
      found = find_in(row->rows, member, component);
    else if (row->type == SSK_T_COMPONENT)
      found = find(*(struct ssk_instance *const *)member, component);
    for (int k = 0; row->type == SSK_T_COMPONENTS && k < list->n && !found; k++)
      found = find(list->items[k], component);
  }
  return found;
}

/* The reason of a failure with its hint, for a report; with its place, where that is in a file of
 * the user's. */
enum { REASON = 800 };
static const char *reason(const ssk_err *err, char text[REASON]) {
  struct ssk_diagnostic first;
  if (!ssk_err_get(err, 0, &first))
    return "no reason was given";
  const bool placed = first.pos.file && first.pos.line > 0 && strcmp(first.pos.file, own_recipe);
  int n = placed ? snprintf(text, REASON, "%.300s:%d:%d: ", first.pos.file, first.pos.line,
                            first.pos.column)
                 : 0;
  snprintf(text + n, (size_t)(REASON - n), first.hint ? "%s (%s)" : "%s", first.message,
           first.hint);
  return text;
}

/* ---- checks ---------------------------------------------------------------------------------- */

/* One pass at other sizes than the first; false where the component says that it cannot. */
static void check_sizes(const struct subject *s) {
  static const char *const sizes[][4] = {{"model.order=2", "model.time_features=4"},
                                         {"model.latent=3", "model.paths=1"},
                                         {"model.latent=2", "model.order=3", "training.segment=3"},
                                         {"missing.fraction=0.3"}};
  enum { N = sizeof sizes / sizeof sizes[0] };
  int ran = 0;
  char text[REASON];
  ssk_check_begin(s->report, "sizes");
  for (int i = 0; i < N; i++) {
    struct ssk_trial trial;
    ssk_err *err = ssk_err_new();
    const int code = open_trial(s, sizes[i], &trial, err);
    const double loss = code ? 0
                             : ssk_trial_loss(&trial, &trial.pass, trial.gradient,
                                              (int)trial.experiment->training.segment);
    const bool failed = code ? code != SSK_ERECIPE && code != SSK_EDATA : !isfinite(loss);
    if (failed)
      ssk_check_end(s->report, "sizes", SSK_CHECK_FAILED, "with %s: %s", sizes[i][0],
                    code                            ? reason(err, text)
                    : ssk_err_count(trial.pass.err) ? reason(trial.pass.err, text)
                                                    : "the loss is not finite");
    ran += !code;
    ssk_trial_release(&trial);
    ssk_err_free(err);
    if (failed)
      return;
  }
  ssk_check_end(s->report, "sizes", ran ? SSK_CHECK_OK : SSK_CHECK_SKIPPED,
                "%d of %d other sizes run, the rest is refused", ran, N);
}

static bool check_loss(struct ssk_trial *trial, struct ssk_check_report *report) {
  char text[REASON];
  ssk_check_begin(report, "loss");
  const double loss = ssk_trial_loss(trial, &trial->pass, trial->gradient, 0);
  const bool fine = isfinite(loss);
  if (fine)
    ssk_check_end(report, "loss", SSK_CHECK_OK, "%.6g nats a path", loss);
  else
    ssk_check_end(report, "loss", SSK_CHECK_FAILED, "%s",
                  ssk_err_count(trial->pass.err) ? reason(trial->pass.err, text)
                                                 : "the loss is not finite");
  return fine;
}

static void check_gradient(struct ssk_trial *trial, struct ssk_check_report *report) {
  const struct ssk_layout *layout = &trial->model->layout;
  ssk_real *gradient = calloc(layout->total + 1, sizeof *gradient);
  const char *worst_name = "", *precision = sizeof(ssk_real) == 8 ? "double" : "single";
  struct ssk_slope worst = {0};
  double most = -1;
  int n = 0;
  ssk_check_begin(report, "gradient");
  if (gradient)
    ssk_trial_loss(trial, &trial->pass, gradient, 0);
  for (int k = 0; gradient && k < layout->n; k++) {
    if (layout->slice[k].flags & SSK_STATISTIC)
      continue;
    n++;
    for (int along = 0; along < 2; along++) {
      const struct ssk_slope slope = ssk_trial_slope(trial, k, gradient, along);
      const double error = fabs(slope.differences - slope.reverse);
      const double off = slope.allowed > 0 ? error / slope.allowed : error > 0 ? INFINITY : 0;
      if (!(off <= most)) {
        most = isnan(off) ? (double)INFINITY : off;
        worst = slope;
        worst_name = layout->slice[k].name;
      }
    }
  }
  free(gradient);
  if (most > 1)
    ssk_check_end(report, "gradient", SSK_CHECK_FAILED,
                  "%s: reverse mode gives %.6g, differences of the loss %.6g", worst_name,
                  worst.reverse, worst.differences);
  else
    ssk_check_end(report, "gradient", SSK_CHECK_OK,
                  "%d weights beside differences of the loss, in %s precision", n, precision);
}

struct race {
  const struct ssk_trial *trial;
  struct ssk_pass *pass;    /* [2] a thread */
  ssk_real *const *results; /* [n] gradients */
  double *losses;
};

static void race_task(int task, int thread, void *state) {
  const struct race *race = state;
  race->losses[task] = ssk_trial_loss(race->trial, &race->pass[thread], race->results[task], 0);
}

/* The same pass twice in this thread, then four times in two. */
static void check_bits(struct ssk_trial *trial, struct ssk_check_report *report) {
  enum { N = 6, THREADS = 2 };
  const size_t total = trial->model->layout.total + 1, bytes = total * sizeof(ssk_real);
  ssk_real *memory = calloc(N * total, sizeof *memory), *results[N];
  struct ssk_pool *pool = NULL;
  struct ssk_pass pass[THREADS] = {0};
  double losses[N];
  bool ready = memory && !ssk_pool_new(THREADS, &pool, NULL);
  for (int t = 0; t < THREADS; t++)
    ready = !ssk_pass_init(&pass[t], trial->model, trial->values) && ready;
  for (int i = 0; i < N; i++)
    results[i] = memory ? memory + (size_t)i * total : NULL;
  ssk_check_begin(report, "same bits");
  for (int i = 0; ready && i < 2; i++)
    losses[i] = ssk_trial_loss(trial, &trial->pass, results[i], 0);
  bool twice = ready && !memcmp(&losses[0], &losses[1], sizeof *losses) &&
               !memcmp(results[0], results[1], bytes);
  ssk_check_end(report, "same bits", twice ? SSK_CHECK_OK : SSK_CHECK_FAILED, "%s",
                !ready  ? "no memory"
                : twice ? "a second pass gives them"
                        : "a second pass gives others: something is kept from the first");
  ssk_check_begin(report, "threads");
  bool same = ready;
  if (ready) {
    struct race race = {trial, pass, results + 2, losses + 2};
    ssk_pool_run(pool, N - 2, race_task, &race);
    for (int i = 2; i < N; i++)
      same = same && !memcmp(&losses[0], &losses[i], sizeof *losses) &&
             !memcmp(results[0], results[i], bytes);
  }
  ssk_check_end(report, "threads", same ? SSK_CHECK_OK : SSK_CHECK_FAILED, "%s",
                !ready ? "no memory"
                : same
                    ? "two at once give the same bits"
                    : "two at once give other bits: what runs on a tape must not write to *self");
  for (int t = 0; t < THREADS; t++)
    if (pass[t].ctx.tape)
      ssk_pass_free(&pass[t]);
  ssk_pool_free(pool);
  free(memory);
}

/* Bytes that are in use after the model was made, run and freed again, time after time. The first
 * times fill what the allocator keeps, and that goes on for a while with large models; a leak is
 * the same each time. */
static void check_memory(const struct subject *s) {
  enum { TIMES = 12, LAST = 5 };
  size_t used = 0;
  long growth = 0;
  int times = 0; /* it grew by so much, one after another */
  ssk_check_begin(s->report, "memory");
  for (int i = 0; i < TIMES; i++) {
    struct ssk_trial trial;
    ssk_err *err = ssk_err_new();
    if (!open_trial(s, NULL, &trial, err))
      ssk_trial_loss(&trial, &trial.pass, trial.gradient, 0);
    ssk_trial_release(&trial);
    ssk_err_free(err);
    const struct mallinfo2 info = mallinfo2();
    const size_t now = info.uordblks + info.hblkhd;
    const long more = (long)now - (long)used;
    times = more <= 0 ? 0 : more == growth ? times + 1 : 1;
    growth = more;
    used = now;
  }
  if (used == 0)
    ssk_check_end(s->report, "memory", SSK_CHECK_SKIPPED, "this allocator does not count");
  else if (times >= LAST)
    ssk_check_end(s->report, "memory", SSK_CHECK_FAILED,
                  "%ld bytes are left each time: `done` must free what init and open allocated",
                  growth);
  else
    ssk_check_end(s->report, "memory", SSK_CHECK_OK, "none is left");
}

/* Score the model, as evaluation would; all forecasts are finite, all figures finite or absent. */
static void check_forecast(struct ssk_trial *trial, struct ssk_check_report *report) {
  struct ssk_forecaster forecaster = {0};
  struct ssk_evaluation evaluation = {0};
  const struct ssk_evaluate_section *how = &trial->experiment->evaluate;
  char text[REASON];
  int values = 0;
  const char *broken = NULL;
  ssk_err *err = ssk_err_new();
  ssk_check_begin(report, "forecast");
  int code = ssk_model_forecaster(trial->model, trial->values, "check", 1, how, &forecaster, err);
  if (!code)
    code = ssk_evaluate(&forecaster, trial->data, how, 1, NULL, &evaluation, err);
  for (int m = 0; !code && m < evaluation.n_metrics; m++) {
    values += evaluation.means[m].n > 0;
    if (evaluation.means[m].n > 0 && !isfinite(evaluation.means[m].mean))
      broken = evaluation.columns[m].name;
  }
  if (code)
    ssk_check_end(report, "forecast", SSK_CHECK_FAILED, "%s", reason(err, text));
  else if (broken)
    ssk_check_end(report, "forecast", SSK_CHECK_FAILED, "the figure %s is not finite", broken);
  else
    ssk_check_end(report, "forecast", values ? SSK_CHECK_OK : SSK_CHECK_SKIPPED,
                  values ? "%d of %d figures have a value, which is finite"
                         : "%d of %d figures have a value",
                  values, evaluation.n_metrics);
  ssk_evaluation_free(&evaluation);
  ssk_forecaster_free(&forecaster);
  ssk_err_free(err);
}

void ssk_component_check(const struct ssk_component *component, struct ssk_registry *registry,
                         const char *recipe, int n_over, const char *const *over,
                         struct ssk_check_report *report) {
  const struct subject s = {component, registry, recipe, n_over, over, report};
  const struct ssk_instance *instance = NULL;
  struct ssk_trial trial;
  char text[REASON];
  ssk_err *err = ssk_err_new();
  ssk_check_begin(report, "recipe");
  if (open_trial(&s, NULL, &trial, err)) {
    ssk_check_end(report, "recipe", SSK_CHECK_FAILED, "%s", reason(err, text));
  } else if (!(instance =
                   find_in(ssk_experiment_rows, (const char *)trial.experiment, component))) {
    ssk_check_end(report, "recipe", SSK_CHECK_FAILED, "the model that it describes is without '%s'",
                  component->name);
  } else {
    ssk_check_end(report, "recipe", SSK_CHECK_OK, "a model with it is built: %zu weights",
                  trial.model->layout.total);
    if (component->kind == SSK_DATASET)
      ssk_check_dataset(&trial, report);
    if (component->kind == SSK_SCHEDULE)
      ssk_check_schedule(instance, report);
    if (!recipe)
      check_sizes(&s);
    if (check_loss(&trial, report)) {
      check_gradient(&trial, report);
      check_bits(&trial, report);
      if (component->kind == SSK_EMISSION)
        ssk_check_mask(&trial, report);
      if (component->kind == SSK_TRANSITION || component->kind == SSK_EMISSION) {
        ssk_check_draws(&trial, component->kind, report);
        ssk_check_density(&trial, component->kind, report);
      }
      check_forecast(&trial, report);
    }
    check_memory(&s);
  }
  ssk_trial_release(&trial);
  ssk_err_free(err);
}
