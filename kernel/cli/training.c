/* SPDX-License-Identifier: GPL-3.0-or-later */
/* training.c - what the verbs train and resume share. */
#include "cli/training.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void ssk_cli_quote(struct ssk_text *text, const char *word) {
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:%@^";
  if (*word && word[strspn(word, plain)] == 0) {
    ssk_text_add(text, word);
    return;
  }
  ssk_text_add(text, "'");
  for (const char *c = word; *c; c++)
    ssk_text_printf(text, *c == '\'' ? "'\\%c'" : "%c", *c);
  ssk_text_add(text, "'");
}

char *ssk_cli_command(int argc, char **argv) {
  struct ssk_text text = {0};
  ssk_text_add(&text, argv[0]); /* "sskit train": two words */
  for (int i = 1; i < argc; i++) {
    ssk_text_add(&text, " ");
    ssk_cli_quote(&text, argv[i]);
  }
  ssk_text_add(&text, "\n");
  if (text.failed)
    ssk_text_free(&text);
  return text.data;
}

struct ssk_run_options ssk_cli_run_options(const struct ssk_cli *cli, const char *command) {
  return (struct ssk_run_options){.threads = cli->threads,
                                  .ranks = cli->ranks,
                                  .registry = cli->registry,
                                  .command = command,
                                  .progress = cli->quiet ? NULL : stderr};
}

static json_t *validation_json(const struct ssk_run_summary *summary) {
  const struct ssk_counters *c = &summary->counters;
  const struct ssk_bound_summary *v = &c->validation;
  if (c->validated_step == 0)
    return json_null();
  json_t *object =
      json_pack("{s:I, s:I, s:o, s:o, s:o}", "step", (json_int_t)c->validated_step, "series",
                (json_int_t)v->series, "distortion", ssk_cli_real(v->distortion), "rate_initial",
                ssk_cli_real(v->initial), "rate_transition", ssk_cli_real(v->transition));
  ssk_cli_add_sum(object, summary->path_loss, "", v->total);
  ssk_cli_add_sum(object, summary->path_loss, "_se", v->se);
  ssk_cli_add_sum(object, summary->path_loss, "_per_step", v->total / v->steps);
  return object;
}

int ssk_cli_print_run(struct ssk_cli *cli, const char *folder, int code,
                      const struct ssk_run_summary *summary) {
  const struct ssk_counters *c = &summary->counters;
  if (cli->silent)
    return code;
  if (cli->json) {
    if (code && code != SSK_EINTERRUPTED)
      return code;
    const int failed = ssk_cli_print_json(
        cli, json_pack("{s:s, s:s, s:I, s:I, s:o, s:f}", "run", folder, "status",
                       code ? "interrupted" : "done", "step", (json_int_t)c->step, "skipped",
                       (json_int_t)c->skipped, "validation", validation_json(summary),
                       "time_seconds", summary->seconds));
    return code ? code : failed;
  }
  if (code)
    return code;
  printf("run %s: %" PRId64 " steps", folder, c->step);
  if (c->skipped)
    printf(", %" PRId64 " skipped", c->skipped);
  putchar('\n');
  const struct ssk_bound_summary *v = &c->validation;
  if (c->validated_step)
    printf("validation %s %.5g +- %.2g %sa sequence, %.5g a step (%" PRId64 " series)\n",
           ssk_measure_name(summary->path_loss), v->total, v->se,
           ssk_measure_unit(summary->path_loss), v->total / v->steps, v->series);
  else
    printf("no validation: the data set has no validation series\n");
  return SSK_OK;
}
