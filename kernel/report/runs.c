/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runs.c - reading run directories. */
#include "report/runs.h"
#include "core/file.h"
#include "core/json.h"
#include "core/text.h"
#include "model/evaluate_bound.h"
#include "recipe/tree.h"
#include "report/run_folder.h"
#include "report/runs_index.h"
#include "train/checkpoint.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const size_t file_limit = (size_t)1 << 28;

static int no_memory(const char *path, ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the run '%s'", path);
}

static bool has_file(const char *folder, const char *name) {
  char *path = ssk_path_join(folder, name);
  bool there = path && ssk_file_exists(path);
  free(path);
  return there;
}

bool ssk_is_run(const char *path) {
  return has_file(path, "recipe.yaml") && has_file(path, "status");
}

/* The text of a file of the run, malloc'ed; "" where it cannot be read. NULL without memory. */
static char *text_of(const char *folder, const char *name) {
  char *path = ssk_path_join(folder, name), *data = NULL;
  size_t size;
  if (!path || ssk_file_read(path, file_limit, &data, &size, NULL))
    data = strdup("");
  free(path);
  return data;
}

/* ---- the recipe's keys ----------------------------------------------------------------------- */

static void add_flow(struct ssk_text *text, const struct ssk_node *node) {
  if (node->type == SSK_NODE_SCALAR) {
    ssk_text_add(text, node->text);
    return;
  }
  ssk_text_add(text, node->type == SSK_NODE_LIST ? "[" : "{");
  for (const struct ssk_node *child = node->first; child; child = child->next) {
    ssk_text_add(text, child == node->first ? "" : ", ");
    if (node->type == SSK_NODE_MAP)
      ssk_text_printf(text, "%s: ", child->key);
    add_flow(text, child);
  }
  ssk_text_add(text, node->type == SSK_NODE_LIST ? "]" : "}");
}

static bool add_key(struct ssk_run_info *run, const char *key, const struct ssk_node *node) {
  struct ssk_run_key *grown = realloc(run->keys, ((size_t)run->n_keys + 1) * sizeof *run->keys);
  if (!grown)
    return false;
  run->keys = grown;
  struct ssk_text value = {0};
  ssk_text_add(&value, "");
  add_flow(&value, node);
  struct ssk_run_key *own = &run->keys[run->n_keys];
  *own = (struct ssk_run_key){.key = strdup(key), .value = value.data};
  if (!own->key || value.failed) {
    free(own->key);
    ssk_text_free(&value);
    return false;
  }
  run->n_keys++;
  return true;
}

static bool add_keys(struct ssk_run_info *run, const char *path, const struct ssk_node *map) {
  bool fine = true;
  for (const struct ssk_node *child = map->first; child && fine; child = child->next) {
    struct ssk_text key = {0};
    ssk_text_printf(&key, "%s%s%s", path, *path ? "." : "", child->key);
    fine = !key.failed &&
           (child->type == SSK_NODE_MAP && child->first ? add_keys(run, key.data, child)
                                                        : add_key(run, key.data, child));
    ssk_text_free(&key);
  }
  return fine;
}

static int by_key(const void *a, const void *b) {
  return strcmp(((const struct ssk_run_key *)a)->key, ((const struct ssk_run_key *)b)->key);
}

/* *alone: no other file was read for it. */
static int read_recipe(struct ssk_run_info *run, bool *alone, ssk_err *err) {
  char *path = ssk_path_join(run->path, "recipe.yaml");
  struct ssk_tree *tree = path ? ssk_tree_load(path, 0, NULL, NULL, err) : NULL;
  int code = tree ? SSK_OK : path ? ssk_err_code(err) : no_memory(run->path, err);
  free(path);
  if (!code && !add_keys(run, "", tree->root))
    code = no_memory(run->path, err);
  *alone = tree && tree->n_files == 1;
  ssk_tree_free(tree);
  if (run->n_keys)
    qsort(run->keys, (size_t)run->n_keys, sizeof *run->keys, by_key);
  return code;
}

const char *ssk_run_value(const struct ssk_run_info *run, const char *key) {
  const struct ssk_run_key wanted = {.key = (char *)(uintptr_t)key};
  const struct ssk_run_key *found =
      run->n_keys ? bsearch(&wanted, run->keys, (size_t)run->n_keys, sizeof wanted, by_key) : NULL;
  return found ? found->value : NULL;
}

/* ---- what it reached ------------------------------------------------------------------------- */

/* What a validation's parts sum to, under its name and this ending. */
static double sum_of(const json_t *object, bool path_loss, const char *ending) {
  char key[32];
  snprintf(key, sizeof key, "%s%s", ssk_measure_name(path_loss), ending);
  return ssk_json_number(object, key);
}

static bool add_bound(struct ssk_run_info *run, double bound) {
  double *grown = realloc(run->bounds, ((size_t)run->n_bounds + 1) * sizeof *grown);
  if (!grown)
    return false;
  run->bounds = grown;
  run->bounds[run->n_bounds++] = bound;
  return true;
}

static bool read_metrics(struct ssk_run_info *run, const char *lines) {
  run->step = -1;
  run->bound = run->bound_se = run->bound_per_step = run->seconds = NAN;
  bool fine = true;
  for (const char *line = lines; *line;) {
    size_t n = strcspn(line, "\n");
    json_t *object = json_loadb(line, n, 0, NULL); /* NULL: not finished */
    const json_t *step = json_object_get(object, "step");
    const char *kind = json_string_value(json_object_get(object, "kind"));
    if (json_is_integer(step))
      run->step = json_integer_value(step);
    if (json_object_get(object, "time_seconds"))
      run->seconds = ssk_json_number(object, "time_seconds");
    if (kind && !strcmp(kind, "validation")) {
      run->path_loss = json_object_get(object, ssk_measure_name(true)) != NULL;
      run->bound = sum_of(object, run->path_loss, "");
      run->bound_se = sum_of(object, run->path_loss, "_se");
      run->bound_per_step = sum_of(object, run->path_loss, "_per_step");
      fine = add_bound(run, run->bound_per_step) && fine;
    }
    json_decref(object);
    line += n + (line[n] == '\n');
  }
  return fine;
}

void ssk_run_info_free(struct ssk_run_info *run) {
  for (int k = 0; k < run->n_keys; k++) {
    free(run->keys[k].key);
    free(run->keys[k].value);
  }
  free(run->keys);
  free(run->bounds);
  free(run->path);
  free(run->name);
  free(run->status);
  free(run->command);
  free(run->started);
}

/* One that was stopped, or failed, may have gone on behind the last line of its log; one that came
 * to its end has logged it. */
static void look_at_checkpoint(struct ssk_run_info *run) {
  char *path = strcmp(run->status, "done") ? ssk_path_join(run->path, SSK_RUN_LATEST) : NULL;
  const int64_t step = path ? ssk_checkpoint_step(path) : -1;
  run->step = step > run->step ? step : run->step;
  free(path);
}

static void cut_line(char *text) {
  if (text)
    text[strcspn(text, "\n")] = 0;
}

static int read_files(struct ssk_run_info *run, bool *alone, ssk_err *err) {
  int code = read_recipe(run, alone, err);
  char *metrics = text_of(run->path, "metrics.jsonl");
  char *environment = text_of(run->path, "environment.json");
  json_t *told = environment ? json_loads(environment, 0, NULL) : NULL;
  const char *started = json_string_value(json_object_get(told, "time_started"));
  const char *name = ssk_run_value(run, "name");
  run->status = text_of(run->path, "status");
  run->command = text_of(run->path, "command.txt");
  run->name = strdup(name ? name : "");
  run->started = strdup(started ? started : "");
  cut_line(run->status);
  cut_line(run->command);
  if (!code && (!metrics || !read_metrics(run, metrics) || !run->status || !run->command ||
                !run->name || !run->started))
    code = no_memory(run->path, err);
  if (!code)
    look_at_checkpoint(run);
  json_decref(told);
  free(metrics);
  free(environment);
  return code;
}

static int read_run(struct ssk_run_info *run, struct ssk_runs_index *index, ssk_err *err) {
  struct ssk_run_stamp stamp;
  bool alone = false;
  int code = SSK_OK;
  ssk_run_stamp_take(&stamp, run->path);
  const time_t changed = (time_t)ssk_run_stamp_latest(&stamp);
  struct tm utc;
  gmtime_r(&changed, &utc);
  strftime(run->changed, sizeof run->changed, "%Y-%m-%dT%H:%M:%SZ", &utc);
  if (!index || !ssk_runs_index_find(index, run, &stamp)) {
    code = read_files(run, &alone, err);
    if (!code && index && alone)
      ssk_runs_index_keep(index, run, &stamp);
  }
  run->busy = ssk_run_folder_busy(run->path);
  return code;
}

const char *ssk_run_state(const struct ssk_run_info *run) {
  return !strcmp(run->status, "running") && !run->busy ? "stopped" : run->status;
}

int ssk_runs_add(struct ssk_runs *runs, const char *path, ssk_err *err) {
  if (!ssk_is_run(path))
    return ssk_err_set(err, SSK_EIO, "'%s' is no run directory: it has no recipe.yaml and status",
                       path);
  struct ssk_run_info *grown = realloc(runs->items, ((size_t)runs->n + 1) * sizeof *runs->items);
  if (!grown)
    return no_memory(path, err);
  runs->items = grown;
  struct ssk_run_info *run = &runs->items[runs->n];
  *run = (struct ssk_run_info){.path = strdup(path)};
  int code = run->path ? read_run(run, runs->index, err) : no_memory(path, err);
  if (code)
    ssk_run_info_free(run);
  else
    runs->n++;
  return code;
}

void ssk_runs_use_index(struct ssk_runs *runs) {
  runs->index = ssk_runs_index_open();
}

void ssk_runs_leave_index(struct ssk_runs *runs) {
  ssk_runs_index_close(runs->index);
  runs->index = NULL;
}

void ssk_runs_free(struct ssk_runs *runs) {
  ssk_runs_leave_index(runs);
  for (int i = 0; i < runs->n; i++)
    ssk_run_info_free(&runs->items[i]);
  free(runs->items);
  *runs = (struct ssk_runs){0};
}

/* ---- telling them apart ---------------------------------------------------------------------- */

bool ssk_run_same_but_seed(const struct ssk_run_info *a, const struct ssk_run_info *b) {
  if (a->n_keys != b->n_keys)
    return false;
  for (int k = 0; k < a->n_keys; k++)
    if (strcmp(a->keys[k].key, b->keys[k].key) != 0 ||
        (strcmp(a->keys[k].value, b->keys[k].value) != 0 && strcmp(a->keys[k].key, "seed") != 0))
      return false;
  return true;
}

static bool differs(const struct ssk_runs *runs, const char *key) {
  const char *first = ssk_run_value(&runs->items[0], key);
  for (int i = 1; i < runs->n; i++) {
    const char *value = ssk_run_value(&runs->items[i], key);
    if (!first != !value || (value && strcmp(first, value) != 0))
      return true;
  }
  return false;
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int ssk_runs_differing(const struct ssk_runs *runs, bool all, const char ***keys) {
  size_t most = 1;
  for (int i = 0; i < runs->n; i++)
    most += (size_t)runs->items[i].n_keys;
  const char **found = malloc(most * sizeof *found);
  int n = 0, kept = 0;
  *keys = found;
  if (!found)
    return -1;
  for (int i = 0; i < runs->n; i++)
    for (int k = 0; k < runs->items[i].n_keys; k++)
      found[n++] = runs->items[i].keys[k].key;
  qsort(found, (size_t)n, sizeof *found, by_text);
  for (int k = 0; k < n; k++) {
    bool again = k && !strcmp(found[k], found[k - 1]);
    bool told = all || (strcmp(found[k], "seed") != 0 && strcmp(found[k], "name") != 0);
    if (!again && told && differs(runs, found[k]))
      found[kept++] = found[k]; /* never ahead of k */
  }
  return kept;
}
