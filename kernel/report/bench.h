/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench.h - how fast a recipe trains on this machine, and where the time of a step goes. */
#ifndef SSK_REPORT_BENCH_H
#define SSK_REPORT_BENCH_H

#include "core/text.h"
#include "model/experiment.h"
#include "tensor/profile.h"
#include "tensor/roofline.h"
#include <jansson.h>

struct ssk_bench_options {
  int threads; /* 0: one a processor */
  int steps;   /* measured, at least 2 */
  bool shapes; /* tell apart the shapes of an operation */
};

/* What a component does in one step, summed over shards and threads. */
struct ssk_bench_row {
  char *component; /* "transition.denoiser", "optimiser"; "model": the kernel's own code */
  char *name;      /* of the operation; NULL: code between operations */
  char shape[80];  /* "5 -> [64, 32]"; "" when shapes are not told apart */
  struct ssk_profile_cost way[SSK_WAYS]; /* totals of the steps that count; seconds: processor */
  double of_component;                   /* seconds of all rows of the component */
  double *seconds;                       /* [steps, SSK_WAYS] */
};

struct ssk_bench {
  const char *recipe; /* borrowed */
  struct ssk_bench_options options;
  int batch, shards, T, paths;
  size_t weights, tape_bytes; /* trained weights; the tapes' peak, all threads */
  struct ssk_bench_spread {
    double median, least, most;
  } step,                   /* seconds a step, without the profile */
      step_cpu,             /* processor seconds of all threads, likewise */
      profiled,             /* seconds a step with the profile, likewise the next */
      profiled_cpu, square; /* processor seconds of OpenBLAS's large square */
  double flops;             /* of products, a step */
  int counted;              /* profiled steps that the rows are means of: the faster half */
  int n_rows;
  struct ssk_bench_row *rows; /* of one component together; components, and rows within them, by
                                 falling time */
};

/* Train for a few steps and measure: first some that do not count, then in alternation a step
 * without and a step with a profile, and a product of large squares by OpenBLAS. Free with
 * ssk_bench_free. */
int ssk_bench_run(struct ssk_experiment *experiment, const struct ssk_bench_options *options,
                  struct ssk_bench *out, ssk_err *err);
void ssk_bench_free(struct ssk_bench *bench);

/* Append the table; JSON as a new reference, NULL without memory. */
void ssk_bench_text(const struct ssk_bench *bench, struct ssk_text *out);
json_t *ssk_bench_json(const struct ssk_bench *bench);

#endif
