/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion_flow.h - log p(z | past) by the probability-flow equation, in VE coordinates and t =
 * log sigma:
 *
 *   dx/dt = x - D(x; sigma),   log p(z) = log N(x_K; 0, 1 + sigma_K^2) + integral of div(x - D) dt
 *
 * from x = z - b at sigma_1 to x_K at sigma_K (Song et al., Score-based generative modeling through
 * stochastic differential equations, ICLR 2021, appendix D.2). The divergence is d minus the trace
 * of D's Jacobian: of all diagonal entries, or estimated without bias by Hutchinson's probes
 * (Grathwohl et al., FFJORD, ICLR 2019). Rows are solved in groups, with one step size a group, by
 * GSL's adaptive Runge-Kutta-Fehlberg. */
#ifndef DIFFUSION_FLOW_H
#define DIFFUSION_FLOW_H

#include "diffusion_draw.h"
#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <string.h>

/* Network rows of one evaluation; with more, its tape leaves the cache. */
#define FLOW_ROWS 256
/* Dimensions up to which probes = 0 means the exact trace; beyond, one probe. */
#define FLOW_EXACT 32

struct flow {
  struct drawing drawing;
  const struct ssk_ctx *ctx;
  int n, d, copies;     /* of each row, one a probe */
  double probe_weight;  /* of each probe's v'Jv in the trace */
  ssk_real *x, *slope;  /* [n, copies, d] and D's product with the probes */
  const ssk_real *seed; /* [n, copies, d] the probes */
};

/* y = {x [n, d], integral [n]} at log sigma = t. */
static inline int flow_slope(double t, const double y[], double dydt[], void *state) {
  struct flow *flow = state;
  ssk_tape *tape = flow->ctx->tape;
  int n = flow->n, d = flow->d, copies = flow->copies;
  size_t bytes = (size_t)(n * copies * d) * sizeof(ssk_real);
  for (int r = 0; r < n; r++)
    for (int i = 0; i < copies * d; i++)
      flow->x[r * copies * d + i] = (ssk_real)y[r * d + i % d];
  memset(flow->slope, 0, bytes);

  size_t mark = ssk_tape_mark(tape);
  ssk_tape_record(tape, true);
  ssk_tensor *x = ssk_leaf(tape, SSK_SHAPE(n * copies, d), flow->x, flow->slope);
  ssk_tensor *D = denoise(&flow->drawing, flow->ctx, x, copies, exp(t));
  int code = ssk_backward_from(tape, 1, &D, &flow->seed);
  for (int r = 0; r < n && !code; r++) {
    double trace = 0;
    for (int i = 0; i < copies * d; i++)
      trace += (double)flow->seed[r * copies * d + i] * (double)flow->slope[r * copies * d + i];
    for (int i = 0; i < d; i++)
      dydt[r * d + i] = y[r * d + i] - (double)D->data[r * copies * d + i];
    dydt[n * d + r] = d - flow->probe_weight * trace;
  }
  ssk_tape_record(tape, false);
  ssk_tape_rewind(tape, mark);
  return code ? GSL_EBADFUNC : GSL_SUCCESS;
}

/* Probes of n rows from row `first` of the call on: unit vectors, or random signs. */
static inline const ssk_real *flow_probes(const struct flow *flow, const struct ssk_rows *rows,
                                          bool exact) {
  int n = flow->n, d = flow->d, copies = flow->copies, width = copies * d;
  if (!exact) {
    ssk_tensor *signs =
        ssk_ctx_normal_from(flow->ctx, "probes", rows->index,
                            (uint64_t)rows->first * (uint64_t)width, SSK_SHAPE(n, width));
    for (size_t i = 0; i < signs->count; i++)
      signs->data[i] = signs->data[i] < 0 ? -1 : 1;
    return signs->data;
  }
  ssk_tensor *units = ssk_full(flow->ctx->tape, SSK_SHAPE(n, width), 0);
  for (int r = 0; r < n && units->count; r++)
    for (int i = 0; i < d; i++)
      units->data[r * width + i * d + i] = 1;
  return units->data;
}

/* How many rows from row `from` on are solved together: of one step, if its sigma_data is its own.
 */
static inline int flow_rows(const struct diffusion *self, const struct ssk_rows *rows, int from,
                            int most) {
  int n = rows->n - from;
  if (self->scales > 1 && rows->width && n > rows->width - from % rows->width)
    n = rows->width - from % rows->width;
  return n < most ? n : most;
}

/* Rows [from, from + n) of a group of conditions. */
static inline struct ssk_rows flow_group(ssk_tape *tape, const struct ssk_rows *rows, int from,
                                         int n) {
  struct ssk_rows group = {.size = sizeof group,
                           .n = n,
                           .past = ssk_rows(tape, rows->past, from, n),
                           .pad = rows->pad ? ssk_rows(tape, rows->pad, from, n) : NULL,
                           .u = rows->u ? ssk_rows(tape, rows->u, from, n) : NULL,
                           .time = rows->time ? ssk_rows(tape, rows->time, from, n) : NULL,
                           .index = rows->index,
                           .first = rows->first + from,
                           .total = ssk_rows_total(rows),
                           .step = ssk_rows_step(rows, from)};
  return group;
}

/* log p of n centred values [n, d] into log_prob. False: the tape or GSL failed. */
static inline bool flow_solve(struct flow *flow, const ssk_real *z, double tolerance,
                              ssk_real *log_prob) {
  const struct diffusion *self = flow->drawing.self;
  int n = flow->n, d = flow->d;
  double *y = ssk_tape_scratch(flow->ctx->tape, (size_t)(n * (d + 1)) * sizeof(double));
  if (!y)
    return false;
  for (int i = 0; i < n * d; i++)
    y[i] = (double)z[i];
  memset(y + n * d, 0, (size_t)n * sizeof *y);
  double t = log(self->sigma[0]), highest = self->sigma[self->levels - 1];
  gsl_odeiv2_system system = {flow_slope, NULL, (size_t)(n * (d + 1)), flow};
  gsl_odeiv2_driver *driver =
      gsl_odeiv2_driver_alloc_y_new(&system, gsl_odeiv2_step_rkf45, 0.1, tolerance, tolerance);
  if (!driver)
    return false;
  gsl_odeiv2_driver_set_nmax(driver, 100000);
  int status = gsl_odeiv2_driver_apply(driver, &t, log(highest), y);
  gsl_odeiv2_driver_free(driver);
  double variance = 1 + highest * highest;
  for (int r = 0; r < n; r++) {
    double square = 0;
    for (int i = 0; i < d; i++)
      square += y[r * d + i] * y[r * d + i];
    log_prob[r] =
        (ssk_real)(y[n * d + r] - 0.5 * (square / variance + d * log(2 * M_PI * variance)));
  }
  return status == GSL_SUCCESS;
}

/* [n]: log p(rows->z | past), to `tolerance` in each step of the solver. `probes`: see FLOW_EXACT.
 * It has no gradient, and the tape must not record. */
static inline ssk_tensor *flow_log_prob(const struct diffusion *self, const struct ssk_ctx *ctx,
                                        const struct ssk_rows *rows, int probes, double tolerance) {
  ssk_tape *tape = ctx->tape;
  if (ssk_tape_record(tape, false)) {
    ssk_tape_record(tape, true);
    return ssk_tape_fail(tape, SSK_EUSAGE,
                         "the density of a diffusion is for evaluation: it has no gradient");
  }
  int d = ctx->dims->d;
  bool exact = probes == 0 && d <= FLOW_EXACT;
  int copies = exact ? d : probes ? probes : 1, most = FLOW_ROWS / copies + 1;
  ssk_tensor *b = centre(self, ctx, rows), *z = b ? ssk_sub(tape, rows->z, b) : rows->z;
  ssk_tensor *out = ssk_empty(tape, SSK_SHAPE(rows->n));
  for (int from = 0, n; from < rows->n && !ssk_tape_code(tape); from += n) {
    size_t mark = ssk_tape_mark(tape);
    n = flow_rows(self, rows, from, most);
    size_t bytes = (size_t)(n * copies * d) * sizeof(ssk_real);
    struct ssk_rows group = flow_group(tape, rows, from, n);
    struct flow flow = {.drawing = {self, &group, sigma_data_at(self, ctx, group.step)},
                        .ctx = ctx,
                        .n = n,
                        .d = d,
                        .copies = copies,
                        .probe_weight = exact ? 1 : 1.0 / copies,
                        .x = ssk_tape_scratch(tape, bytes),
                        .slope = ssk_tape_scratch(tape, bytes)};
    flow.seed = flow_probes(&flow, &group, exact);
    if (!flow.x || !flow.slope || ssk_tape_code(tape))
      break;
    if (!flow_solve(&flow, z->data + from * d, tolerance, out->data + from) && !ssk_tape_code(tape))
      ssk_tape_fail(tape, SSK_ENUMERIC, "the probability-flow equation could not be solved");
    ssk_tape_rewind(tape, mark);
  }
  return out;
}

#endif
