/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_facts.h - what the files of a run say (struct ssk_run_info) as one block of bytes, for this
 * machine alone. */
#ifndef SSK_REPORT_RUN_FACTS_H
#define SSK_REPORT_RUN_FACTS_H

#include "report/runs.h"
#include <stddef.h>

/* The version of the bytes, and of what is read from the files of a run: to be counted up whenever
 * runs.c reads anything more, or otherwise. */
enum { SSK_RUN_FACTS_VERSION = 2 };

/* All but `path`, `busy` and `changed`, malloc'ed; NULL without memory. */
char *ssk_run_facts_pack(const struct ssk_run_info *run, size_t *size);
/* Fill all but `path`, `busy` and `changed`. False, and *run as it was, without memory or where the
 * bytes are none of ssk_run_facts_pack. */
bool ssk_run_facts_unpack(struct ssk_run_info *run, const void *data, size_t size);

#endif
