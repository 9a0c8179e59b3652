/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep_page.h - report.html of a sweep. */
#ifndef SSK_SWEEP_SWEEP_PAGE_H
#define SSK_SWEEP_SWEEP_PAGE_H

#include <sskit/err.h>

/* By the trials.json of a sweep's directory: the values in the order of the trials, the importance
 * of the axes, and a slice along each axis, drawn into its folder `plots`; and the table. */
int ssk_sweep_report(const char *folder, ssk_err *err);

#endif
