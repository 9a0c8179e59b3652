/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot_training.c - figures from the lines of metrics.jsonl. */
#include "model/evaluate_bound.h"
#include "report/plot_run.h"
#include <jansson.h>
#include <math.h>
#include <string.h>

static const char *const norm_keys[] = {
    "gradient_norm",         "gradient_norm_encoder",    "gradient_norm_emission",
    "gradient_norm_initial", "gradient_norm_transition", NULL};
static const char *const norm_names[] = {"all", "encoder", "emission", "initial", "transition"};

/* Whether there is one. */
static bool add_number(struct ssk_text *out, const json_t *value) {
  if (json_is_number(value))
    ssk_text_printf(out, "\t%.7g", json_number_value(value));
  else
    ssk_text_add(out, "\tnan");
  return json_is_number(value);
}

/* A block: a line for each line of the log of this kind, its step and these values. `list`: the
 * values of the one key are an array. How many lines have a value, without which gnuplot takes a
 * figure for a mistake; *widest gets the longest array. */
static int add_block(struct ssk_text *out, const char *lines, const char *kind,
                     const char *const *keys, bool list, int *widest) {
  int n = 0;
  for (const char *line = lines; *line;) {
    size_t length = strcspn(line, "\n");
    json_t *object = json_loadb(line, length, 0, NULL);
    const char *own = json_string_value(json_object_get(object, "kind"));
    if (own && !strcmp(own, kind)) {
      bool any = false;
      ssk_text_printf(out, "%lld", (long long)json_integer_value(json_object_get(object, "step")));
      if (list) {
        const json_t *array = json_object_get(object, keys[0]);
        size_t m = json_array_size(array);
        for (size_t k = 0; k < m; k++)
          any |= add_number(out, json_array_get(array, k));
        *widest = (int)m > *widest ? (int)m : *widest;
      } else {
        for (int k = 0; keys[k]; k++)
          any |= add_number(out, json_object_get(object, keys[k]));
      }
      ssk_text_add(out, "\n");
      n += any;
    }
    json_decref(object);
    line += length + (line[length] == '\n');
  }
  ssk_text_add(out, "\n\n");
  return n;
}

/* "plot data index I using 1:C ..." of n columns. */
static void add_lines(struct ssk_text *out, int index, int n, const char *const *names) {
  for (int k = 0; k < n; k++)
    ssk_text_printf(out,
                    "%s data index %d using 1:%d with lines linewidth 2 linecolor %s title '%s'",
                    k ? ", \\\n " : "plot", index, k + 2, ssk_plot_colour(k), names[k]);
}

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
}

static int plot_loss(struct ssk_plots *plots, const char *metrics, ssk_err *err) {
  const bool path_loss = strstr(metrics, "\"path_loss\":");
  const char *sum = ssk_measure_name(path_loss);
  char key[32], title[48], note[96], label[32];
  snprintf(key, sizeof key, "%s_per_step", sum);
  snprintf(title, sizeof title, "Parts of the %s", sum);
  snprintf(label, sizeof label, "%sa step", ssk_measure_unit(path_loss));
  snprintf(note, sizeof note,
           "A step, on the training batches; points: the %s on the validation series.", sum);
  const char *const loss_keys[] = {key, "distortion_per_step", "rate_initial_per_step",
                                   "rate_transition_per_step", NULL};
  const char *const loss_names[] = {sum, "distortion", "rate, initial", "rate, transition"};
  struct ssk_plot *p = ssk_plots_add(plots, "loss", title, note);
  int widest = 0;
  if (!p)
    return no_memory(err);
  add_block(&p->data, metrics, "train", loss_keys, false, &widest);
  int n = add_block(&p->data, metrics, "validation", loss_keys, false, &widest);
  ssk_text_printf(&p->script, "set xlabel 'step'\nset ylabel '%s'\n", label);
  add_lines(&p->script, 0, 4, loss_names);
  if (n)
    ssk_text_printf(&p->script,
                    ", \\\n  data index 1 using 1:2 with points pointtype 7 pointsize 0.6 "
                    "linecolor %s title 'validation'",
                    ssk_plot_colour(-1));
  ssk_text_add(&p->script, "\n");
  return SSK_OK;
}

/* How the rate is weighed. */
static int plot_lambda(struct ssk_plots *plots, const char *metrics, ssk_err *err) {
  static const char *const keys[] = {"lambda", NULL}, *const names[] = {"lambda"};
  struct ssk_plot *p =
      ssk_plots_add(plots, "lambda", "Weight of the rate", "The objective's lambda.");
  int widest = 0;
  if (!p)
    return no_memory(err);
  add_block(&p->data, metrics, "train", keys, false, &widest);
  ssk_text_add(&p->script, "set xlabel 'step'\nset ylabel 'lambda'\nset yrange [0:*]\n");
  add_lines(&p->script, 0, 1, names);
  ssk_text_add(&p->script, "\n");
  return SSK_OK;
}

static int plot_norms(struct ssk_plots *plots, const char *metrics, ssk_err *err) {
  struct ssk_plot *p = ssk_plots_add(plots, "gradients", "Norms of the gradient",
                                     "Before clipping, of all weights and of each part.");
  int widest = 0;
  if (!p)
    return no_memory(err);
  add_block(&p->data, metrics, "train", norm_keys, false, &widest);
  ssk_text_add(&p->script, "set xlabel 'step'\nset ylabel 'norm'\nset logscale y\n"
                           "set format y '%.0e'\n");
  add_lines(&p->script, 0, 5, norm_names);
  ssk_text_add(&p->script, "\n");
  return SSK_OK;
}

static int plot_kl(struct ssk_plots *plots, const char *metrics, ssk_err *err) {
  static const char *const keys[] = {"kl", NULL};
  struct ssk_text data = {0};
  int widest = 0, n = add_block(&data, metrics, "health", keys, true, &widest);
  struct ssk_plot *p =
      n && widest ? ssk_plots_add(plots, "kl", "KL of each latent dimension",
                                  "Nats a step on the validation series (docs/health.md); a "
                                  "dimension at zero carries nothing.")
                  : NULL;
  if (!p) {
    ssk_text_free(&data);
    return n && widest ? no_memory(err) : SSK_OK;
  }
  p->data = data;
  ssk_text_add(&p->script, "set xlabel 'step'\nset ylabel 'nats a step'\nset yrange [0:*]\n");
  for (int k = 0; k < widest; k++) {
    char title[24] = "";
    if (k < SSK_PLOT_COLOURS) /* colours repeat beyond these */
      snprintf(title, sizeof title, "latent %d", k);
    ssk_text_printf(&p->script,
                    "%s data index 0 using 1:%d with linespoints linewidth 2 pointtype 7 pointsize "
                    "0.4 linecolor %s title '%s'",
                    k ? ", \\\n " : "plot", k + 2, ssk_plot_colour(k), title);
  }
  ssk_text_add(&p->script, "\n");
  return SSK_OK;
}

int ssk_plot_training(struct ssk_plots *plots, const char *metrics, ssk_err *err) {
  if (!strstr(metrics, "\"kind\":\"train\""))
    return SSK_OK; /* not begun */
  int code = plot_loss(plots, metrics, err);
  if (!code)
    code = plot_lambda(plots, metrics, err);
  if (!code)
    code = plot_norms(plots, metrics, err);
  return code ? code : plot_kl(plots, metrics, err);
}
