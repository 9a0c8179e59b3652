/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot_times.c - where the time of a training step goes, by component, from metrics.jsonl. */
#include "report/plot_run.h"
#include "report/times_log.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* What is less than this part of a step is shown together. */
static const double least_share = 0.01;
static const char rest_name[] = "others";

struct bar {
  char name[96];
  double seconds[SSK_WAYS]; /* sums over the lines */
};

struct bars {
  struct bar *items;
  int n, lines;
  bool failed;
};

static double seconds_of(const struct bar *bar) {
  return bar->seconds[SSK_FORWARD] + bar->seconds[SSK_BACKWARD];
}

static struct bar *bar_of(struct bars *bars, const char *name) {
  for (int i = 0; i < bars->n; i++)
    if (!strcmp(bars->items[i].name, name))
      return &bars->items[i];
  struct bar *grown = realloc(bars->items, ((size_t)bars->n + 1) * sizeof *grown);
  if (!grown) {
    bars->failed = true;
    return NULL;
  }
  bars->items = grown;
  struct bar *bar = &bars->items[bars->n++];
  *bar = (struct bar){0};
  snprintf(bar->name, sizeof bar->name, "%s", name);
  return bar;
}

static void add_line(struct bars *bars, json_t *object) {
  const char *key;
  json_t *value;
  bars->lines++;
  json_object_foreach(object, key, value) for (int way = 0; way < SSK_WAYS; way++) {
    const size_t n = strlen(ssk_times_keys[way]);
    struct bar *bar = strncmp(key, ssk_times_keys[way], n) == 0 ? bar_of(bars, key + n) : NULL;
    if (bar)
      bar->seconds[way] += json_number_value(value);
  }
}

static void read_lines(struct bars *bars, const char *lines) {
  for (const char *line = lines; *line;) {
    const size_t length = strcspn(line, "\n");
    json_t *object = json_loadb(line, length, 0, NULL);
    const char *kind = json_string_value(json_object_get(object, "kind"));
    if (kind && !strcmp(kind, "times"))
      add_line(bars, object);
    json_decref(object);
    line += length + (line[length] == '\n');
  }
}

/* The longest first, what is together last. */
static int compare(const void *a, const void *b) {
  const struct bar *x = a, *y = b;
  const bool rest_x = !strcmp(x->name, rest_name), rest_y = !strcmp(y->name, rest_name);
  const double of_x = seconds_of(x), of_y = seconds_of(y);
  return rest_x != rest_y ? rest_x - rest_y : (of_x < of_y) - (of_x > of_y);
}

/* Bars that are too short to be seen become one. */
static void gather(struct bars *bars) {
  double all = 0;
  int kept = 0;
  struct bar rest = {0};
  snprintf(rest.name, sizeof rest.name, "%s", rest_name);
  for (int i = 0; i < bars->n; i++)
    all += seconds_of(&bars->items[i]);
  for (int i = 0; i < bars->n; i++)
    if (seconds_of(&bars->items[i]) >= least_share * all) {
      bars->items[kept++] = bars->items[i];
    } else {
      for (int way = 0; way < SSK_WAYS; way++)
        rest.seconds[way] += bars->items[i].seconds[way];
    }
  if (kept < bars->n)
    bars->items[kept++] = rest;
  bars->n = kept;
  qsort(bars->items, (size_t)bars->n, sizeof *bars->items, compare);
}

static int draw(struct ssk_plots *plots, const struct bars *bars, ssk_err *err) {
  char note[200];
  snprintf(note, sizeof note,
           "Processor time of all threads, by component: the mean of %d step%s, one before each "
           "validation. sskit bench tells more.",
           bars->lines, bars->lines == 1 ? "" : "s");
  struct ssk_plot *p = ssk_plots_add(plots, "times", "Time of a training step", note);
  if (!p)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
  for (int i = 0; i < bars->n; i++)
    ssk_text_printf(&p->data, "%s\t%.7g\t%.7g\n", bars->items[i].name,
                    1e3 * bars->items[i].seconds[SSK_FORWARD] / bars->lines,
                    1e3 * bars->items[i].seconds[SSK_BACKWARD] / bars->lines);
  ssk_text_printf(
      &p->script,
      "set xlabel 'milliseconds a step'\nset xrange [0:*]\nset yrange [%d.6:-0.6]\n"
      "set style fill solid 0.8 noborder\nset grid noytics\nset ytics scale 0\n"
      "plot data using 2:0:(0):2:($0-0.38):($0+0.38):ytic(1) with boxxyerror linecolor %s title "
      "'forward', \\\n  data using 2:0:2:($2+$3):($0-0.38):($0+0.38) with boxxyerror linecolor %s "
      "title 'backward'\n",
      bars->n - 1, ssk_plot_colour(0), ssk_plot_colour(1));
  return SSK_OK;
}

int ssk_plot_times(struct ssk_plots *plots, const char *metrics, ssk_err *err) {
  struct bars bars = {0};
  int code = SSK_OK;
  read_lines(&bars, metrics);
  if (bars.failed)
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
  if (!code && bars.n > 0) {
    gather(&bars);
    code = draw(plots, &bars, err);
  }
  free(bars.items);
  return code;
}
