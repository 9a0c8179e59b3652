/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_page.h - report.html of a run, and of a comparison: one file that needs no other. */
#ifndef SSK_REPORT_REPORT_PAGE_H
#define SSK_REPORT_REPORT_PAGE_H

#include "report/run.h"

/* Draw the figures of the run in `folder` into its folder `plots`, and write report.html beside. */
int ssk_report_run(const char *folder, struct ssk_registry *registry, int threads, ssk_err *err);
/* The same of a study's folder, by its table.json. */
int ssk_report_comparison(const char *folder, ssk_err *err);

#endif
