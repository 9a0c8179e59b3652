/* SPDX-License-Identifier: GPL-3.0-or-later */
/* columns.c - the metrics of a recipe as columns of figures: their names, identities, definitions.
 */
#include "infer/evaluate.h"
#include "recipe/schema.h"
#include <string.h>

static const struct ssk_metric_ops *ops_of(const struct ssk_instance *metric) {
  return metric->component->ops;
}

static void describe(const struct ssk_evaluate_section *e, struct ssk_metric_column *c) {
  unsigned needs = ops_of(c->metric)->needs;
  char *text = c->definition;
  size_t size = sizeof c->definition;
  ops_of(c->metric)->definition(c->metric->self, text, size);
  size_t used = strlen(text);
  if (ops_of(c->metric)->terms)
    used += (size_t)snprintf(text + used, size - used, "; sums over all series");
  if (c->step && used < size)
    used += (size_t)snprintf(text + used, size - used, "; of step %d alone", c->step);
  if ((needs & SSK_NEEDS_SAMPLES) && used < size)
    used += (size_t)snprintf(text + used, size - used, "; %lld samples, horizon %lld, context ",
                             (long long)e->samples, (long long)e->horizon);
  if ((needs & SSK_NEEDS_SAMPLES) && used < size)
    used += e->context ? (size_t)snprintf(text + used, size - used, "%lld", (long long)e->context)
                       : (size_t)snprintf(text + used, size - used, "all before it");
  if ((needs & SSK_NEEDS_TRANSITION) && used < size)
    used += (size_t)snprintf(text + used, size - used, "; %lld draws, from step ",
                             (long long)e->kernel_draws);
  if ((needs & SSK_NEEDS_TRANSITION) && used < size)
    used += e->context ? (size_t)snprintf(text + used, size - used, "%lld", (long long)e->context)
                       : (size_t)snprintf(text + used, size - used, "%lld before the last",
                                          (long long)e->horizon);
  if ((needs & SSK_NEEDS_POSTERIOR) && used < size)
    used += (size_t)snprintf(text + used, size - used, "; %lld paths given the whole series%s",
                             (long long)e->samples,
                             e->smoothing ? ", drawn again by importance weights" : "");
  if ((needs & SSK_NEEDS_LIKELIHOOD) && used < size)
    used +=
        (size_t)snprintf(text + used, size - used, "; %lld paths", (long long)e->likelihood_paths);
  if ((needs & (SSK_NEEDS_BOUND | SSK_NEEDS_LIKELIHOOD)) && used < size)
    used += e->bound_length ? (size_t)snprintf(text + used, size - used, "; first %lld steps",
                                               (long long)e->bound_length)
                            : (size_t)snprintf(text + used, size - used, "; whole series");
  if (used < size)
    snprintf(text + used, size - used, "; %s split", ssk_split_name(e->split));
}

/* The metric with all its parameters, defaults too: what a published figure is matched by. */
static void identify(struct ssk_metric_column *c) {
  const struct ssk_component *component = c->metric->component;
  struct ssk_text text = {0};
  ssk_text_add(&text, component->name);
  const struct ssk_param *row = component->params;
  for (int i = 0; row && row->name; row++, i++) {
    ssk_text_printf(&text, "%s%s=", i ? "," : "(", row->name);
    ssk_schema_value(row, c->metric->self, &text);
  }
  if (component->params && component->params->name)
    ssk_text_add(&text, ")");
  if (c->step)
    ssk_text_printf(&text, "@h%d", c->step);
  snprintf(c->id, sizeof c->id, "%s", text.failed ? component->name : text.data);
  ssk_text_free(&text);
}

/* What needs more than samples is bound to the step after the history, or to none. */
static int columns_of(const struct ssk_evaluate_section *e, const struct ssk_instance *metric) {
  return 1 + (ops_of(metric)->needs == SSK_NEEDS_SAMPLES ? e->steps.n : 0);
}

int ssk_metric_column_count(const struct ssk_evaluate_section *evaluate) {
  int n = 0;
  for (int k = 0; k < evaluate->metrics.n; k++)
    n += columns_of(evaluate, evaluate->metrics.items[k]);
  return n;
}

void ssk_metric_columns(const struct ssk_evaluate_section *evaluate,
                        struct ssk_metric_column *columns) {
  struct ssk_metric_column *c = columns;
  for (int k = 0; k < evaluate->metrics.n; k++) {
    const struct ssk_instance *metric = evaluate->metrics.items[k];
    const struct ssk_metric_ops *ops = ops_of(metric);
    int same = 1;
    for (int i = 0; i < k; i++)
      same += strcmp(evaluate->metrics.items[i]->component->name, metric->component->name) == 0;
    for (int i = 0, n = columns_of(evaluate, metric); i < n; i++, c++) {
      *c =
          (struct ssk_metric_column){.metric = metric,
                                     .step = i ? (int)evaluate->steps.items[i - 1] : 0,
                                     .unit = ops->unit,
                                     .better = ops->better,
                                     .ideal = ops->target ? ops->target(metric->self) : ops->ideal};
      if (ops->needs & SSK_NEEDS_SAMPLES)
        c->lags = (c->step ? c->step : (int)evaluate->horizon) - 1;
      char number[16] = "", step[16] = "";
      if (same > 1)
        snprintf(number, sizeof number, "_%d", same);
      if (c->step)
        snprintf(step, sizeof step, "_h%d", c->step);
      snprintf(c->name, sizeof c->name, "%.56s%s%s", metric->component->name, number, step);
      identify(c);
      describe(evaluate, c);
    }
  }
}
