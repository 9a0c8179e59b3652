/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot.h - figures by gnuplot: the numbers, the script and the SVG stand side by side in a folder,
 * so that a figure can be made again, or another way. An SVG follows the theme, light or dark, of
 * who looks at it, by itself and within a page. */
#ifndef SSK_REPORT_PLOT_H
#define SSK_REPORT_PLOT_H

#include "core/text.h"
#include <sskit/err.h>

/* One figure. `data` and `script` are filled by who makes it; the script plots the file NAME.tsv,
 * whose blocks are separated by two empty lines ("index 0", "index 1", ...). */
struct ssk_plot {
  char name[48];
  char title[96];
  char note[384]; /* what one sees */
  struct ssk_text data, script, svg;
};

struct ssk_plots {
  int n;
  struct ssk_plot *items;
};

/* A new figure, owned by `plots`; NULL without memory. Valid until the next one is added. */
struct ssk_plot *ssk_plots_add(struct ssk_plots *plots, const char *name, const char *title,
                               const char *note);
/* Write the numbers and scripts of all into `folder`, run gnuplot, and read the SVGs back.
 * SSK_EFAIL, with what to install, where there is no gnuplot. */
int ssk_plots_draw(struct ssk_plots *plots, const char *folder, ssk_err *err);
void ssk_plots_free(struct ssk_plots *plots);

/* Append text as a string of gnuplot in double quotes. */
void ssk_plot_quote(struct ssk_text *out, const char *text);

/* "rgb '#...'" of the k-th colour, k modulo their number; -1: grey. */
const char *ssk_plot_colour(int k);
enum { SSK_PLOT_COLOURS = 5 };

#endif
