/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep_table.c - the forms. */
#include "sweep/sweep_table.h"
#include "core/file.h"
#include "report/table.h"
#include "sweep/importance.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { shown = 20, widest_value = 28 }; /* rows of text, and bytes of a value there */

/* ---- the order ------------------------------------------------------------------------------- */

struct ranked {
  const struct ssk_trial *trial;
  int group; /* finished, running or waiting, pruned, failed */
  double loss;
};

static int by_merit(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;
  if (x->group != y->group)
    return x->group - y->group;
  if (x->loss != y->loss)
    return x->loss < y->loss ? -1 : 1;
  return (x->trial->number > y->trial->number) - (x->trial->number < y->trial->number);
}

/* malloc'ed, [trials->n]: the best first; NULL without memory. */
static struct ranked *order_of(const struct ssk_sweep *sweep, const struct ssk_trials *trials) {
  static const int groups[SSK_TRIAL_STATES] = {
      [SSK_TRIAL_DONE] = 0,    [SSK_TRIAL_RUNNING] = 1, [SSK_TRIAL_QUEUED] = 1,
      [SSK_TRIAL_SKIPPED] = 1, [SSK_TRIAL_PRUNED] = 2,  [SSK_TRIAL_FAILED] = 3};
  struct ranked *order = calloc((size_t)trials->n + 1, sizeof *order);
  for (int i = 0; i < trials->n && order; i++) {
    const struct ssk_trial *t = &trials->items[i];
    order[i] = (struct ranked){t, groups[t->state],
                               t->state == SSK_TRIAL_DONE ? ssk_sweep_loss(sweep, t->value) : 0};
  }
  if (order)
    qsort(order, (size_t)trials->n, sizeof *order, by_merit);
  return order;
}

/* ---- rows of cells --------------------------------------------------------------------------- */

/* trial, value, state, seconds, then the axes. */
enum { FIXED = 4 };

static void add_cell(const struct ssk_sweep *sweep, const struct ssk_trial *t, int column,
                     struct ssk_text *out) {
  char number[48];
  switch (column) {
  case 0:
    ssk_text_printf(out, "%lld", (long long)t->number);
    return;
  case 1:
    ssk_text_add(out, ssk_table_number(number, t->value, t->se));
    return;
  case 2:
    ssk_text_add(out, ssk_trial_state_name(t->state));
    if (t->state == SSK_TRIAL_PRUNED && t->step)
      ssk_text_printf(out, " at %lld", (long long)t->step);
    return;
  case 3:
    ssk_text_printf(out, "%.1f", t->seconds);
    return;
  default:
    ssk_axis_value(&sweep->axes.items[column - FIXED], t->point[column - FIXED], out);
  }
}

static const char *head_of(const struct ssk_sweep *sweep, int column) {
  const char *const fixed[FIXED] = {"trial", sweep->sweep.metric, "state", "seconds"};
  return column < FIXED ? fixed[column] : sweep->axes.items[column - FIXED].key;
}

static int width_of(const char *text) {
  int n = 0;
  for (; text && *text; text++)
    n += ((unsigned char)*text & 0xC0) != 0x80;
  return n;
}

/* ---- text ------------------------------------------------------------------------------------ */

static void add_importance(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                           struct ssk_text *out) {
  double *share = calloc((size_t)sweep->axes.n, sizeof *share);
  if (share)
    ssk_sweep_importance(sweep, trials, share);
  for (int k = 0; share && k < sweep->axes.n; k++)
    if (!isnan(share[k]))
      ssk_text_printf(out, "  %-44s %4.2f\n", sweep->axes.items[k].key, share[k]);
  free(share);
}

static void add_failures(const struct ssk_trials *trials, struct ssk_text *out) {
  for (int i = 0; i < trials->n; i++)
    for (int k = 0; k < trials->items[i].n_runs; k++) {
      const struct ssk_trial_run *run = &trials->items[i].runs[k];
      if (run->state == SSK_TRIAL_FAILED)
        ssk_text_printf(out, "trial %lld, seed %llu failed: %s\n",
                        (long long)trials->items[i].number, (unsigned long long)run->seed,
                        run->reason);
    }
}

/* Maps of several keys would leave no room for the rest: the other forms have them whole. */
static void shorten(struct ssk_text *cell) {
  if (cell->length <= widest_value)
    return;
  cell->length = widest_value - 3;
  while (((unsigned char)cell->data[cell->length] & 0xC0) == 0x80)
    cell->length--;
  cell->data[cell->length] = 0;
  ssk_text_add(cell, "...");
}

void ssk_sweep_text(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                    struct ssk_text *out) {
  struct ranked *order = order_of(sweep, trials);
  const int rows = trials->n < shown ? trials->n : shown, columns = FIXED + sweep->axes.n;
  struct ssk_text *cells = calloc((size_t)(rows + 1) * (size_t)columns, sizeof *cells);
  out->failed = out->failed || !order || !cells;
  for (int r = 0; r <= rows && !out->failed; r++)
    for (int c = 0; c < columns; c++)
      if (r) {
        add_cell(sweep, order[r - 1].trial, c, &cells[r * columns + c]);
        if (c >= FIXED)
          shorten(&cells[r * columns + c]);
      } else
        ssk_text_add(&cells[c], head_of(sweep, c));
  for (int r = 0; r <= rows && !out->failed; r++)
    for (int c = 0; c < columns; c++) {
      int widest = 0;
      for (int i = 0; i <= rows; i++)
        widest = width_of(cells[i * columns + c].data) > widest
                     ? width_of(cells[i * columns + c].data)
                     : widest;
      const char *text = cells[r * columns + c].data ? cells[r * columns + c].data : "";
      for (int n = widest - width_of(text); n > 0; n--)
        ssk_text_add(out, " ");
      ssk_text_add(out, text);
      ssk_text_add(out, c + 1 < columns ? "  " : "\n");
    }
  for (int i = 0; cells && i < (rows + 1) * columns; i++)
    ssk_text_free(&cells[i]);
  free(cells);
  free(order);
  ssk_text_printf(out, "\n%d trials: %d done, %d pruned, %d failed", trials->n,
                  ssk_trials_count(trials, SSK_TRIAL_DONE),
                  ssk_trials_count(trials, SSK_TRIAL_PRUNED),
                  ssk_trials_count(trials, SSK_TRIAL_FAILED));
  ssk_text_add(out, trials->n > shown ? "; the first twenty are shown\n" : "\n");
  ssk_text_printf(out, "%s on the validation series, mean%s\n", sweep->sweep.metric,
                  sweep->sweep.seeds.n > 1 ? " \u00b1 standard error over seeds" : "");
  add_failures(trials, out);
  struct ssk_text importance = {0};
  add_importance(sweep, trials, &importance);
  if (importance.length)
    ssk_text_printf(out, "\nimportance (share of the ranks' variance)\n%s", importance.data);
  ssk_text_free(&importance);
}

/* ---- Markdown and CSV ------------------------------------------------------------------------ */

void ssk_sweep_markdown(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                        struct ssk_text *out) {
  struct ranked *order = order_of(sweep, trials);
  const int columns = FIXED + sweep->axes.n;
  out->failed = out->failed || !order;
  for (int c = 0; c < columns; c++)
    ssk_text_printf(out, "| %s ", head_of(sweep, c));
  ssk_text_add(out, "|\n");
  for (int c = 0; c < columns; c++)
    ssk_text_add(out, c == 2 ? "|---" : "|---:");
  ssk_text_add(out, "|\n");
  for (int r = 0; r < trials->n && !out->failed; r++) {
    for (int c = 0; c < columns; c++) {
      ssk_text_add(out, "| ");
      add_cell(sweep, order[r].trial, c, out);
      ssk_text_add(out, " ");
    }
    ssk_text_add(out, "|\n");
  }
  free(order);
}

static void add_quoted(struct ssk_text *out, const char *text) {
  ssk_text_add(out, "\"");
  for (; *text; text++)
    ssk_text_printf(out, *text == '"' ? "\"%c" : "%c", *text);
  ssk_text_add(out, "\"");
}

static void add_real(struct ssk_text *out, double value) {
  char number[32];
  ssk_text_printf(out, ",%s", isnan(value) ? "" : ssk_text_double(number, value));
}

void ssk_sweep_csv(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                   struct ssk_text *out) {
  struct ranked *order = order_of(sweep, trials);
  out->failed = out->failed || !order;
  ssk_text_printf(out, "trial,state,%s,se,seconds", sweep->sweep.metric);
  for (int k = 0; k < sweep->axes.n; k++)
    ssk_text_printf(out, ",%s", sweep->axes.items[k].key);
  ssk_text_add(out, "\n");
  for (int r = 0; r < trials->n && !out->failed; r++) {
    const struct ssk_trial *t = order[r].trial;
    ssk_text_printf(out, "%lld,%s", (long long)t->number, ssk_trial_state_name(t->state));
    add_real(out, t->value);
    add_real(out, t->se);
    add_real(out, t->seconds);
    for (int k = 0; k < sweep->axes.n; k++) {
      struct ssk_text value = {0};
      ssk_axis_value(&sweep->axes.items[k], t->point[k], &value);
      ssk_text_add(out, ",");
      if (value.data && strpbrk(value.data, ",\"{["))
        add_quoted(out, value.data);
      else
        ssk_text_add(out, value.data ? value.data : "");
      ssk_text_free(&value);
    }
    ssk_text_add(out, "\n");
  }
  free(order);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *real(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *run_json(const struct ssk_trial_run *run) {
  return json_pack("{s:I, s:s, s:o, s:o, s:i, s:i, s:s}", "seed", (json_int_t)run->seed, "state",
                   ssk_trial_state_name(run->state), "value", real(run->value), "seconds",
                   real(run->seconds), "attempts", run->attempts, "losses", run->losses, "reason",
                   run->reason);
}

static json_t *trial_json(const struct ssk_sweep *sweep, const struct ssk_trial *t) {
  json_t *setting = json_object(), *places = json_object(), *runs = json_array();
  for (int k = 0; k < sweep->axes.n; k++) {
    const struct ssk_axis *axis = &sweep->axes.items[k];
    struct ssk_text value = {0};
    ssk_axis_value(axis, t->point[k], &value);
    json_object_set_new(setting, axis->key, json_string(value.data ? value.data : ""));
    json_object_set_new(places, axis->key, json_real(ssk_axis_number(axis, t->point[k])));
    ssk_text_free(&value);
  }
  for (int i = 0; i < t->n_runs; i++)
    json_array_append_new(runs, run_json(&t->runs[i]));
  return json_pack("{s:I, s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "trial", (json_int_t)t->number,
                   "state", ssk_trial_state_name(t->state), "value", real(t->value), "se",
                   real(t->se), "seconds", real(t->seconds), "step", (json_int_t)t->step, "setting",
                   setting, "places", places, "runs", runs);
}

static json_t *axes_json(const struct ssk_sweep *sweep, const struct ssk_trials *trials) {
  json_t *axes = json_array();
  double *share = calloc((size_t)sweep->axes.n, sizeof *share);
  if (share)
    ssk_sweep_importance(sweep, trials, share);
  for (int k = 0; k < sweep->axes.n; k++) {
    const struct ssk_axis *axis = &sweep->axes.items[k];
    json_t *values = json_array();
    for (int64_t i = 0; axis->values && i < axis->n; i++)
      json_array_append_new(values, json_string(axis->values[i]));
    json_array_append_new(axes, json_pack("{s:s, s:s, s:o, s:o}", "key", axis->key, "kind",
                                          ssk_axis_kind_name(axis->kind), "values", values,
                                          "importance", real(share ? share[k] : NAN)));
  }
  free(share);
  return axes;
}

json_t *ssk_sweep_json(const struct ssk_sweep *sweep, const struct ssk_trials *trials) {
  struct ranked *order = order_of(sweep, trials);
  json_t *all = json_array();
  for (int r = 0; r < trials->n && order; r++)
    json_array_append_new(all, trial_json(sweep, order[r].trial));
  free(order);
  return json_pack("{s:s, s:s, s:I, s:o, s:o}", "sweep", sweep->name, "metric", sweep->sweep.metric,
                   "trials_wanted", (json_int_t)sweep->trials, "axes", axes_json(sweep, trials),
                   "trials", all);
}

static void add_json(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                     struct ssk_text *out) {
  json_t *json = ssk_sweep_json(sweep, trials);
  char *text = json ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
  out->failed = out->failed || !text;
  ssk_text_printf(out, "%s\n", text ? text : "");
  free(text);
  json_decref(json);
}

int ssk_sweep_write(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                    const char *folder, ssk_err *err) {
  static const struct {
    const char *name;
    void (*add)(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                struct ssk_text *out);
  } forms[] = {{"trials.txt", ssk_sweep_text},
               {"trials.md", ssk_sweep_markdown},
               {"trials.csv", ssk_sweep_csv},
               {"trials.json", add_json}};
  int code = SSK_OK;
  for (size_t i = 0; i < sizeof forms / sizeof forms[0] && !code; i++) {
    struct ssk_text text = {0};
    char *path = ssk_path_join(folder, forms[i].name);
    forms[i].add(sweep, trials, &text);
    code = path && !text.failed ? ssk_file_write(path, text.data, text.length, err)
                                : ssk_err_set(err, SSK_ENOMEM, "no memory for the table");
    free(path);
    ssk_text_free(&text);
  }
  return code;
}
