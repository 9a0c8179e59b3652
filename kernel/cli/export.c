/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export.c - sskit export: the weights of a run for other programs. */
#include "cli/training.h"
#include "train/export_weights.h"
#include <stdlib.h>
#include <string.h>

enum { KEY_WHICH = 0x2000 };

static const struct argp_option options[] = {
    {"which", KEY_WHICH, "WHICH", 0,
     "averaged (default): the weights that evaluation uses; raw: those of the last step", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  enum ssk_vector *vector = state->input;
  if (key != KEY_WHICH)
    return ARGP_ERR_UNKNOWN;
  *vector = strcmp(arg, "raw") == 0 ? SSK_VECTOR_WEIGHTS : SSK_VECTOR_AVERAGE;
  if (*vector == SSK_VECTOR_AVERAGE && strcmp(arg, "averaged") != 0)
    argp_error(state, "--which is averaged or raw, not '%s'", arg);
  return 0;
}

static const struct ssk_syntax syntax = {
    .doc = "Write the weights of RUN (a run directory or a checkpoint file) to a file that other "
           "programs read: FILE.npz (NumPy) or FILE.safetensors. Tensors have their names in the "
           "model; the recipe and the units of the data are in the file, too. Neither the data nor "
           "the plugins need be there.",
    .min_words = 1,
    .max_words = 1,
    .run = true,
    .output = "the file: .npz or .safetensors",
    .options = options,
    .parser = parse,
};

int ssk_verb_export(struct ssk_cli *cli, int argc, char **argv) {
  enum ssk_vector vector = SSK_VECTOR_AVERAGE;
  struct ssk_checkpoint checkpoint = {0};
  char *file = NULL;
  int code = ssk_cli_parse(cli, &syntax, &vector, argc, argv);
  if (!code && !cli->output)
    code = ssk_err_set(cli->err, SSK_EUSAGE, "no file was named: --output");
  if (!code)
    code = ssk_run_checkpoint(cli->words[0], &file, cli->err);
  if (!code)
    code = ssk_checkpoint_open(&checkpoint, file, cli->err);
  if (!code)
    code = ssk_export_weights(&checkpoint, vector, cli->output, cli->err);
  ssk_checkpoint_close(&checkpoint);
  free(file);
  return code;
}
