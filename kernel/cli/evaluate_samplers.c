/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evaluate_samplers.c - sskit evaluate --samplers. */
#include "cli/evaluate_samplers.h"
#include "report/sampler_costs.h"
#include "report/table.h"
#include <math.h>
#include <string.h>

static const int64_t usual_steps[] = {5, 8, 10, 16, 32};
enum { N_USUAL = sizeof usual_steps / sizeof usual_steps[0] };

void ssk_cli_sampler_steps(const struct argp_state *state, const char *arg,
                           struct ssk_evaluate_samplers *asked) {
  asked->n_steps = 0;
  for (const char *at = arg; *at || !asked->n_steps;) {
    char text[24];
    const size_t n = strcspn(at, ",");
    snprintf(text, sizeof text, "%.*s", (int)(n < 23 ? n : 23), at);
    if (asked->n_steps == SSK_SAMPLER_STEPS) {
      argp_error(state, "--steps takes at most %d numbers", SSK_SAMPLER_STEPS);
      return; /* a rank that is silent goes on */
    }
    asked->steps[asked->n_steps++] = ssk_cli_int(state, "--steps", text, 1, 10000);
    at += n + (at[n] == ',');
  }
}

struct output {
  const struct ssk_cli *cli;
  json_t *points; /* NULL: lines are printed */
  bool begun;
};

static double figure_of(const json_t *metric, const char *key) {
  const json_t *value = json_object_get(metric, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

/* The cells of a row; `heads`: their names, not their figures. The last is not padded. */
static void print_cells(json_t *metrics, bool heads) {
  size_t left = json_object_size(metrics);
  const char *name;
  json_t *value;
  json_object_foreach(metrics, name, value) {
    char number[48];
    const char *cell =
        heads ? name : ssk_table_number(number, figure_of(value, "mean"), figure_of(value, "se"));
    const int bytes = strstr(cell, "\u00b1") ? 19 : 18; /* the sign is one column and two bytes */
    printf("  %-*s", --left ? bytes : 0, cell);
  }
}

static void print_point(void *user, const json_t *point) {
  struct output *out = user;
  json_t *metrics = json_object_get(point, "metrics");
  if (out->points) {
    json_array_append_new(out->points, json_deep_copy(point));
    return;
  }
  if (!out->begun) {
    printf("%s%-12s %11s", ssk_cli_bold(out->cli), "sampler", "evaluations");
    print_cells(metrics, true);
    printf("%s\n", ssk_cli_plain(out->cli));
  }
  out->begun = true;
  printf("%-12s %11lld", json_string_value(json_object_get(point, "sampler")),
         (long long)json_integer_value(json_object_get(point, "evaluations")));
  print_cells(metrics, false);
  putchar('\n');
  fflush(stdout);
}

int ssk_cli_evaluate_samplers(struct ssk_cli *cli, const struct ssk_evaluate_samplers *asked) {
  struct output out = {.cli = cli, .points = cli->json ? json_array() : NULL};
  struct ssk_pool *pool = NULL;
  const struct ssk_sampler_costs_how how = {.run = cli->words[0],
                                            .names = asked->names,
                                            .n_steps = asked->n_steps ? asked->n_steps : N_USUAL,
                                            .steps = asked->n_steps ? asked->steps : usual_steps,
                                            .n_overrides = cli->n_over,
                                            .overrides = cli->over};
  int code = ssk_pool_new(cli->threads, &pool, cli->err);
  if (!code)
    code = ssk_sampler_costs(&how, cli->registry, pool, print_point, &out, cli->err);
  if (!code && cli->json)
    code = ssk_cli_print_json(cli, json_pack("{s:O}", "points", out.points));
  json_decref(out.points);
  ssk_pool_free(pool);
  return code;
}
