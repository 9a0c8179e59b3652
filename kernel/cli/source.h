/* SPDX-License-Identifier: GPL-3.0-or-later */
/* source.h - what forecast, filter and sample work on: a trained run, and series of a split of its
 * data set, or of a file (--data). */
#ifndef SSK_CLI_SOURCE_H
#define SSK_CLI_SOURCE_H

#include "cli/cli.h"
#include "model/outside.h"
#include "model/series_names.h"
#include "report/run.h"

struct ssk_source {
  struct ssk_run *run;
  bool file; /* the series are those of a file */
  const struct ssk_data *data;
  enum ssk_split split;
  int64_t first, last;           /* of the series that are wanted, and behind it */
  struct ssk_outside outside;    /* of a file */
  struct ssk_series_names names; /* of the data set */
};

/* Open the run words[0]; the data of its training need not be there for series from elsewhere:
 * `alone`. Free also after a failure. */
int ssk_source_open(struct ssk_cli *cli, bool alone, int n_over, const char *const *over,
                    struct ssk_source *out);
/* Take series `wanted` (-1: all; of a split, as many as evaluate.series says) of evaluate.split, or
 * of `file` where that is not NULL. SSK_EUSAGE where there is no such series. */
int ssk_source_choose(struct ssk_cli *cli, struct ssk_source *source, const char *file,
                      int64_t wanted);
/* The name of series i; NULL where series have numbers alone. Borrowed. */
const char *ssk_source_name(const struct ssk_source *source, int64_t i);
void ssk_source_free(struct ssk_source *source);

#endif
