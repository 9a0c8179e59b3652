/* SPDX-License-Identifier: GPL-3.0-or-later */
/* quantiles.h - the option --quantiles: levels of a distribution that are printed. */
#ifndef SSK_CLI_QUANTILES_H
#define SSK_CLI_QUANTILES_H

#include "cli/cli.h"
#include "core/text.h"
#include <stdio.h>
#include <string.h>

#define SSK_QUANTILES_DEFAULT "0.05,0.25,0.5,0.75,0.95"

/* Its argument: rising levels between 0 and 1 with commas between, at most `most`; returns how
 * many. */
static inline int ssk_cli_quantiles(const struct argp_state *state, const char *option,
                                    const char *arg, double *level, int most) {
  int n = 0;
  for (const char *at = arg; *at || !n;) {
    char text[32];
    const size_t length = strcspn(at, ",");
    snprintf(text, sizeof text, "%.*s", (int)(length < 31 ? length : 31), at);
    if (n == most || !ssk_text_read_double(text, &level[n]) || !(level[n] > 0 && level[n] < 1) ||
        (n && level[n] <= level[n - 1])) {
      argp_error(state, "%s needs rising numbers between 0 and 1, with commas between, not '%s'",
                 option, arg);
      return n;
    }
    n++;
    at += length + (at[length] == ',');
  }
  return n;
}

/* The levels of SSK_QUANTILES_DEFAULT; returns how many. */
enum { SSK_QUANTILES_USUAL = 5 };
static inline int ssk_quantiles_default(double *level) {
  static const double usual[SSK_QUANTILES_USUAL] = {0.05, 0.25, 0.5, 0.75, 0.95};
  memcpy(level, usual, sizeof usual);
  return SSK_QUANTILES_USUAL;
}

/* The levels as a list: what readers of JSON tell the numbers under `quantiles` apart by. */
static inline json_t *ssk_quantile_levels(const double *level, int n) {
  json_t *list = json_array();
  for (int q = 0; q < n; q++)
    json_array_append_new(list, json_real(level[q]));
  return list;
}

/* The name of a level's column: "q05", "q97.5". */
static inline void ssk_quantile_name(double level, char name[32]) {
  char digits[24];
  snprintf(digits, sizeof digits, "%.10g", 100 * level);
  snprintf(name, 32, "q%s%s", strcspn(digits, ".") < 2 ? "0" : "", digits);
}

#endif
