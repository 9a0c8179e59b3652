/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_internal.h - what the files of the store share. */
#ifndef SSK_SWEEP_STORE_INTERNAL_H
#define SSK_SWEEP_STORE_INTERNAL_H

#include "sweep/database.h"
#include "sweep/store.h"
#include <inttypes.h>
#include <stdio.h>

struct ssk_store {
  struct ssk_database *db;
  const struct ssk_sweep *sweep;
  const char *where, *worker;
};

/* Numbers as parameters of statements. */
struct ssk_number {
  char text[32];
};
static inline struct ssk_number ssk_whole(int64_t value) {
  struct ssk_number n;
  snprintf(n.text, sizeof n.text, "%" PRId64, value);
  return n;
}
static inline struct ssk_number ssk_real_number(double value) {
  struct ssk_number n;
  snprintf(n.text, sizeof n.text, "%.17g", value);
  return n;
}

static inline int ssk_store_no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the trials");
}

/* malloc'ed: "0.25 0.5" as n numbers, those that lack as 0; NULL without memory. */
double *ssk_store_point(const char *text, int n);
/* All trials, within a transaction or by themselves. */
int ssk_store_read(struct ssk_store *store, struct ssk_trials *out, ssk_err *err);
/* Within a transaction: the seeds of a trial that wait are not run. `trial`: its number as text. */
int ssk_store_skip_seeds(struct ssk_store *store, const char *trial, ssk_err *err);

#endif
