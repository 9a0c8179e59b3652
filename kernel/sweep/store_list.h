/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_list.h - what store.c and store_list.c share. */
#ifndef SSK_SWEEP_STORE_LIST_H
#define SSK_SWEEP_STORE_LIST_H

#include "sweep/store.h"

struct ssk_store {
  struct ssk_database *db;
  const struct ssk_sweep *sweep;
  const char *where, *worker;
};

/* malloc'ed: "0.25 0.5" as n numbers, those that lack as 0; NULL without memory. */
double *ssk_store_point(const char *text, int n);
/* All trials, within a transaction or by themselves. */
int ssk_store_read(struct ssk_store *store, struct ssk_trials *out, ssk_err *err);

#endif
