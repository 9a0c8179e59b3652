/* SPDX-License-Identifier: GPL-3.0-or-later */
/* range.h - the lowest and highest noise-to-signal ratio of a schedule that is given by them. */
#ifndef SCHEDULE_RANGE_H
#define SCHEDULE_RANGE_H

#include <sskit/plugin.h>

/* The first member of a schedule's struct. */
struct range {
  double sigma_min, sigma_max;
};

static inline const char *range_check(const void *self) {
  const struct range *range = self;
  return range->sigma_min < range->sigma_max ? NULL : "must be greater than sigma_min";
}

/* The rows of `struct range range`, the first member of S; the defaults are texts. */
#define RANGE_PARAMS(S, lowest, highest)                                                           \
  {.name = "sigma_min",                                                                            \
   .type = SSK_T_REAL,                                                                             \
   .offset = SSK_MEMBER_(S, range.sigma_min, double),                                              \
   .default_text = lowest,                                                                         \
   .min = 1e-6,                                                                                    \
   .max = 1,                                                                                       \
   .unit = "1",                                                                                    \
   .doc = "Lowest noise-to-signal ratio."},                                                        \
  {                                                                                                \
    .name = "sigma_max", .type = SSK_T_REAL, .offset = SSK_MEMBER_(S, range.sigma_max, double),    \
    .default_text = highest, .min = 1e-3, .max = 1e6, .unit = "1",                                 \
    .doc = "Highest noise-to-signal ratio.", .check = range_check                                  \
  }

#endif
