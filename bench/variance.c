/* SPDX-License-Identifier: GPL-3.0-or-later */
/* variance.c - variance [--json] RUN [REPLICATES [OVERRIDE...]]
 *
 * How noisy the gradient of a trained diffusion's rate is, by what its target is and by how its
 * levels are drawn. On one batch of training windows and at the run's averaged weights, the mean
 * rate of the batch is computed again and again with other random numbers (the encoder's paths,
 * levels, noise); shown is the trace of the gradient's covariance, summed over the weights of the
 * transition (psi) and over those of encoder and summary (phi):
 *
 *   level by level   the term of one level of the sum, or of its cell in continuous time, at one
 *                    draw a row: what the level's own noise contributes, whatever the proposal
 *   in total         as a training step estimates it, for each proposal and draw mode
 *
 * Targets: discrete (K levels, the encoder's sample), dsm (the same in continuous time), esm (the
 * encoder's Gaussian in closed form). */
#include "core/arena.h"
#include "registry/registry.h"
#include "report/run.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define ssk_plugin_entry entry_of_diffusion
#include "../plugins/transition/diffusion.c"
#undef ssk_plugin_entry

enum { OBJECTIVES = 3, PROPOSALS = 3, MODES = 3, POINTS = 12, ALL = -1 };

/* ---- the transition that is measured ----------------------------------------------------------
 */

/* A copy of the run's, with its network, and the level that it looks at, or ALL. */
struct subject {
  struct diffusion diffusion;
  int level;
};

/* The term of one level at one draw a row, [n]. */
static ssk_tensor *level_rate(const struct diffusion *self, int k, const struct ssk_ctx *ctx,
                              const struct ssk_rows *given) {
  ssk_tape *tape = ctx->tape;
  const struct ssk_rows rows = with_encoder_gradient(self, tape, given);
  int n = rows.n;
  ssk_tensor *noise = ssk_ctx_normal(ctx, "noise", rows.index, SSK_SHAPE(n, ctx->dims->d));
  ssk_tensor *c_noise = ssk_empty(tape, SSK_SHAPE(n));
  int *level = ssk_tape_scratch(tape, (size_t)n * sizeof *level);
  struct noising noising = {.M = 1, .level = level, .noise = noise->data};
  if (!level || !c_noise->count || !tables_new(tape, n, &noising))
    return ssk_tape_fail(tape, SSK_ENOMEM, "no memory for %d rows", n);
  ssk_rng rng = ssk_ctx_rng(ctx, "levels", rows.index);
  for (int i = 0; i < n; i++) {
    double sigma = level_sigma(self, k, ssk_rng_uniform(&rng));
    double sigma_data = sigma_data_at(self, ctx, ssk_rows_step(&rows, i));
    tabulate(&noising, i, sigma, sigma_data, level_weight(self, k, sigma, sigma_data));
    level[i] = i;
    c_noise->data[i] = noising.c_noise[i];
  }
  return level_errors(self, ctx, &rows, clean_latents(self, ctx, &rows), &noising, c_noise);
}

static ssk_tensor *subject_rate(const void *state, const struct ssk_ctx *ctx,
                                const struct ssk_rows *rows) {
  const struct subject *self = state;
  return self->level == ALL ? diffusion_rate(&self->diffusion, ctx, rows)
                            : level_rate(&self->diffusion, self->level, ctx, rows);
}

static const struct ssk_transition_ops subject_ops = {
    .size = sizeof subject_ops, .build = diffusion_build, .rate = subject_rate};
static const struct ssk_component subject_component = {.size = sizeof subject_component,
                                                       .kind = SSK_TRANSITION,
                                                       .name = "subject",
                                                       .ops = &subject_ops};

/* ---- measuring ---------------------------------------------------------------------------------
 */

struct bench {
  struct ssk_run *run;
  struct ssk_pass pass;
  struct subject subject;
  int replicates, batch;
  struct ssk_window *windows;
  ssk_real *gradient;
  double *mean, *square; /* of each weight's gradient: mean, and sum of squares about it */
};

struct variances {
  double psi, phi;
};

/* One more gradient of the batch's mean rate, of replicate r. */
static int gradient_of(struct bench *b, int r) {
  const struct ssk_run *run = b->run;
  memset(b->gradient, 0, run->model->layout.total * sizeof *b->gradient);
  ssk_pass_begin(&b->pass, run->data->window_length, b->batch, (int)run->experiment->model.paths,
                 b->gradient);
  b->pass.ctx.training = true;
  b->pass.ctx.step = (uint32_t)r;
  const struct ssk_observed obs = ssk_observe(&b->pass, run->data, SSK_TRAIN, b->windows);
  const struct ssk_bound bound = ssk_model_bound(&b->pass, &obs);
  ssk_tape *tape = b->pass.ctx.tape;
  ssk_tensor *loss = ssk_mean_all(tape, bound.transition);
  return ssk_tape_code(tape) ? ssk_tape_code(tape) : ssk_backward(tape, loss, 1);
}

/* Of the subject as it is; by Welford's recursion. */
static int measure(struct bench *b, struct variances *out) {
  const struct ssk_layout *layout = &b->run->model->layout;
  memset(b->mean, 0, layout->total * sizeof *b->mean);
  memset(b->square, 0, layout->total * sizeof *b->square);
  for (int r = 0; r < b->replicates; r++) {
    int code = gradient_of(b, r);
    if (code)
      return code;
    for (size_t i = 0; i < layout->total; i++) {
      double apart = (double)b->gradient[i] - b->mean[i];
      b->mean[i] += apart / (r + 1);
      b->square[i] += apart * ((double)b->gradient[i] - b->mean[i]);
    }
  }
  *out = (struct variances){0};
  for (int k = 0; k < layout->n; k++) {
    const struct ssk_slice *slice = &layout->slice[k];
    double sum = 0;
    for (size_t i = 0; i < slice->count; i++)
      sum += b->square[slice->offset + i] / (b->replicates - 1);
    if (slice->part == SSK_PART_TRANSITION && !(slice->flags & SSK_STATISTIC))
      out->psi += sum;
    else if (slice->part == SSK_PART_ENCODER || slice->part == SSK_PART_SUMMARY)
      out->phi += sum;
  }
  return SSK_OK;
}

/* ---- the tables --------------------------------------------------------------------------------
 */

static json_t *pair(const struct variances *v) {
  return json_pack("{s:f, s:f}", "psi", v->psi, "phi", v->phi);
}

/* Level by level: at most POINTS of them, the lowest and the highest among these. */
static int by_level(struct bench *b, bool json, json_t *list) {
  struct diffusion *self = &b->subject.diffusion;
  int K = (int)self->levels, points = K < POINTS ? K : POINTS;
  if (!json)
    printf("| sigma | psi: discrete | dsm | esm | phi: discrete | dsm | esm |\n"
           "|---|---|---|---|---|---|---|\n");
  for (int point = 0; point < points; point++) {
    struct variances of[OBJECTIVES];
    b->subject.level = (int)lround(point * (K - 1) / (points - 1.0));
    for (int objective = 0; objective < OBJECTIVES; objective++) {
      self->objective = objective;
      int code = measure(b, &of[objective]);
      if (code)
        return code;
    }
    double sigma = self->sigma[b->subject.level];
    if (!json)
      printf("| %.3g | %.3g | %.3g | %.3g | %.3g | %.3g | %.3g |\n", sigma, of[0].psi, of[1].psi,
             of[2].psi, of[0].phi, of[1].phi, of[2].phi);
    json_array_append_new(list, json_pack("{s:f, s:o, s:o, s:o}", "sigma", sigma, objectives[0],
                                          pair(&of[0]), objectives[1], pair(&of[1]), objectives[2],
                                          pair(&of[2])));
    fflush(stdout);
  }
  return SSK_OK;
}

/* In total. */
static int by_proposal(struct bench *b, bool json, json_t *list) {
  struct diffusion *self = &b->subject.diffusion;
  b->subject.level = ALL;
  if (!json)
    printf("\n| proposal | draws | psi: discrete | dsm | esm | phi: discrete | dsm | esm |\n"
           "|---|---|---|---|---|---|---|---|\n");
  for (int i = 0; i < PROPOSALS * MODES; i++) {
    struct variances of[OBJECTIVES];
    self->proposal = i / MODES;
    self->draw_mode = i % MODES;
    for (int objective = 0; objective < OBJECTIVES; objective++) {
      self->objective = objective;
      int code = measure(b, &of[objective]);
      if (code)
        return code;
    }
    const char *proposal = proposals[self->proposal], *mode = draw_modes[self->draw_mode];
    if (!json)
      printf("| %s | %s | %.3g | %.3g | %.3g | %.3g | %.3g | %.3g |\n", proposal, mode, of[0].psi,
             of[1].psi, of[2].psi, of[0].phi, of[1].phi, of[2].phi);
    json_array_append_new(list,
                          json_pack("{s:s, s:s, s:o, s:o, s:o}", "proposal", proposal, "draw_mode",
                                    mode, objectives[0], pair(&of[0]), objectives[1], pair(&of[1]),
                                    objectives[2], pair(&of[2])));
    fflush(stdout);
  }
  return SSK_OK;
}

static int tables(struct bench *b, bool json) {
  json_t *levels = json_array(), *totals = json_array();
  int code = by_level(b, json, levels);
  if (!code)
    code = by_proposal(b, json, totals);
  json_t *all = json_pack("{s:s, s:i, s:i, s:i, s:o, s:o}", "recipe", b->run->experiment->name,
                          "replicates", b->replicates, "batch", b->batch, "draws",
                          (int)b->subject.diffusion.draws, "levels", levels, "totals", totals);
  if (json && !code) {
    json_dumpf(all, stdout, JSON_INDENT(2));
    printf("\n");
  }
  json_decref(all);
  return code;
}

/* ---- the run -----------------------------------------------------------------------------------
 */

/* Put the subject in the place of the run's transition, and take the first windows for a batch. */
static int prepare(struct bench *b, ssk_err *err) {
  struct ssk_instance *transition = b->run->experiment->model.transition;
  size_t total = b->run->model->layout.total;
  if (strcmp(transition->component->name, diffusion_component.name) != 0)
    return ssk_err_set(err, SSK_EUSAGE, "the run's transition is '%s', no diffusion",
                       transition->component->name);
  b->subject.diffusion = *(const struct diffusion *)transition->self;
  b->batch = (int)b->run->experiment->training.batch;
  b->windows = calloc((size_t)b->batch, sizeof *b->windows);
  b->gradient = calloc(total, sizeof *b->gradient);
  b->mean = calloc(2 * total, sizeof *b->mean);
  if (!b->windows || !b->gradient || !b->mean ||
      ssk_pass_init(&b->pass, b->run->model, b->run->values))
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a batch of %d windows", b->batch);
  b->square = b->mean + total;
  struct ssk_window_order order = {0};
  int code = SSK_OK;
  for (int i = 0; i < b->batch && !code; i++)
    code = ssk_data_draw(b->run->data, (uint64_t)b->run->experiment->seed, (uint64_t)i, &order,
                         &b->windows[i]);
  ssk_window_order_free(&order);
  return code;
}

int main(int argc, char **argv) {
  const bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
  const int n = argc - json;
  char **words = argv + json;
  if (n < 2) {
    fprintf(stderr, "usage: variance [--json] RUN [REPLICATES [OVERRIDE...]]\n");
    return SSK_EUSAGE;
  }
  struct bench b = {.replicates = n > 2 ? atoi(words[2]) : 64};
  b.replicates = b.replicates < 2 ? 2 : b.replicates;
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = ssk_registry_new(err);
  int code = registry ? ssk_registry_add_default(registry, err) : SSK_ENOMEM;
  if (!code)
    code = ssk_run_open(words[1], n > 3 ? n - 3 : 0, (const char *const *)words + 3, registry,
                        &b.run, err);
  if (!code)
    code = prepare(&b, err);
  struct ssk_instance *transition = code ? NULL : b.run->experiment->model.transition;
  if (transition) {
    const struct ssk_instance own = *transition;
    transition->component = &subject_component;
    transition->self = &b.subject;
    code = tables(&b, json);
    if (code)
      ssk_err_set(err, code, "%s", ssk_err_message(b.pass.err, 0));
    *transition = own;
  }
  ssk_err_print(err, stderr, false);
  if (b.pass.ctx.tape)
    ssk_pass_free(&b.pass);
  free(b.mean);
  free(b.gradient);
  free(b.windows);
  ssk_run_free(b.run);
  ssk_registry_free(registry);
  ssk_err_free(err);
  return code;
}
