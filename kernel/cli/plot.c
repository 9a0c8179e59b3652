/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot.c - sskit plot: figures and report.html of a run, of a comparison or of a sweep. */
#include "cli/cli.h"
#include "core/file.h"
#include "report/report_page.h"
#include "report/runs.h"
#include "sweep/sweep_page.h"
#include <stdlib.h>

static const struct ssk_syntax syntax = {
    .doc = "Draw the figures of DIR, a run or the directory of a comparison or a sweep, and write "
           "DIR/report.html, one page with all of them that needs no other file. Each figure, its "
           "numbers and the script of gnuplot that made it are in DIR/plots.",
    .min_words = 1,
    .max_words = -1,
    .threads = SSK_CLI_THREADS,
};

static int plot(struct ssk_cli *cli, const char *folder) {
  char *table = ssk_path_join(folder, "table.json"), *trials = ssk_path_join(folder, "trials.json");
  int code;
  if (!table || !trials)
    code = ssk_err_set(cli->err, SSK_ENOMEM, "no memory for a file name");
  else if (ssk_is_run(folder))
    code = ssk_report_run(folder, cli->registry, cli->threads, cli->err);
  else if (ssk_file_exists(table))
    code = ssk_report_comparison(folder, cli->err);
  else if (ssk_file_exists(trials))
    code = ssk_sweep_report(folder, cli->err);
  else
    code =
        ssk_err_set(cli->err, SSK_EIO,
                    "'%s' is neither a run nor the directory of a comparison or a sweep", folder);
  free(table);
  free(trials);
  return code;
}

int ssk_verb_plot(struct ssk_cli *cli, int argc, char **argv) {
  int code = ssk_cli_parse(cli, &syntax, NULL, argc, argv);
  json_t *pages = json_array();
  for (int i = 0; i < cli->n_words && !code; i++) {
    code = plot(cli, cli->words[i]);
    if (!code)
      json_array_append_new(pages, json_sprintf("%s/report.html", cli->words[i]));
    if (!code && !cli->json && !cli->quiet)
      printf("%s/report.html\n", cli->words[i]);
  }
  if (!code && cli->json)
    return ssk_cli_print_json(cli, json_pack("{s:o}", "reports", pages));
  json_decref(pages);
  return code;
}
