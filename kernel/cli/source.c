/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/source.h"
#include "infer/evaluate.h"

int ssk_source_open(struct ssk_cli *cli, bool alone, int n_over, const char *const *over,
                    struct ssk_source *out) {
  *out = (struct ssk_source){0};
  return (alone ? ssk_run_open_alone : ssk_run_open)(cli->words[0], n_over, over, cli->registry,
                                                     &out->run, cli->err);
}

int ssk_source_choose(struct ssk_cli *cli, struct ssk_source *source, const char *file,
                      int64_t wanted) {
  const struct ssk_run *run = source->run;
  const struct ssk_evaluate_section *how = &run->experiment->evaluate;
  int code;
  source->file = file;
  source->data = run->data;
  source->split = (enum ssk_split)how->split;
  if (file) {
    code = ssk_outside_read(run->experiment, cli->registry, run->data, file, &source->outside,
                            cli->err);
    source->data = source->outside.data;
    source->split = SSK_TEST;
  } else {
    code = ssk_series_names_read(source->data, source->split, &source->names, cli->err);
  }
  if (code)
    return code;
  const int64_t n = source->data->split[source->split].n;
  if (wanted >= n)
    return ssk_err_set(cli->err, SSK_EUSAGE, "there is no series %lld: the %s has %lld",
                       (long long)wanted, file ? "file" : "split", (long long)n);
  source->first = wanted < 0 ? 0 : wanted;
  source->last = wanted >= 0 ? wanted + 1 : file ? n : ssk_evaluated_series(how, source->data);
  return SSK_OK;
}

const char *ssk_source_name(const struct ssk_source *source, int64_t i) {
  return source->file      ? ssk_outside_name(&source->outside, i)
         : source->names.n ? source->names.text[i]
                           : NULL;
}

void ssk_source_free(struct ssk_source *source) {
  ssk_outside_free(&source->outside);
  ssk_series_names_free(&source->names);
  ssk_run_free(source->run);
  *source = (struct ssk_source){0};
}
