/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evaluate.c - sskit evaluate: the metrics of a trained run. */
#include "cli/evaluate_samplers.h"
#include "cli/training.h"
#include "model/evaluate_bound.h"
#include "report/health_text.h"
#include "report/run_score.h"

enum { KEY_HEALTH = 0x2000, KEY_SAMPLERS, KEY_STEPS };

static const struct argp_option options[] = {
    {"health", KEY_HEALTH, NULL, 0,
     "also the health of latents and transition on these series, as the section health says", 0},
    {"samplers", KEY_SAMPLERS, "NAME,...", 0,
     "of a diffusion: only the metrics of its draws, with one sampler after another (all: that "
     "have "
     "a parameter steps), over network evaluations; the run keeps them for sskit plot",
     0},
    {"steps", KEY_STEPS, "N,...", 0, "with --samplers: the steps of each (default: 5,8,10,16,32)",
     0},
    {0}};

struct input {
  bool health;
  struct ssk_evaluate_samplers samplers;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct input *input = state->input;
  switch (key) {
  case KEY_HEALTH:
    input->health = true;
    return 0;
  case KEY_SAMPLERS:
    input->samplers.names = arg;
    return 0;
  case KEY_STEPS:
    ssk_cli_sampler_steps(state, arg, &input->samplers);
    return 0;
  case ARGP_KEY_END:
    if (input->samplers.names && input->health)
      argp_error(state, "--samplers and --health are asked for one at a time");
    if (input->samplers.n_steps && !input->samplers.names)
      argp_error(state, "--steps is for --samplers");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct ssk_syntax syntax = {
    .doc = "Evaluate the trained model in RUN (a run directory or a checkpoint file) as its recipe "
           "says, with the averaged weights: the metrics with their standard errors, and the parts "
           "of the bound at lambda = 1. Overrides such as evaluate.samples=64 change what is "
           "computed, not the model.",
    .min_words = 1,
    .max_words = 1,
    .overrides = true,
    .threads = SSK_CLI_THREADS,
    .run = true,
    .options = options,
    .parser = parse,
};

static json_t *bound_json(const struct ssk_bound_summary *b) {
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:f, s:I}", "distortion", ssk_cli_real(b->distortion),
                   "rate_initial", ssk_cli_real(b->initial), "rate_transition",
                   ssk_cli_real(b->transition), "total", ssk_cli_real(b->total), "total_se",
                   ssk_cli_real(b->se), "steps", b->steps, "series", (json_int_t)b->series);
}

static void print_bound(const struct ssk_bound_summary *b, bool path_loss) {
  printf("\n%-27sa sequence     a step\n",
         path_loss ? "path_loss, no bound" : "negative ELBO in nats");
  const struct {
    const char *name;
    double value;
  } parts[] = {{"distortion", b->distortion},
               {"rate, initial", b->initial},
               {"rate, transition", b->transition},
               {"sum", b->total}};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    printf("  %-20s %14.4f %10.4f\n", parts[i].name, parts[i].value, parts[i].value / b->steps);
}

static json_t *health_json(const struct ssk_health *health) {
  struct ssk_text text = {0};
  ssk_text_add(&text, "{");
  ssk_health_json(health, &text);
  ssk_text_add(&text, "}");
  json_t *object = text.failed ? NULL : json_loads(text.data, 0, NULL);
  ssk_text_free(&text);
  return object;
}

/* health: NULL where it was not asked for. */
static int print(struct ssk_cli *cli, const struct ssk_table *table,
                 const struct ssk_bound_summary *bound, bool path_loss,
                 const struct ssk_health *health) {
  struct ssk_text text = {0};
  (cli->json ? ssk_table_json : ssk_table_text)(table, &text);
  int code = text.failed ? ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the table") : SSK_OK;
  if (!code && cli->json) {
    json_t *object = json_loads(text.data, 0, NULL);
    json_object_set_new(object, ssk_measure_name(path_loss), bound_json(bound));
    if (health)
      json_object_set_new(object, "health", health_json(health));
    code = ssk_cli_print_json(cli, object);
  } else if (!code) {
    fputs(text.data, stdout);
    print_bound(bound, path_loss);
  }
  if (!code && health && !cli->json) {
    struct ssk_text lines = {0};
    ssk_health_table(health, &lines);
    printf("\n%s", lines.failed ? "" : lines.data);
    ssk_text_free(&lines);
  }
  ssk_text_free(&text);
  return code;
}

static int evaluate(struct ssk_cli *cli, bool with_health) {
  struct ssk_run *run = NULL;
  struct ssk_pool *pool = NULL;
  struct ssk_table table = {0};
  struct ssk_health health = {0};
  int code = ssk_run_open(cli->words[0], cli->n_over, cli->over, cli->registry, &run, cli->err);
  if (!code)
    code = ssk_pool_new(cli->threads, &pool, cli->err);
  if (!code)
    code = ssk_run_table(run, pool, &table, cli->err);
  struct ssk_bound_summary bound;
  if (!code) {
    const struct ssk_evaluate_section *how = &run->experiment->evaluate;
    code = ssk_model_evaluate_bound(run->model, run->data, run->values, (enum ssk_split)how->split,
                                    how->series, (int)how->bound_length, (int)how->bound_paths,
                                    (uint64_t)run->experiment->seed, pool, &bound, cli->err);
  }
  if (!code && with_health)
    code = ssk_health_measure(run->model, run->data, run->values,
                              (enum ssk_split)run->experiment->evaluate.split, pool, &health,
                              cli->err);
  if (!code)
    code = print(cli, &table, &bound, ssk_gives_path_loss(run->experiment),
                 with_health ? &health : NULL);
  ssk_health_free(&health);
  ssk_table_free(&table);
  ssk_pool_free(pool);
  ssk_run_free(run);
  return code;
}

int ssk_verb_evaluate(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {0};
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  if (!code && input.samplers.names)
    return ssk_cli_evaluate_samplers(cli, &input.samplers);
  return code ? code : evaluate(cli, input.health);
}
