/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tpe.c - tree-structured Parzen estimators (Bergstra et al. 2011): densities l of the good trials
 * and g of the others; of some draws from l, the one with the greatest l/g is tried.
 *
 * A trial is one kernel over all axes jointly, a product of one a axis (as in BOHB, Falkner et al.
 * 2018): a normal truncated to [0, 1], or for categories a mixture of the trial's own and all
 * alike. A further, flat kernel keeps every density positive. Good are the best tenth, at most 25.
 * Trials that run are among the others, so that workers do not all try one place; pruned ones are
 * worse than all that finished, the later pruned the better; failed ones are worst. */
#include "sweep/sampler.h"
#include <math.h>
#include <sskit/rng.h>
#include <stdlib.h>

enum { most_good = 25 };

/* A trial to learn from. */
struct lesson {
  const double *point;
  int rank;   /* 0 finished, 1 pruned, 2 running, 3 failed */
  double key; /* among those of one rank: less is better */
  double loss;
};

static int by_merit(const void *a, const void *b) {
  const struct lesson *x = a, *y = b;
  if (x->rank != y->rank)
    return x->rank - y->rank;
  if (x->key != y->key)
    return x->key < y->key ? -1 : 1;
  return (x->loss > y->loss) - (x->loss < y->loss);
}

static struct lesson lesson_of(const struct ssk_sweep *sweep, const struct ssk_trial *t) {
  struct lesson l = {.point = t->point, .rank = 2};
  if (t->state == SSK_TRIAL_DONE) {
    l.rank = 0;
    l.key = ssk_sweep_loss(sweep, t->value);
  } else if (t->state == SSK_TRIAL_PRUNED) {
    l.rank = 1;
    l.key = -(double)t->step;
    l.loss = isnan(t->last)          ? INFINITY
             : sweep->sweep.prune.by ? t->last
                                     : ssk_sweep_loss(sweep, t->last);
  } else if (t->state == SSK_TRIAL_FAILED) {
    l.rank = 3;
  }
  return l;
}

/* ---- a density ------------------------------------------------------------------------------- */

struct density {
  const struct ssk_axes *axes;
  const struct lesson *lessons;
  int n;
  double width; /* of the kernels, on [0, 1] */
};

/* Scott's rule for a product kernel, from the deviation 0.2 that a few scattered points have. */
static struct density density_of(const struct ssk_axes *axes, const struct lesson *lessons, int n) {
  return (struct density){axes, lessons, n, 0.2 * pow(n > 0 ? n : 1, -1.0 / (axes->n + 4))};
}

static double cumulative(double x) {
  return 0.5 * erfc(-x * M_SQRT1_2);
}

/* How much of a kernel is the trial's own category: the more trials there are, the surer. */
static double own_share(const struct density *d) {
  return (double)d->n / (d->n + 1.0);
}

static double kernel(const struct density *d, int k, double centre, double x) {
  const struct ssk_axis *axis = &d->axes->items[k];
  if (axis->kind == SSK_AXIS_CATEGORICAL) {
    const double others = (1 - own_share(d)) / (double)axis->n;
    return others + (ssk_axis_index(axis, centre) == ssk_axis_index(axis, x) ? own_share(d) : 0);
  }
  const double u = (x - centre) / d->width;
  const double inside = cumulative((1 - centre) / d->width) - cumulative(-centre / d->width);
  return exp(-u * u / 2) / (d->width * sqrt(2 * M_PI) * inside);
}

static double log_density(const struct density *d, const double *x) {
  double sum = 1; /* the flat kernel... */
  for (int k = 0; k < d->axes->n; k++)
    if (d->axes->items[k].kind == SSK_AXIS_CATEGORICAL)
      sum /= (double)d->axes->items[k].n; /* ... whose unit is probability here */
  for (int i = 0; i < d->n; i++) {
    double product = 1;
    for (int k = 0; k < d->axes->n; k++)
      product *= kernel(d, k, d->lessons[i].point[k], x[k]);
    sum += product;
  }
  return log(sum / (d->n + 1));
}

static double draw_axis(const struct density *d, int k, double centre, ssk_rng *rng) {
  const struct ssk_axis *axis = &d->axes->items[k];
  if (axis->kind == SSK_AXIS_CATEGORICAL)
    return ssk_rng_uniform(rng) < own_share(d)
               ? centre
               : ssk_axis_point(axis, (int64_t)ssk_rng_below(rng, (uint64_t)axis->n));
  for (;;) { /* at least a quarter of the normal lies inside while the width is 0.2 or less */
    const double x = centre + d->width * ssk_rng_normal(rng);
    if (x >= 0 && x < 1)
      return x;
  }
}

static void draw(const struct density *d, ssk_rng *rng, double *x) {
  const uint64_t i = ssk_rng_below(rng, (uint64_t)d->n + 1);
  for (int k = 0; k < d->axes->n; k++)
    x[k] =
        i == (uint64_t)d->n ? ssk_rng_uniform(rng) : draw_axis(d, k, d->lessons[i].point[k], rng);
}

/* ---- the sampler ----------------------------------------------------------------------------- */

int ssk_sample_tpe(const struct ssk_sweep *sweep, int64_t number, const struct ssk_trials *trials,
                   double *point, ssk_err *err) {
  const struct ssk_axes *axes = &sweep->axes;
  struct lesson *lessons = calloc((size_t)trials->n + 1, sizeof *lessons);
  double *x = calloc((size_t)axes->n, sizeof *x);
  int code = lessons && x ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for the sampler");
  if (!code) {
    int finished = 0;
    for (int i = 0; i < trials->n; i++) {
      lessons[i] = lesson_of(sweep, &trials->items[i]);
      finished += lessons[i].rank == 0;
    }
    qsort(lessons, (size_t)trials->n, sizeof *lessons, by_merit);
    int good = (int)ceil(0.1 * trials->n);
    good = good > most_good ? most_good : good > finished ? finished : good;
    const struct density l = density_of(axes, lessons, good),
                         g = density_of(axes, lessons + good, trials->n - good);
    ssk_rng rng =
        ssk_rng_open((uint64_t)sweep->sweep.sampler.seed, "sweep", "tpe", (uint32_t)number, 0);
    double best = -INFINITY;
    for (int64_t c = 0; c < sweep->sweep.sampler.candidates; c++) {
      draw(&l, &rng, x);
      ssk_axes_snap(axes, x);
      const double merit = log_density(&l, x) - log_density(&g, x);
      for (int k = 0; k < axes->n && merit > best; k++)
        point[k] = x[k];
      best = fmax(best, merit);
    }
  }
  free(lessons);
  free(x);
  return code;
}
