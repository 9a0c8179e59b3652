/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data.c - sskit data: what the data set of a recipe is, its fingerprint, and who is in which
 * split. */
#include "model/data.h"
#include "cli/cli.h"
#include "core/file.h"
#include "report/split_facts.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct ssk_syntax syntax = {
    .doc =
        "Read the data set of RECIPE as a training would. `describe` prints its sizes, and of each "
        "split the number of series, their lengths and the share of missing entries; of each "
        "dimension its range and the mean and deviation by which it is standardised; and which "
        "columns are not modelled although the recipe does not leave them out. `hash` "
        "prints the fingerprint of all values and masks, which a run directory records. `split` "
        "writes as JSON which steps of which series each split has.",
    .min_words = 2,
    .max_words = 2,
    .overrides = true,
    .output = "split: the file to write instead of standard output",
};

static void hash_text(uint64_t hash, char *text, size_t n) {
  snprintf(text, n, "%016" PRIx64, hash);
}

/* ---- describe -------------------------------------------------------------------------------- */

static json_t *split_json(const struct ssk_split_facts *f) {
  return json_pack("{s:I, s:i, s:f, s:i, s:I, s:f}", "series", (json_int_t)f->series, "shortest",
                   f->shortest, "mean_length", f->series ? (double)f->steps / (double)f->series : 0,
                   "longest", f->longest, "steps", (json_int_t)f->steps, "missing_share",
                   f->missing_share);
}

static json_t *dimensions_json(const struct ssk_data *data,
                               const struct ssk_dimension_facts *facts) {
  json_t *array = json_array();
  for (int k = 0; k < data->shape.D; k++) {
    const struct ssk_dimension_facts *f = &facts[k];
    json_array_append_new(
        array, json_pack("{s:o, s:o, s:o, s:o, s:o, s:f}", "name",
                         data->names.n ? ssk_cli_text(data->names.items[k]) : json_null(), "mean",
                         ssk_cli_real(f->mean), "deviation", ssk_cli_real(f->deviation), "lowest",
                         ssk_cli_real(f->lowest), "highest", ssk_cli_real(f->highest),
                         "missing_share", f->missing_share));
  }
  return array;
}

static json_t *left_out_json(const struct ssk_data *data) {
  const struct ssk_strings *left_out = ssk_data_left_out(data);
  json_t *array = json_array();
  for (int i = 0; i < left_out->n; i++)
    json_array_append_new(array, ssk_cli_text(left_out->items[i]));
  return array;
}

static int describe_json(struct ssk_cli *cli, const struct ssk_data *data,
                         const struct ssk_split_facts *splits,
                         const struct ssk_dimension_facts *dimensions) {
  char hash[24];
  hash_text(data->fingerprint, hash, sizeof hash);
  json_t *parts = json_object();
  for (int s = 0; s < SSK_SPLIT_COUNT; s++)
    json_object_set_new(parts, ssk_split_name(s), split_json(&splits[s]));
  return ssk_cli_print_json(
      cli, json_pack("{s:s, s:i, s:i, s:i, s:b, s:b, s:i, s:I, s:o, s:o, s:o, s:s}", "dataset",
                     data->dataset->component->name, "dimensions", data->shape.D, "covariates",
                     data->shape.V, "static_covariates", data->shape.E, "oracle",
                     data->oracle != NULL, "standardised", data->standardised, "window_length",
                     data->window_length, "windows", (json_int_t)data->n_windows, "splits", parts,
                     "training_values", dimensions_json(data, dimensions), "left_out",
                     left_out_json(data), "fingerprint", hash));
}

static void describe_text(const struct ssk_cli *cli, const struct ssk_data *data,
                          const struct ssk_split_facts *splits,
                          const struct ssk_dimension_facts *dimensions) {
  enum { SHOWN = 32 };
  char hash[24];
  hash_text(data->fingerprint, hash, sizeof hash);
  printf("%s%s%s: %d dimensions, %d covariates, %d static covariates%s\n", ssk_cli_bold(cli),
         data->dataset->component->name, ssk_cli_plain(cli), data->shape.D, data->shape.V,
         data->shape.E, data->oracle ? ", its process is known" : "");
  printf("fingerprint %s\n", hash);
  printf("%lld training windows of %d steps\n\n", (long long)data->n_windows, data->window_length);
  printf("split     series     steps  shortest    mean  longest   missing\n");
  for (int s = 0; s < SSK_SPLIT_COUNT; s++) {
    const struct ssk_split_facts *f = &splits[s];
    printf("%-6s %9lld %9lld %9d %7.1f %8d %8.3f%%\n", ssk_split_name(s), (long long)f->series,
           (long long)f->steps, f->shortest, f->series ? (double)f->steps / (double)f->series : 0,
           f->longest, 100 * f->missing_share);
  }
  printf("\ntraining values%s\ndimension          mean     deviation        lowest       highest   "
         "missing\n",
         data->standardised ? ", standardised by mean and deviation" : ", taken as they are");
  for (int k = 0; k < data->shape.D && k < SHOWN; k++)
    printf("%9d %13.6g %13.6g %13.6g %13.6g %8.3f%%%s%s\n", k, dimensions[k].mean,
           dimensions[k].deviation, dimensions[k].lowest, dimensions[k].highest,
           100 * dimensions[k].missing_share, data->names.n ? "  " : "",
           data->names.n ? data->names.items[k] : "");
  if (data->shape.D > SHOWN)
    printf("and %d more (--json shows all)\n", data->shape.D - SHOWN);
  const struct ssk_strings *left_out = ssk_data_left_out(data);
  for (int i = 0; i < left_out->n; i++)
    printf("%s%s\n", i ? "  " : "\ncolumns that are not modelled\n  ", left_out->items[i]);
}

static int describe(struct ssk_cli *cli, const struct ssk_data *data) {
  struct ssk_split_facts splits[SSK_SPLIT_COUNT];
  struct ssk_dimension_facts *dimensions = calloc((size_t)data->shape.D, sizeof *dimensions);
  if (!dimensions)
    return ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the facts of the data set");
  for (int s = 0; s < SSK_SPLIT_COUNT; s++)
    splits[s] = ssk_split_facts(data, s);
  for (int k = 0; k < data->shape.D; k++)
    dimensions[k] = ssk_dimension_facts(data, k);
  int code = SSK_OK;
  if (cli->json)
    code = describe_json(cli, data, splits, dimensions);
  else
    describe_text(cli, data, splits, dimensions);
  free(dimensions);
  return code;
}

/* ---- hash and split -------------------------------------------------------------------------- */

static int print_hash(struct ssk_cli *cli, const struct ssk_data *data) {
  char hash[24];
  hash_text(data->fingerprint, hash, sizeof hash);
  if (cli->json)
    return ssk_cli_print_json(cli, json_pack("{s:s}", "fingerprint", hash));
  puts(hash);
  return SSK_OK;
}

static json_t *series_json(const struct ssk_data *data, enum ssk_split split, int64_t i) {
  const struct ssk_dataset_ops *ops = data->dataset->component->ops;
  json_t *entry = json_pack("{s:i}", "steps", data->split[split].length[i]);
  if (ops->origin) {
    struct ssk_series_origin from = {.size = sizeof from};
    ops->origin(data->dataset->self, split, i, &from);
    json_t *origin = json_pack("{s:o, s:o, s:I}", "file", ssk_cli_text(from.file), "series",
                               ssk_cli_text(from.name), "first", (json_int_t)from.first);
    json_object_update(entry, origin);
    json_decref(origin);
  }
  return entry;
}

static int write_split(struct ssk_cli *cli, const struct ssk_data *data) {
  char hash[24];
  hash_text(data->fingerprint, hash, sizeof hash);
  json_t *parts = json_object();
  for (int s = 0; s < SSK_SPLIT_COUNT; s++) {
    json_t *array = json_array();
    for (int64_t i = 0; i < data->split[s].n; i++)
      json_array_append_new(array, series_json(data, s, i));
    json_object_set_new(parts, ssk_split_name(s), array);
  }
  json_t *all = json_pack("{s:s, s:s, s:o}", "dataset", data->dataset->component->name,
                          "fingerprint", hash, "splits", parts);
  if (!cli->output)
    return ssk_cli_print_json(cli, all);
  char *text = json_dumps(all, JSON_INDENT(2));
  json_decref(all);
  int code = text ? ssk_file_write(cli->output, text, strlen(text), cli->err)
                  : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the split");
  free(text);
  return code;
}

int ssk_verb_data(struct ssk_cli *cli, int argc, char **argv) {
  static const struct {
    const char *name;
    int (*run)(struct ssk_cli *cli, const struct ssk_data *data);
  } actions[] = {{"describe", describe}, {"hash", print_hash}, {"split", write_split}};
  enum { N = sizeof actions / sizeof *actions };
  int code = ssk_cli_parse(cli, &syntax, NULL, argc, argv), action = 0;
  if (code)
    return code;
  while (action < N && strcmp(cli->words[0], actions[action].name) != 0)
    action++;
  if (action == N) {
    ssk_err_set(cli->err, SSK_EUSAGE, "there is no 'sskit data %s'", cli->words[0]);
    ssk_err_hint(cli->err, "describe, hash or split");
    return SSK_EUSAGE;
  }
  struct ssk_experiment *experiment = NULL;
  struct ssk_data *data = NULL;
  code =
      ssk_cli_is_for(cli, "--output", cli->output, "'split'", actions[action].run == write_split);
  if (!code)
    code = ssk_experiment_load(cli->words[1], cli->n_over, cli->over, cli->registry, &experiment,
                               cli->err);
  code = code ? code : ssk_data_load(experiment, &data, cli->err);
  code = code ? code : actions[action].run(cli, data);
  ssk_data_free(data);
  if (experiment)
    ssk_experiment_free(experiment);
  return code;
}
