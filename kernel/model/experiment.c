/* SPDX-License-Identifier: GPL-3.0-or-later */
/* experiment.c - the rows of a recipe's own sections, and reading a recipe by them. */
#include "model/experiment.h"
#include "model/expect.h"
#include <stdlib.h>
#include <string.h>

static const struct ssk_param window_rows[] = {
    SSK_PARAM_INT(struct ssk_window_section, length, "0", 0, 1e6, "steps",
                  "Length of training windows; 0 trains on whole series."),
    SSK_PARAM_INT(struct ssk_window_section, stride, "1", 1, 1e6, "steps",
                  "Distance between the starts of neighbouring training windows."),
    SSK_PARAM_END};

static const char *const splits[] = {"train", "valid", "test", NULL};

int ssk_split_named(const char *name) {
  for (int i = 0; splits[i]; i++)
    if (!strcmp(splits[i], name))
      return i;
  return -1;
}

static const char *splits_exist(const void *self) {
  const struct ssk_missing_section *missing = self;
  for (int i = 0; i < missing->splits.n; i++)
    if (ssk_split_named(missing->splits.items[i]) < 0)
      return "the splits are train, valid and test";
  return NULL;
}

static const struct ssk_param missing_rows[] = {
    SSK_PARAM_REAL(struct ssk_missing_section, fraction, "0", 0, 0.999, NULL,
                   "Chance of each observed entry to be hidden: neither training nor evaluation "
                   "sees it, and imputation is scored by it."),
    SSK_PARAM_INT(struct ssk_missing_section, seed, "1", 0, 9e15, NULL,
                  "Names which entries are hidden; a larger fraction hides the same and more."),
    {.name = "splits",
     .type = SSK_T_STRINGS,
     .offset = SSK_MEMBER_(struct ssk_missing_section, splits, struct ssk_strings),
     .default_text = "[train, valid, test]",
     .optional = true,
     .doc = "Splits that entries are hidden in; [test] trains on all that there is.",
     .check = splits_exist},
    SSK_PARAM_END};

static const struct ssk_param model_rows[] = {
    SSK_PARAM_INT(struct ssk_model_section, latent, "4", 1, 1024, NULL, "Latent dimension d."),
    SSK_PARAM_INT(struct ssk_model_section, order, "1", 1, 64, NULL,
                  "Markov order j: how many past latents a step may see."),
    SSK_PARAM_INT(struct ssk_model_section, paths, "1", 1, 4096, NULL,
                  "Monte Carlo latent paths S of each series in training."),
    SSK_PARAM_INT(struct ssk_model_section, time_features, "0", 0, 256, NULL,
                  "Width F of the sinusoidal embedding of the time step; even; 0: none."),
    SSK_PARAM_COMPONENT(struct ssk_model_section, summary, SSK_SUMMARY, "gru",
                        "Future summary F_phi of the encoder: h_t is a function of x from t on."),
    SSK_PARAM_COMPONENT(struct ssk_model_section, history, SSK_SUMMARY, "none",
                        "A summary of the past, beside it: it reads time forwards, and the encoder "
                        "sees both."),
    SSK_PARAM_COMPONENT(struct ssk_model_section, encoder, SSK_ENCODER, "gaussian",
                        "Posterior q(z_t | z_{t-j:t-1}, h_t)."),
    SSK_PARAM_COMPONENT(struct ssk_model_section, emission, SSK_EMISSION, "gaussian",
                        "Likelihood p(x_t | z_{t-j+1:t})."),
    SSK_PARAM_COMPONENT(struct ssk_model_section, initial, SSK_INITIAL, "gaussian",
                        "Prior of the first j latents."),
    SSK_PARAM_COMPONENT(struct ssk_model_section, transition, SSK_TRANSITION, NULL,
                        "Prior p(z_t | z_{t-j:t-1}): what a DKF and a DDSSM differ in."),
    SSK_PARAM_END};

static const struct ssk_param rates_rows[] = {
    SSK_PARAM_REAL(struct ssk_rates_section, encoder, "1e-3", 0, 1, NULL,
                   "Of the summary and the encoder."),
    SSK_PARAM_REAL(struct ssk_rates_section, emission, "1e-3", 0, 1, NULL, "Of the emission."),
    SSK_PARAM_REAL(struct ssk_rates_section, transition, "1e-3", 0, 1, NULL, "Of the transition."),
    SSK_PARAM_REAL(struct ssk_rates_section, initial, "1e-3", 0, 1, NULL, "Of the initial prior."),
    SSK_PARAM_END};

/* The names of parts in recipes, and their sets. */
const char *const ssk_part_names[] = {"encoder", "emission", "initial", "transition", NULL};
static const unsigned part_sets[] = {SSK_PARTS_ENCODER, SSK_PARTS_EMISSION, SSK_PARTS_INITIAL,
                                     SSK_PARTS_TRANSITION};

unsigned ssk_training_parts(const struct ssk_training_section *training) {
  unsigned parts = SSK_PARTS_ALL;
  for (int i = 0; i < training->freeze.n; i++)
    for (int k = 0; ssk_part_names[k]; k++)
      if (!strcmp(training->freeze.items[i], ssk_part_names[k]))
        parts &= ~part_sets[k];
  return parts;
}

static const char *const rate_schedules[] = {"constant", "cosine", NULL};

static const struct ssk_param training_rows[] = {
    SSK_PARAM_INT(struct ssk_training_section, steps, "1000", 1, 1e9, "steps", "Optimiser steps."),
    SSK_PARAM_INT(struct ssk_training_section, batch, "64", 1, 1e6, "windows",
                  "Training windows in a step."),
    SSK_PARAM_INT(struct ssk_training_section, shards, "2", 1, 4096, NULL,
                  "Equal pieces that a batch is cut into; each runs on one thread. Part of the "
                  "result (the order of summation), unlike the number of threads."),
    SSK_PARAM_INT(struct ssk_training_section, segment, "0", -1, 1e6, "steps",
                  "Long windows in little memory: go through them in segments of so many steps "
                  "and compute each again on the way back. 0: keep all steps in memory; -1: the "
                  "square root of the window's length. No shorter than model.order; the same "
                  "gradient but for rounding."),
    SSK_PARAM_NAMES(struct ssk_training_section, freeze, "[]", ssk_part_names,
                    "Parts that are not trained: they keep the weights that they have (the encoder "
                    "with its summary)."),
    {.name = "start",
     .type = SSK_T_PATH,
     .offset = offsetof(struct ssk_training_section, start),
     .optional = true,
     .doc = "Run directory or checkpoint whose averaged weights the parts of `freeze` begin with, "
            "by name; all else begins as ever."},
    SSK_PARAM_SECTION(struct ssk_training_section, learning_rate, rates_rows,
                      "Learning rate of each part."),
    SSK_PARAM_ENUM(struct ssk_training_section, schedule, "cosine", rate_schedules,
                   "Learning rate after the warm-up: constant, or a cosine to final_rate."),
    SSK_PARAM_INT(struct ssk_training_section, warmup, "0", 0, 1e9, "steps",
                  "Linear warm-up of the learning rate."),
    SSK_PARAM_REAL(struct ssk_training_section, final_rate, "0", 0, 1, NULL,
                   "Fraction of the learning rate that is left at the end of the cosine."),
    SSK_PARAM_REAL(struct ssk_training_section, weight_decay, "0.01", 0, 10, NULL,
                   "Decoupled weight decay (AdamW, Loshchilov and Hutter 2019); not on biases, "
                   "norms, embeddings and variance heads."),
    SSK_PARAM_REAL(struct ssk_training_section, beta1, "0.9", 0, 0.9999, NULL,
                   "Decay of the gradient's running mean."),
    SSK_PARAM_REAL(struct ssk_training_section, beta2, "0.999", 0, 0.99999, NULL,
                   "Decay of the squared gradient's running mean."),
    SSK_PARAM_REAL(struct ssk_training_section, epsilon, "1e-8", 1e-16, 1, NULL,
                   "Added to the denominator of the update."),
    SSK_PARAM_REAL(struct ssk_training_section, clip, "5", 0, INFINITY, NULL,
                   "Largest global norm of the gradient; 0: no clipping."),
    SSK_PARAM_REAL(struct ssk_training_section, ema, "0.99", 0, 0.999999, NULL,
                   "Decay of the averaged weights, which evaluation uses; 0: no averaging."),
    SSK_PARAM_INT(struct ssk_training_section, skip_limit, "20", 1, 1e6, "steps",
                  "So many non-finite steps in a row end the run with an error."),
    SSK_PARAM_INT(struct ssk_training_section, log_every, "50", 1, 1e9, "steps",
                  "Steps between lines of metrics.jsonl."),
    SSK_PARAM_INT(struct ssk_training_section, validate_every, "500", 0, 1e9, "steps",
                  "Steps between bounds on the validation split; 0: none."),
    SSK_PARAM_INT(struct ssk_training_section, checkpoint_every, "500", 0, 1e9, "steps",
                  "Steps between checkpoints; 0: only at the end."),
    SSK_PARAM_END};

static const struct ssk_param health_rows[] = {
    SSK_PARAM_INT(struct ssk_health_section, every, "1", 0, 1e9, "validations",
                  "Look at the health of latents and transition at every so many validations, and "
                  "at the last; 0: never. docs/health.md says what each figure is."),
    SSK_PARAM_INT(struct ssk_health_section, conditionings, "64", 8, 1e5, NULL,
                  "Past latents, from the encoder's paths on validation series, at which the "
                  "transition is looked at."),
    SSK_PARAM_INT(struct ssk_health_section, samples, "128", 8, 1e5, NULL,
                  "Draws from the transition at each of them."),
    SSK_PARAM_END};

static const char *const smoothings[] = {"encoder", "importance", NULL};

static const struct ssk_param evaluate_rows[] = {
    SSK_PARAM_ENUM(struct ssk_evaluate_section, split, "test", splits,
                   "Series that are evaluated."),
    SSK_PARAM_INT(struct ssk_evaluate_section, series, "0", 0, 1e9, NULL,
                  "Evaluate at most so many series; 0: all."),
    SSK_PARAM_INT(struct ssk_evaluate_section, context, "0", 0, 1e9, "steps",
                  "History that a forecast sees; 0: all steps of the series but the horizon."),
    SSK_PARAM_INT(struct ssk_evaluate_section, horizon, "1", 1, 1e6, "steps", "Steps forecast."),
    SSK_PARAM_REALS(struct ssk_evaluate_section, steps, "[]", 1, 1e6, "steps",
                    "Steps of the horizon, from 1, at which the metrics of forecast samples are "
                    "also taken alone: with [1], energy_score_h1 stands beside energy_score."),
    SSK_PARAM_INT(struct ssk_evaluate_section, samples, "256", 1, 1e6, NULL,
                  "Forecast paths of each series, and paths given all of it."),
    SSK_PARAM_ENUM(struct ssk_evaluate_section, smoothing, "encoder", smoothings,
                   "Paths given the whole series: encoder: as the encoder draws them; importance: "
                   "drawn among them again by their importance weights p(x, z)/q(z | x), where "
                   "prior and transition have densities."),
    SSK_PARAM_INT(struct ssk_evaluate_section, bound_paths, "8", 1, 1e5, NULL,
                  "Monte Carlo paths that the bound is averaged over."),
    SSK_PARAM_INT(struct ssk_evaluate_section, bound_length, "0", 0, 1e9, "steps",
                  "Leading steps of a series that bound and likelihood are taken over; 0: all."),
    SSK_PARAM_INT(
        struct ssk_evaluate_section, likelihood_paths, "64", 1, 1e6, "paths",
        "Paths of the encoder that the importance-weighted likelihood is estimated from."),
    SSK_PARAM_INT(struct ssk_evaluate_section, kernel_draws, "2048", 2, 1e6, "draws",
                  "Draws of the transition alone, and of the exact one, from the latents of each "
                  "series' last step of history: for the metrics kernel_*."),
    SSK_PARAM_INT(struct ssk_evaluate_section, particles, "4096", 2, 1e7, NULL,
                  "Particles of the oracle's filter, where it is not linear and Gaussian."),
    SSK_PARAM_INT(struct ssk_evaluate_section, season, "0", 0, 1e6, "steps",
                  "Length of a season, for the baseline seasonal_naive; 0: not said."),
    SSK_PARAM_INT(struct ssk_evaluate_section, kalman_latent, "0", 0, SSK_MAX_KALMAN_LATENT, NULL,
                  "Latent dimensions of the baseline kalman_em; 0: as many as the observation has, "
                  "but 4 to 8. Never more than short training series can tell."),
    SSK_PARAM_INT(struct ssk_evaluate_section, kalman_iterations, "50", 1, 1e5, NULL,
                  "Iterations of EM that kalman_em is fitted by, at most: it stops when one brings "
                  "less than 1e-4 nats an observed entry."),
    SSK_PARAM_COMPONENTS(struct ssk_evaluate_section, metrics, SSK_METRIC,
                         "[elbo, crps, energy_score, mae, rmse, coverage]", "What is computed."),
    SSK_PARAM_END};

const struct ssk_param ssk_experiment_rows[] = {
    SSK_PARAM_STRING(struct ssk_experiment, name, "model",
                     "Name of the model, in tables and run directories."),
    SSK_PARAM_INT(struct ssk_experiment, seed, "1", 0, 9e15, NULL,
                  "Seed of weights, order of the data, and noise; the data set has its own."),
    SSK_PARAM_BOOL(struct ssk_experiment, standardise, "true",
                   "Train on (x - mean) / deviation of the observed training entries, for each "
                   "dimension, and covariates alike; metrics are in the data's own units all the "
                   "same."),
    SSK_PARAM_COMPONENT(struct ssk_experiment, data, SSK_DATASET, NULL, "Where the series are."),
    SSK_PARAM_SECTION(struct ssk_experiment, missing, missing_rows,
                      "Entries held out at random, as if they were missing."),
    SSK_PARAM_SECTION(struct ssk_experiment, window, window_rows, "Training windows."),
    SSK_PARAM_SECTION(struct ssk_experiment, model, model_rows, "The state-space model."),
    SSK_PARAM_COMPONENT(struct ssk_experiment, objective, SSK_OBJECTIVE, "elbo",
                        "What training minimises."),
    SSK_PARAM_SECTION(struct ssk_experiment, training, training_rows, "The training loop."),
    SSK_PARAM_SECTION(struct ssk_experiment, health, health_rows,
                      "Figures and alarms beside the validation bound."),
    SSK_PARAM_SECTION(struct ssk_experiment, evaluate, evaluate_rows, "Forecasts and metrics."),
    SSK_PARAM_END};

/* Values that only make sense together. */
static void check_together(const struct ssk_experiment *e, ssk_err *err) {
  const struct ssk_node *root = e->tree->root;
  const struct ssk_node *shards = ssk_node_find(root, "training.shards");
  if (e->training.batch % e->training.shards) {
    ssk_err_at(err, SSK_ERECIPE, shards ? &shards->pos : NULL,
               "training.batch (%lld) is not a multiple of training.shards (%lld)",
               (long long)e->training.batch, (long long)e->training.shards);
    ssk_err_hint(err, "all shards of a batch have the same size");
  }
  const struct ssk_node *freeze = ssk_node_find(root, "training.freeze");
  if (!ssk_training_parts(&e->training)) {
    ssk_err_at(err, SSK_ERECIPE, freeze ? &freeze->pos : NULL,
               "training.freeze leaves no part to train");
    ssk_err_hint(err, "leave out at least one of encoder, emission, initial and transition");
  }
  const struct ssk_node *start = ssk_node_find(root, "training.start");
  if (*e->training.start && !e->training.freeze.n) {
    ssk_err_at(err, SSK_ERECIPE, start ? &start->pos : NULL,
               "training.start gives weights to frozen parts, but training.freeze names none");
    ssk_err_hint(err, "training.freeze: [encoder, emission] keeps these as they were trained");
  }
  const struct ssk_node *features = ssk_node_find(root, "model.time_features");
  if (e->model.time_features % 2)
    ssk_err_at(
        err, SSK_ERECIPE, features ? &features->pos : NULL,
        "model.time_features must be even (a sine and a cosine for each frequency), not %lld",
        (long long)e->model.time_features);
}

/* Single steps must be steps of the horizon, each named once. */
static void check_steps(const struct ssk_experiment *e, ssk_err *err) {
  const struct ssk_reals *steps = &e->evaluate.steps;
  const struct ssk_node *node = ssk_node_find(e->tree->root, "evaluate.steps");
  for (int i = 0; i < steps->n; i++) {
    double step = steps->items[i];
    bool again = false;
    for (int k = 0; k < i; k++)
      again = again || steps->items[k] == step;
    if (again || step != floor(step) || step > (double)e->evaluate.horizon) {
      ssk_err_at(err, SSK_ERECIPE, node ? &node->pos : NULL,
                 again ? "evaluate.steps names step %g twice"
                       : "evaluate.steps: %g is not a step of the horizon",
                 step);
      ssk_err_hint(err, "different whole numbers from 1 to evaluate.horizon (%lld)",
                   (long long)e->evaluate.horizon);
      return;
    }
  }
}

static bool has_metric(const struct ssk_instances *metrics, const char *name) {
  for (int i = 0; i < metrics->n; i++)
    if (!strcmp(metrics->items[i]->component->name, name))
      return true;
  return false;
}

/* Put metric `name` behind the first i + 1. */
static int insert_metric(struct ssk_experiment *e, int i, const char *name,
                         struct ssk_registry *registry, ssk_err *err) {
  struct ssk_instances *metrics = &e->evaluate.metrics;
  struct ssk_maker maker = ssk_registry_maker(registry);
  const struct ssk_component *component = ssk_registry_find(registry, SSK_METRIC, name, NULL, err);
  struct ssk_instance **items =
      ssk_arena_alloc(&e->arena, ((size_t)metrics->n + 1) * sizeof *items);
  if (!component)
    return ssk_err_code(err);
  struct ssk_instance *made =
      items ? ssk_schema_instance(component, NULL, "evaluate.metrics", &maker, &e->arena, err)
            : NULL;
  if (!made)
    return ssk_err_code(err) ? ssk_err_code(err)
                             : ssk_err_set(err, SSK_ENOMEM, "no memory for the recipe");
  for (int k = 0; k < metrics->n; k++)
    items[k <= i ? k : k + 1] = metrics->items[k];
  items[i + 1] = made;
  *metrics = (struct ssk_instances){.n = metrics->n + 1, .items = items};
  return SSK_OK;
}

/* Metrics that say how far another can be trusted are shown beside it, asked for or not. */
static int complete_metrics(struct ssk_experiment *e, struct ssk_registry *registry, ssk_err *err) {
  int code = SSK_OK;
  for (int i = 0; i < e->evaluate.metrics.n; i++) {
    const struct ssk_metric_ops *ops = e->evaluate.metrics.items[i]->component->ops;
    int behind = i;
    for (const char *const *name = ops->beside; name && *name && !code; name++)
      if (!has_metric(&e->evaluate.metrics, *name))
        code = insert_metric(e, behind++, *name, registry, err);
  }
  return code;
}

static int fill(struct ssk_experiment *e, struct ssk_registry *registry, ssk_err *err) {
  struct ssk_maker maker = ssk_registry_maker(registry);
  int code = ssk_schema_fill(ssk_experiment_rows, e, e->tree->root, "", ssk_recipe_skipped, &maker,
                             &e->arena, err);
  int failure = ssk_expectations_check(e->tree, err);
  code = code ? code : failure;
  if (code)
    return code;
  check_together(e, err);
  check_steps(e, err);
  code = ssk_err_code(err);
  return code ? code : complete_metrics(e, registry, err);
}

static int finish(struct ssk_experiment *e, struct ssk_registry *registry,
                  struct ssk_experiment **out, ssk_err *err) {
  *out = NULL;
  int code = e->tree ? fill(e, registry, err) : ssk_err_code(err);
  if (!code && !e->tree)
    code = SSK_ENOMEM;
  if (code) {
    ssk_experiment_free(e);
    return code;
  }
  *out = e;
  return SSK_OK;
}

int ssk_experiment_load_placed(const char *path, int n_overrides,
                               const struct ssk_override *overrides, struct ssk_registry *registry,
                               struct ssk_experiment **out, ssk_err *err) {
  struct ssk_experiment *e = calloc(1, sizeof *e);
  if (!e)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the recipe");
  e->tree = ssk_tree_load(path, n_overrides, overrides, getenv("SSKIT_RECIPE_PATH"), err);
  return finish(e, registry, out, err);
}

/* Overrides that stand nowhere, on the arena; NULL without memory. */
static const struct ssk_override *overrides_of(struct ssk_arena *arena, int n,
                                               const char *const *texts) {
  struct ssk_override *overrides = ssk_arena_zalloc(arena, ((size_t)n + 1) * sizeof *overrides);
  for (int i = 0; i < n && overrides; i++)
    overrides[i].text = texts[i];
  return overrides;
}

int ssk_experiment_load(const char *path, int n_overrides, const char *const *overrides,
                        struct ssk_registry *registry, struct ssk_experiment **out, ssk_err *err) {
  struct ssk_arena arena = {0};
  const struct ssk_override *placed = overrides_of(&arena, n_overrides, overrides);
  *out = NULL;
  int code = placed ? ssk_experiment_load_placed(path, n_overrides, placed, registry, out, err)
                    : ssk_err_set(err, SSK_ENOMEM, "no memory for the recipe");
  ssk_arena_free(&arena);
  return code;
}

int ssk_experiment_parse(const char *name, const char *text, size_t size, int n_overrides,
                         const char *const *overrides, struct ssk_registry *registry,
                         struct ssk_experiment **out, ssk_err *err) {
  struct ssk_experiment *e = calloc(1, sizeof *e);
  const struct ssk_override *placed = e ? overrides_of(&e->arena, n_overrides, overrides) : NULL;
  if (!placed) {
    ssk_experiment_free(e);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the recipe");
  }
  e->tree = ssk_tree_parse(name, text, size, n_overrides, placed, NULL, err);
  return finish(e, registry, out, err);
}

void ssk_experiment_free(struct ssk_experiment *e) {
  if (!e)
    return;
  ssk_schema_free(ssk_experiment_rows, e);
  ssk_arena_free(&e->arena);
  ssk_tree_free(e->tree);
  free(e);
}

char *ssk_experiment_dump(const struct ssk_experiment *e) {
  struct ssk_text text = {0};
  ssk_schema_dump(ssk_experiment_rows, e, 0, &text);
  if (text.failed) {
    ssk_text_free(&text);
    return NULL;
  }
  return text.data;
}
