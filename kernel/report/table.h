/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table.h - a comparison: rows (models, baselines) by metrics, as text, Markdown, LaTeX, HTML, CSV
 * and JSON. */
#ifndef SSK_REPORT_TABLE_H
#define SSK_REPORT_TABLE_H

#include "core/text.h"
#include "report/statistics.h"
#include <jansson.h>

struct ssk_table_cell {
  struct ssk_mean value;
  struct ssk_difference difference; /* from the reference row */
  bool best;                        /* of the rows that do not know the generating process */
  const char *reason; /* why there is no value, in a few words, static; NULL: there is one */
};

struct ssk_table_row {
  char *name;
  bool best_possible; /* knows the generating process */
  int seeds;
  uint64_t *seed; /* [seeds], or NULL */
  int64_t series;
  double seconds;               /* of evaluation, mean over seeds */
  int64_t evaluations;          /* network evaluations a sampled latent step; 0: no network */
  struct ssk_table_cell *cells; /* [n_columns] */
  double **values;              /* [seeds]: [series, n_columns], copies */
  char **settings;              /* [n_settings] values; NULL: none */
};

struct ssk_table {
  int n_columns, n_rows, n_settings;
  char **settings; /* [n_settings] keys of recipes that tell rows apart */
  struct ssk_metric_column *columns;
  struct ssk_table_row *rows;
  int reference;  /* the row that differences are taken from; -1 before ssk_table_finish */
  bool anytime;   /* the intervals may be looked at as often as one likes */
  char note[256]; /* how the series were chosen; "": all of them */
};

/* An empty table with the recipe's metrics as columns. Free with ssk_table_free. */
int ssk_table_init(struct ssk_table *table, const struct ssk_evaluate_section *evaluate,
                   ssk_err *err);
/* Add a row from its evaluations, one a seed; they are copied. seed[seeds]: which; NULL: those of
 * all other rows. Fails when series differ between seeds, and when a metric's definition is not the
 * column's: such figures are not comparable. */
int ssk_table_add(struct ssk_table *table, const char *name, bool best_possible, int seeds,
                  const uint64_t *seed, const struct ssk_evaluation *evaluations, ssk_err *err);
/* All rows are there: those that know the process go first (order kept otherwise), the best of the
 * others is marked in each column, and paired differences from the first of the others (as added)
 * are taken. */
int ssk_table_finish(struct ssk_table *table, const struct ssk_difference_how *how, ssk_err *err);
/* Show these keys beside the rows' names (copied), and their values: "-" for NULL. All rows are
 * there, and none was moved. */
int ssk_table_name_settings(struct ssk_table *table, int n, const char *const *keys, ssk_err *err);
int ssk_table_set(struct ssk_table *table, int row, int setting, const char *value, ssk_err *err);
/* Order rows by a metric, the best first. SSK_EUSAGE where there is none of that name. */
int ssk_table_sort(struct ssk_table *table, const char *metric, ssk_err *err);
void ssk_table_free(struct ssk_table *table);
void ssk_table_free_settings(struct ssk_table *table); /* for ssk_table_free */
/* How far a mean is from the best there could be: less is better. */
double ssk_column_loss(const struct ssk_metric_column *column, double mean);

/* "0.081 ± 0.002": as many decimals as the first digit of the standard error needs; four
 * significant digits without one; "-" without a value. */
const char *ssk_table_number(char buffer[48], double mean, double se);

/* Append which cells have no value, and why: "elbo of persistence, marginal: no bound; ..." Nothing
 * where all have one. */
void ssk_table_reasons(const struct ssk_table *table, struct ssk_text *out);

/* Append the table. Text keeps within 100 columns: it goes on in a further block of columns. */
void ssk_table_text(const struct ssk_table *table, struct ssk_text *out);
void ssk_table_markdown(const struct ssk_table *table, struct ssk_text *out);
void ssk_table_csv(const struct ssk_table *table, struct ssk_text *out);
void ssk_table_latex(const struct ssk_table *table, struct ssk_text *out);
void ssk_table_json(const struct ssk_table *table, struct ssk_text *out);
/* HTML: a page of its own, with the paired differences. */
void ssk_table_page(const struct ssk_table *table, struct ssk_text *out);
/* All of them, as table.txt, table.md, table.tex, table.html, table.csv and table.json in the
 * folder. */
int ssk_table_write(const struct ssk_table *table, const char *folder, ssk_err *err);
/* What JSON says; the caller's. */
json_t *ssk_table_as_json(const struct ssk_table *table);
/* What stands under the title of a page: table, note and differences, of the JSON. */
void ssk_table_html(struct ssk_text *page, const json_t *table);

#endif
