/* SPDX-License-Identifier: GPL-3.0-or-later */
/* health_modes.c - the transition at some latents of the encoder: how far the encoder's steps are
 * from it, and whether it has one mode or several. */
#include "model/health_parts.h"

#include "core/dip.h"
#include "core/hash.h"
#include "model/pass_tasks.h"
#include <math.h>
#include <stdlib.h>

/* Of one conditioning, in one dimension. */
struct finding {
  double kl, dip, innovation;
};

struct search {
  const struct ssk_health_subject *subject;
  const struct ssk_places *places;
  int samples;
  struct finding *findings;   /* [n, d] */
  struct ssk_figure *figures; /* [n, SSK_MAX_FIGURES] */
  int *n_figures;             /* [n] */
};

/* ---- one conditioning -------------------------------------------------------------------------
 */

static double dip_of(int n, double *x, int *scratch) {
  for (int i = 0; i < n; i++)
    if (!isfinite(x[i]))
      return NAN;
  return ssk_dip(n, x, scratch);
}

/* KL( N(mu, s) || N(m, v) ), s and v variances. */
static double divergence(double mu, double s, double m, double v) {
  return 0.5 * ((s + (mu - m) * (mu - m)) / v - 1 + log(v / s));
}

/* x: M draws, which are overwritten; place: index of z, mean and logvar. m and v are the
 * transition's moments; v < 0: those of the draws are taken. */
static struct finding examine(const struct search *search, size_t place, double *x, int *scratch,
                              double m, double v) {
  const struct ssk_places *p = search->places;
  const int M = search->samples;
  double bias = 0;
  if (v < 0) {
    bias = 1.0 / M;
    m = v = 0;
    for (int i = 0; i < M; i++)
      m += x[i] / M;
    for (int i = 0; i < M; i++)
      v += (x[i] - m) * (x[i] - m) / (M - 1);
  }
  return (struct finding){
      .kl = divergence((double)p->mean[place], exp((double)p->logvar[place]), m, v) - bias,
      .innovation = ((double)p->z[place] - m) / sqrt(v),
      .dip = dip_of(M, x, scratch),
  };
}

/* Row c of an array, [1, width]; NULL where it has no width. */
static ssk_tensor *row_of(ssk_tape *tape, const ssk_real *array, int c, int width) {
  return width ? ssk_const(tape, SSK_SHAPE(1, width), array + (size_t)c * (size_t)width) : NULL;
}

static struct ssk_rows row_at(const struct ssk_ctx *ctx, const struct ssk_places *places, int c) {
  const struct ssk_dims *dims = ctx->dims;
  return (struct ssk_rows){.size = sizeof(struct ssk_rows),
                           .n = 1,
                           .past = row_of(ctx->tape, places->past, c, dims->j * dims->d),
                           .state = row_of(ctx->tape, places->state, c, dims->W),
                           .u = row_of(ctx->tape, places->u, c, dims->V),
                           .time = row_of(ctx->tape, places->time, c, dims->F),
                           .step = places->step[c]};
}

static struct ssk_rows repeated(ssk_tape *tape, const struct ssk_rows *rows, int times) {
  struct ssk_rows out = *rows;
  out.n = rows->n * times;
  out.past = ssk_repeat(tape, rows->past, 0, times);
  out.state = rows->state ? ssk_repeat(tape, rows->state, 0, times) : NULL;
  out.u = rows->u ? ssk_repeat(tape, rows->u, 0, times) : NULL;
  out.time = rows->time ? ssk_repeat(tape, rows->time, 0, times) : NULL;
  return out;
}

/* All dimensions of conditioning c. */
static int examine_all(struct search *search, ssk_tape *tape, int c, const ssk_tensor *draws,
                       struct ssk_gaussian moments) {
  const size_t d = (size_t)ssk_width(draws), M = (size_t)search->samples;
  double *x = ssk_tape_scratch(tape, M * sizeof *x);
  int *scratch = ssk_tape_scratch(tape, (3 * M + 1) * sizeof *scratch);
  if (!x || !scratch)
    return SSK_ENOMEM;
  for (size_t k = 0; k < d; k++) {
    for (size_t i = 0; i < M; i++)
      x[i] = (double)draws->data[i * d + k];
    const size_t place = (size_t)c * d + k;
    const bool known = moments.mean != NULL;
    search->findings[place] =
        examine(search, place, x, scratch, known ? (double)moments.mean->data[k] : 0,
                known ? exp((double)moments.logvar->data[k]) : -1);
  }
  return SSK_OK;
}

static int look(struct ssk_pass *pass, int c, void *state, ssk_err *err) {
  struct search *search = state;
  const struct ssk_experiment *experiment = search->subject->model->experiment;
  const struct ssk_instance *transition = experiment->model.transition;
  ssk_pass_begin(pass, 1, 1, search->samples, NULL);
  struct ssk_ctx *ctx = &pass->ctx;
  ctx->training = false;
  ctx->progress = 1;
  ctx->share = 1;
  ctx->seed = ssk_hash_text((uint64_t)experiment->seed, "health");
  ctx->step = (uint32_t)search->subject->split;
  ctx->shard = (uint32_t)c;
  const struct ssk_rows row = row_at(ctx, search->places, c);
  const struct ssk_gaussian moments = ssk_transition_moments(transition, ctx, &row);
  search->n_figures[c] =
      ssk_transition_stats(transition, ctx, &row, search->figures + c * (int)SSK_MAX_FIGURES);
  const struct ssk_rows many = repeated(ctx->tape, &row, search->samples);
  const ssk_tensor *draws = ssk_transition_sample(transition, ctx, &many);
  int code = ssk_tape_code(ctx->tape);
  if (code)
    return ssk_err_set(err, code, "%s", ssk_err_message(pass->err, 0));
  code = examine_all(search, ctx->tape, c, draws, moments);
  return code ? ssk_err_set(err, code, "no memory for the transition's draws") : SSK_OK;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

/* x, scratch: for n values. */
static void summarise(const struct search *search, int k, double *x, int *scratch,
                      struct ssk_health *health) {
  const int n = search->places->n, d = health->d;
  const double limit = ssk_dip_limit(search->samples);
  double kl = 0, dip = 0, bimodal = 0;
  for (int c = 0; c < n; c++) {
    const struct finding *f = &search->findings[c * d + k];
    kl += f->kl / n;
    dip += f->dip / n;
    bimodal += (f->dip > limit) / (double)n;
    x[c] = f->innovation;
  }
  health->row[SSK_HEALTH_KL][k] = kl;
  health->row[SSK_HEALTH_DIP][k] = dip;
  health->row[SSK_HEALTH_BIMODAL][k] = bimodal;
  health->row[SSK_HEALTH_INNOVATION_DIP][k] = dip_of(n, x, scratch);
}

/* Means over the conditionings. */
static void average_figures(const struct search *search, struct ssk_health *health) {
  const int n = search->places->n;
  health->n_figures = search->n_figures[0];
  for (int i = 0; i < health->n_figures; i++) {
    health->figures[i] = (struct ssk_figure){.name = search->figures[i].name};
    for (int c = 0; c < n; c++)
      health->figures[i].value += search->figures[c * (int)SSK_MAX_FIGURES + i].value / n;
  }
}

int ssk_health_modes(const struct ssk_health_subject *subject, const struct ssk_places *places,
                     struct ssk_health *health, ssk_err *err) {
  const int n = places->n, d = health->d;
  struct search search = {.subject = subject,
                          .places = places,
                          .samples = (int)subject->model->experiment->health.samples};
  health->conditionings = n;
  health->samples = search.samples;
  if (!n)
    return SSK_OK;
  search.findings = calloc((size_t)n * (size_t)d, sizeof *search.findings);
  search.figures = calloc((size_t)n * SSK_MAX_FIGURES, sizeof *search.figures);
  search.n_figures = calloc((size_t)n, sizeof *search.n_figures);
  double *x = calloc((size_t)n, sizeof *x);
  int *scratch = calloc(3 * (size_t)n + 1, sizeof *scratch);
  int code =
      search.findings && search.figures && search.n_figures && x && scratch ? SSK_OK : SSK_ENOMEM;
  if (code)
    ssk_err_set(err, code, "no memory for %d conditionings of %d latents", n, d);
  else
    code =
        ssk_pass_tasks_run(subject->model, subject->values, subject->pool, n, look, &search, err);
  for (int k = 0; k < d && !code; k++)
    summarise(&search, k, x, scratch, health);
  if (!code)
    average_figures(&search, health);
  free(search.findings);
  free(search.figures);
  free(search.n_figures);
  free(x);
  free(scratch);
  return code;
}
