/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sampler_costs.c - measuring the points, and keeping them. */
#include "report/sampler_costs.h"
#include "core/file.h"
#include "core/text.h"
#include "report/run_score.h"
#include "report/runs.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char ssk_sampler_costs_file[] = "samplers.jsonl";

/* All that the points of one call have in common. */
struct costs {
  const struct ssk_sampler_costs_how *how;
  struct ssk_registry *registry;
  struct ssk_pool *pool;
  char *path;                       /* of the sampler in the recipe */
  char *file;                       /* NULL: nothing is kept */
  struct ssk_text settings, others; /* the overrides: of the sampler, of all else */
  ssk_sampler_point *measured;
  void *user;
};

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the costs of samplers");
}

/* ---- what is to be measured ------------------------------------------------------------------ */

/* The first sampler that the component or one within it has; NULL: none. */
static const struct ssk_instance *sampler_of(const struct ssk_instance *instance) {
  const struct ssk_instance *found = NULL;
  if (!instance || instance->component->kind == SSK_SAMPLER)
    return instance;
  const struct ssk_param *row = instance->component->params;
  for (; row && row->name && !found; row++)
    if (row->type == SSK_T_COMPONENT)
      found = sampler_of(
          *(struct ssk_instance *const *)(const void *)((char *)instance->self + row->offset));
  return found;
}

static int find_path(struct costs *c, ssk_err *err) {
  struct ssk_run *run = NULL;
  int code = ssk_run_open_alone(c->how->run, 0, NULL, c->registry, &run, err);
  const struct ssk_instance *sampler = code ? NULL : sampler_of(run->experiment->model.transition);
  if (!code && !sampler) {
    ssk_err_set(err, SSK_EUSAGE, "the transition of '%s' draws by no sampler", c->how->run);
    ssk_err_hint(err, "samplers are those of diffusions: 'sskit list sampler'");
    code = SSK_EUSAGE;
  }
  if (!code && !(c->path = strdup(sampler->path)))
    code = no_memory(err);
  ssk_run_free(run);
  return code;
}

/* Tell the sampler's own overrides from others. */
static int sort_overrides(struct costs *c, ssk_err *err) {
  const size_t n = strlen(c->path);
  for (int i = 0; i < c->how->n_overrides; i++) {
    const char *override = c->how->overrides[i], *key = override + n + 1;
    const bool own = strncmp(override, c->path, n) == 0 && override[n] == '.';
    struct ssk_text *out = own ? &c->settings : &c->others;
    if ((own && (!strncmp(key, "use=", 4) || !strncmp(key, "steps=", 6))) ||
        (!strncmp(override, c->path, n) && override[n] == '='))
      return ssk_err_set(err, SSK_EUSAGE,
                         "'%s': which samplers at how many steps is measured, "
                         "--samplers and --steps say",
                         override);
    ssk_text_printf(out, "%s%s", out->length ? " " : "", own ? key : override);
  }
  return c->settings.failed || c->others.failed ? no_memory(err) : SSK_OK;
}

static bool takes_steps(const struct ssk_component *component) {
  const struct ssk_param *row = component->params;
  while (row && row->name && strcmp(row->name, "steps") != 0)
    row++;
  return row && row->name;
}

/* ---- one point ------------------------------------------------------------------------------- */

/* What does not depend on draws is the same for all samplers. */
static int choose_metrics(struct ssk_evaluate_section *how, ssk_err *err) {
  struct ssk_instance **items = calloc((size_t)how->metrics.n + 1, sizeof *items);
  int n = 0;
  if (!items)
    return no_memory(err);
  for (int i = 0; i < how->metrics.n; i++) {
    const struct ssk_metric_ops *ops = how->metrics.items[i]->component->ops;
    if (ops->needs & (SSK_NEEDS_SAMPLES | SSK_NEEDS_TRANSITION))
      items[n++] = how->metrics.items[i];
  }
  how->metrics = (struct ssk_instances){.n = n, .items = items};
  if (n > 0)
    return SSK_OK;
  free(items);
  ssk_err_set(err, SSK_EUSAGE, "none of evaluate.metrics depends on what is drawn");
  ssk_err_hint(err, "'evaluate.metrics=[crps]' would");
  return SSK_EUSAGE;
}

static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *point_of(const struct costs *c, const struct ssk_run *run, const char *sampler,
                        int64_t steps, const struct ssk_evaluation *scored) {
  json_t *metrics = json_object();
  for (int k = 0; k < scored->n_metrics; k++)
    if (scored->means[k].n > 0)
      json_object_set_new(metrics, scored->columns[k].name,
                          json_pack("{s:o, s:o}", "mean", number(scored->means[k].mean), "se",
                                    number(scored->means[k].se)));
  return json_pack("{s:s, s:s, s:I, s:I, s:I, s:s, s:I, s:o}", "sampler", sampler, "settings",
                   c->settings.data ? c->settings.data : "", "steps", (json_int_t)steps,
                   "evaluations", (json_int_t)scored->evaluations, "checkpoint_step",
                   (json_int_t)run->counters.step, "overrides",
                   c->others.data ? c->others.data : "", "series", (json_int_t)scored->n_series,
                   "metrics", metrics);
}

static int score(const struct costs *c, const struct ssk_run *run, const char *sampler,
                 int64_t steps, json_t **point, ssk_err *err) {
  struct ssk_evaluate_section how = run->experiment->evaluate;
  struct ssk_evaluation scored = {0};
  int code = choose_metrics(&how, err);
  if (code)
    return code;
  code = ssk_run_evaluate(run, &how, (uint64_t)run->experiment->seed, 0,
                          ssk_evaluated_series(&how, run->data), c->pool, &scored, err);
  if (!code && !(*point = point_of(c, run, sampler, steps, &scored)))
    code = no_memory(err);
  ssk_evaluation_free(&scored);
  free(how.metrics.items);
  return code;
}

/* The run with this sampler: its own settings follow `use`, which begins with its defaults. */
static int open_with(const struct costs *c, const char *sampler, int64_t steps,
                     struct ssk_run **run, ssk_err *err) {
  const int n = c->how->n_overrides;
  struct ssk_text use = {0}, count = {0};
  const char **overrides = calloc((size_t)n + 2, sizeof *overrides);
  ssk_text_printf(&use, "%s.use=%s", c->path, sampler);
  ssk_text_printf(&count, "%s.steps=%" PRId64, c->path, steps);
  int code = overrides && !use.failed && !count.failed ? SSK_OK : no_memory(err);
  if (!code) {
    overrides[0] = use.data;
    overrides[1] = count.data;
    for (int i = 0; i < n; i++)
      overrides[i + 2] = c->how->overrides[i];
    code = ssk_run_open(c->how->run, n + 2, overrides, c->registry, run, err);
  }
  free(overrides);
  ssk_text_free(&use);
  ssk_text_free(&count);
  return code;
}

/* ---- keeping --------------------------------------------------------------------------------- */

static bool same(const json_t *a, const json_t *b, const char *const *keys) {
  bool equal = true;
  for (int i = 0; keys[i]; i++)
    equal = equal && json_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i]));
  return equal;
}

/* May a line that was kept before stay beside this point? */
static bool stays(const json_t *line, const json_t *point) {
  static const char *const measured[] = {"checkpoint_step", "overrides", "series", NULL};
  static const char *const subject[] = {"sampler", "settings", "steps", NULL};
  return same(line, point, measured) && !same(line, point, subject);
}

static int keep(const char *file, const json_t *point, ssk_err *err) {
  struct ssk_text text = {0};
  char *before = NULL, *own = json_dumps(point, JSON_COMPACT | JSON_REAL_PRECISION(15));
  size_t size;
  int code = own ? SSK_OK : no_memory(err);
  if (!code && ssk_file_exists(file))
    code = ssk_file_read(file, (size_t)1 << 24, &before, &size, err);
  for (const char *line = before; !code && line && *line;) {
    const size_t length = strcspn(line, "\n");
    json_t *object = json_loadb(line, length, 0, NULL);
    if (stays(object, point))
      ssk_text_printf(&text, "%.*s\n", (int)length, line);
    json_decref(object);
    line += length + (line[length] == '\n');
  }
  if (!code)
    ssk_text_printf(&text, "%s\n", own);
  if (!code)
    code = text.failed ? no_memory(err) : ssk_file_write(file, text.data, text.length, err);
  ssk_text_free(&text);
  free(before);
  free(own);
  return code;
}

/* ---- all points ------------------------------------------------------------------------------ */

static int measure(const struct costs *c, const char *sampler, int64_t steps, ssk_err *err) {
  struct ssk_run *run = NULL;
  json_t *point = NULL;
  int code = open_with(c, sampler, steps, &run, err);
  if (!code)
    code = score(c, run, sampler, steps, &point, err);
  if (!code && c->file)
    code = keep(c->file, point, err);
  if (!code)
    c->measured(c->user, point);
  else
    ssk_err_context(err, "%s", sampler);
  json_decref(point);
  ssk_run_free(run);
  return code;
}

static int measure_sampler(const struct costs *c, const char *sampler, ssk_err *err) {
  int code = SSK_OK;
  for (int i = 0; i < c->how->n_steps && !code; i++)
    code = measure(c, sampler, c->how->steps[i], err);
  return code;
}

static int measure_all(const struct costs *c, ssk_err *err) {
  const struct ssk_component *component;
  int code = ssk_registry_open_all(c->registry, err);
  for (int i = 0; !code && (component = ssk_registry_at(c->registry, i, NULL)); i++)
    if (component->kind == SSK_SAMPLER && takes_steps(component))
      code = measure_sampler(c, component->name, err);
  return code;
}

/* The list is checked before the first is measured, which may take long. */
static int measure_named(const struct costs *c, char *names, bool check, ssk_err *err) {
  int code = SSK_OK;
  for (char *name = names; !code;) {
    const size_t n = strcspn(name, ",");
    const bool last = !name[n];
    name[n] = 0;
    if (check)
      code = ssk_registry_find(c->registry, SSK_SAMPLER, name, NULL, err) ? SSK_OK : SSK_EPLUGIN;
    else
      code = measure_sampler(c, name, err);
    if (last)
      break;
    name[n] = ',';
    name += n + 1;
  }
  return code;
}

static int measure_what_is_asked(const struct costs *c, ssk_err *err) {
  if (!strcmp(c->how->names, "all"))
    return measure_all(c, err);
  char *names = strdup(c->how->names);
  int code = names ? measure_named(c, names, true, err) : no_memory(err);
  if (!code)
    code = measure_named(c, names, false, err);
  free(names);
  return code;
}

int ssk_sampler_costs(const struct ssk_sampler_costs_how *how, struct ssk_registry *registry,
                      struct ssk_pool *pool, ssk_sampler_point *measured, void *user,
                      ssk_err *err) {
  struct costs c = {
      .how = how, .registry = registry, .pool = pool, .measured = measured, .user = user};
  int code = find_path(&c, err);
  if (!code)
    code = sort_overrides(&c, err);
  if (!code && ssk_is_run(how->run) && !(c.file = ssk_path_join(how->run, ssk_sampler_costs_file)))
    code = no_memory(err);
  if (!code)
    code = measure_what_is_asked(&c, err);
  ssk_text_free(&c.settings);
  ssk_text_free(&c.others);
  free(c.path);
  free(c.file);
  return code;
}
