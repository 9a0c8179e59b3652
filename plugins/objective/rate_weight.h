/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rate_weight.h - lambda, the annealed weight of the rate: the schedule that objectives share, and
 * its rows.
 *
 * Source: Bowman, Vilnis, Vinyals, Dai, Jozefowicz and Bengio 2016, "Generating sentences from a
 * continuous space" (annealing of the KL). */
#ifndef RATE_WEIGHT_H
#define RATE_WEIGHT_H

#include <math.h>
#include <sskit/plugin.h>

struct rate_weight {
  int schedule; /* enum rate_schedule */
  double start, end;
  int64_t warmup;
};

enum rate_schedule { CONSTANT, LINEAR, COSINE };
static const char *const rate_schedules[] = {"constant", "linear", "cosine", NULL};

static inline double rate_weight_at(const struct rate_weight *w, uint32_t step) {
  if (w->schedule == CONSTANT || step >= w->warmup)
    return w->end;
  double part = (double)step / (double)w->warmup;
  if (w->schedule == COSINE)
    part = 0.5 * (1 - cos(M_PI * part));
  return w->start + (w->end - w->start) * part;
}

/* The rows of a struct rate_weight, the member `m` of S. */
#define RATE_WEIGHT_PARAMS(S, m)                                                                   \
  {.name = "schedule",                                                                             \
   .type = SSK_T_ENUM,                                                                             \
   .offset = SSK_MEMBER_(S, m.schedule, int),                                                      \
   .default_text = "cosine",                                                                       \
   .choices = rate_schedules,                                                                      \
   .doc = "How lambda goes from `start` to `end` over `warmup` steps; constant: it is `end` from " \
          "the first step on."},                                                                   \
      {.name = "start",                                                                            \
       .type = SSK_T_REAL,                                                                         \
       .offset = SSK_MEMBER_(S, m.start, double),                                                  \
       .default_text = "0.01",                                                                     \
       .max = 1e3,                                                                                 \
       .doc = "lambda at the first step."},                                                        \
      {.name = "end",                                                                              \
       .type = SSK_T_REAL,                                                                         \
       .offset = SSK_MEMBER_(S, m.end, double),                                                    \
       .default_text = "1",                                                                        \
       .max = 1e3,                                                                                 \
       .doc = "lambda after the warm-up; the loss is a bound only at 1."},                         \
  {                                                                                                \
    .name = "warmup", .type = SSK_T_INT, .offset = SSK_MEMBER_(S, m.warmup, int64_t),              \
    .default_text = "600", .max = 1e9, .unit = "steps", .doc = "Length of the annealing."          \
  }

/* Paragraph of a component's doc. */
#define RATE_WEIGHT_DOC                                                                            \
  "    constant   lambda = end\n"                                                                  \
  "    linear     lambda = start + (end - start) r,                      r = step / warmup\n"      \
  "    cosine     lambda = start + (end - start) (1 - cos(pi r)) / 2\n"                            \
  "and lambda = end from step `warmup` on. What is reported as a bound is the bound at\n"          \
  "lambda = 1, whatever the schedule.\n"

#endif
