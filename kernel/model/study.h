/* SPDX-License-Identifier: GPL-3.0-or-later */
/* study.h - a recipe that compares: what stands under `compare`, and what all rows share. */
#ifndef SSK_MODEL_STUDY_H
#define SSK_MODEL_STUDY_H

#include "model/experiment.h"

struct ssk_compare_section {
  struct ssk_strings rows;   /* recipe files (relative to this one), or names of baselines */
  struct ssk_strings freeze; /* parts that all rows have from one training, and do not train */
  const char *start;         /* recipe file of that training; "": none */
  struct ssk_reals seeds;
  int64_t bootstrap;  /* resamples of the paired intervals */
  int64_t lags;       /* of the Diebold-Mariano variance; -1: horizon - 1 */
  bool sequential;    /* add series until the differences are decided */
  const char *decide; /* metric that decides; "": the first */
  int64_t look;       /* series at the first look */
};
struct ssk_study {
  const char *name;
  struct ssk_compare_section compare;
  struct ssk_strings set; /* overrides that apply to every row's recipe */
  struct ssk_tree *tree;
  struct ssk_arena arena;
};
extern const struct ssk_param ssk_study_rows[];
int ssk_study_load(const char *path, int n_overrides, const char *const *overrides,
                   struct ssk_registry *registry, struct ssk_study **out, ssk_err *err);
void ssk_study_free(struct ssk_study *study);
/* Whether a recipe file is a study (has `compare:`); false also when it cannot be read. */
bool ssk_is_study(const char *path);

#endif
