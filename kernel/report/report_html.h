/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_html.h - the frame of a page: light and dark by the reader's setting, from 390 pixels on,
 * without any request to elsewhere. */
#ifndef SSK_REPORT_REPORT_HTML_H
#define SSK_REPORT_REPORT_HTML_H

#include "report/plot.h"

void ssk_html_begin(struct ssk_text *out, const char *title);
void ssk_html_end(struct ssk_text *out);
/* Text with &, <, > and quotes escaped. */
void ssk_html_text(struct ssk_text *out, const char *text);
/* All figures, each with its title and note. */
void ssk_html_plots(struct ssk_text *out, const struct ssk_plots *plots);
/* Draw the figures into the folder `plots` of a directory, and write the page as its report.html.
 */
int ssk_html_draw(struct ssk_plots *plots, const char *folder, ssk_err *err);
int ssk_html_write(const struct ssk_text *page, const char *folder, ssk_err *err);

#endif
