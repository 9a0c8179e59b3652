/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train.c - the parts of the training loop that can be checked by hand: the thread pool, sums
 * over shards, AdamW, the schedule of the learning rate. */
#include "train/optimiser.h"
#include "train/reduce.h"
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

/* Results of hand-computed steps, in either precision. */
static const double tolerance = 2e-6;

/* ---- pool ------------------------------------------------------------------------------------ */

struct tally {
  int runs[100];     /* one writer each */
  int stranger[100]; /* thread number out of range */
  int threads;
};

static void count_task(int task, int thread, void *state) {
  struct tally *tally = state;
  tally->runs[task]++;
  tally->stranger[task] |= thread < 0 || thread >= tally->threads;
}

Test(train, pool_runs_every_task_once) {
  for (int threads = 1; threads <= 4; threads++) {
    struct ssk_pool *pool;
    cr_assert(eq(int, ssk_pool_new(threads, &pool, NULL), SSK_OK));
    cr_assert(eq(int, ssk_pool_threads(pool), threads));
    struct tally tally = {.threads = threads};
    for (int round = 1; round <= 50; round++) {
      ssk_pool_run(pool, 2 * round, count_task, &tally);
      for (int i = 0; i < 100; i++) /* task i has been in every round from i/2 + 1 on */
        cr_assert(eq(int, tally.runs[i], round > i / 2 ? round - i / 2 : 0));
    }
    for (int i = 0; i < 100; i++)
      cr_assert(not(tally.stranger[i]));
    ssk_pool_run(pool, 0, count_task, &tally);
    ssk_pool_free(pool);
  }
}

/* ---- sums over shards ------------------------------------------------------------------------ */

/* Irregular numbers of several magnitudes: another order of additions often gives other bits. The
 * product is rounded before anything is added to it. */
static double awkward(int shard, int i) {
  volatile double number = sin(1 + shard + 7.3 * i) * pow(10, (shard * 5 + i) % 4);
  return number;
}

static void check_tree(struct ssk_pool *pool) {
  enum { count = 5000 };
  static ssk_real data[5][count];
  ssk_real *vectors[5];
  for (int s = 0; s < 5; s++) {
    vectors[s] = data[s];
    for (int i = 0; i < count; i++)
      data[s][i] = (ssk_real)awkward(s, i);
  }
  struct ssk_reducer *reducer;
  cr_assert(eq(int, ssk_reducer_new(pool, NULL, vectors, 5, count, &reducer, NULL), SSK_OK));
  ssk_reduce_vectors(reducer);
  ssk_reducer_free(reducer);
  int other_order = 0;
  for (int i = 0; i < count; i++) {
    ssk_real x[5];
    for (int s = 0; s < 5; s++)
      x[s] = (ssk_real)awkward(s, i);
    const ssk_real left = x[0] + x[1], right = x[2] + x[3], four = left + right;
    const ssk_real tree = four + x[4];
    cr_assert(data[0][i] == tree, "entry %d: %.9g, not %.9g", i, (double)data[0][i], (double)tree);
    const ssk_real a = x[0] + x[1], b = a + x[2], c = b + x[3];
    other_order += c + x[4] != tree;
  }
  cr_assert(other_order > 0, "the values do not tell one order of summation from another");
}

Test(train, shards_are_added_in_a_fixed_tree) {
  check_tree(NULL);
  struct ssk_pool *pool;
  cr_assert(eq(int, ssk_pool_new(3, &pool, NULL), SSK_OK));
  check_tree(pool);
  ssk_pool_free(pool);

  double rows[6];
  for (int s = 0; s < 3; s++)
    for (int k = 0; k < 2; k++)
      rows[2 * s + k] = awkward(s, k);
  ssk_reduce_rows(NULL, rows, 3, 2);
  for (int k = 0; k < 2; k++)
    cr_assert(rows[k] == (awkward(0, k) + awkward(1, k)) + awkward(2, k));
}

/* ---- the optimiser --------------------------------------------------------------------------- */

enum { DECAYED = 0, PLAIN = 16, STATISTIC = 32, TOTAL = 48 };

static struct ssk_slice slices[] = {
    {.name = "encoder.W",
     .ndim = 1,
     .shape = {2},
     .offset = DECAYED,
     .count = 2,
     .part = SSK_PART_ENCODER,
     .span = {0, 1}},
    {.name = "emission.b",
     .ndim = 1,
     .shape = {1},
     .offset = PLAIN,
     .count = 1,
     .part = SSK_PART_EMISSION,
     .span = {0, 1},
     .flags = SSK_NO_DECAY},
    {.name = "transition.scale",
     .ndim = 1,
     .shape = {1},
     .offset = STATISTIC,
     .count = 1,
     .part = SSK_PART_TRANSITION,
     .span = {0, 1},
     .flags = SSK_STATISTIC,
     .decay = 0.9},
};
static const struct ssk_layout layout = {.n = 3, .slice = slices, .total = TOTAL, .trained = 3};

static const bool all[] = {true, true, true};

static struct ssk_training_section settings(void) {
  return (struct ssk_training_section){
      .steps = 100,
      .learning_rate = {.encoder = 0.1, .emission = 0.2, .transition = 0.3, .initial = 0.4},
      .beta1 = 0.9,
      .beta2 = 0.999,
      .epsilon = 1e-8,
      .weight_decay = 0.5,
      .ema = 0.999,
  };
}

#define CLOSE(x, y) check_close(#x, (double)(x), (double)(y))
static void check_close(const char *what, double x, double y) {
  cr_assert(fabs(x - y) <= tolerance * fmax(1, fabs(y)), "%s is %.9g, not %.9g", what, x, y);
}

Test(train, adamw_takes_the_steps_computed_by_hand) {
  struct ssk_training_section s = settings();
  struct ssk_optimiser o;
  cr_assert(eq(int, ssk_optimiser_init(&o, &layout, &s, NULL), SSK_OK));
  o.values[DECAYED] = 1;
  o.values[PLAIN] = 2;
  o.values[STATISTIC] = 4;
  ssk_optimiser_start(&o);
  ssk_real g[TOTAL] = {0};
  g[DECAYED] = 0.5;
  g[PLAIN] = -1;
  g[STATISTIC] = 6;
  ssk_optimiser_step(&o, g, 1.1, 0);
  CLOSE(o.values[DECAYED], 0.95 - 0.1); /* a first step has the length of the rate */
  CLOSE(o.values[PLAIN], 2.2);
  CLOSE(o.values[STATISTIC], 0.9 * 4 + 0.1 * 6);
  CLOSE(o.average[DECAYED], (2.0 * 1 + 9 * 0.85) / 11);
  CLOSE(o.average[STATISTIC], 4.2);

  g[DECAYED] = -0.25;
  g[PLAIN] = 0;
  g[STATISTIC] = 0;
  ssk_optimiser_step(&o, g, 0.25, 1);
  /* m = 0.02, v = 0.00031225, divided by 1 - 0.81 and 1 - 0.998001 */
  const double w = 0.85 * 0.95 - 0.1 * (0.02 / 0.19) / sqrt(0.00031225 / 0.001999);
  CLOSE(w, 0.7808663);
  CLOSE(o.values[DECAYED], w);
  CLOSE(o.values[DECAYED + 1], 0); /* no gradient, no weight to decay */
  CLOSE(o.values[PLAIN], 2.2 + 0.2 * (0.09 / 0.19) / sqrt(0.000999 / 0.001999));
  CLOSE(o.values[STATISTIC], 3.78);
  CLOSE(o.average[DECAYED], 0.25 * (2.0 * 1 + 9 * 0.85) / 11 + 0.75 * w);
  CLOSE(o.average[STATISTIC], 3.78);
  cr_assert(eq(long, (long)o.updates, 2));
  ssk_optimiser_free(&o);
}

Test(train, clipping_shortens_the_whole_gradient) {
  struct ssk_training_section s = settings();
  s.clip = 2.5;
  s.beta1 = s.weight_decay = 0;
  struct ssk_optimiser o;
  cr_assert(eq(int, ssk_optimiser_init(&o, &layout, &s, NULL), SSK_OK));
  ssk_real g[TOTAL] = {0};
  g[DECAYED] = 3;
  g[PLAIN] = 4;
  g[STATISTIC] = 100;
  const struct ssk_gradient_norms norms = ssk_gradient_norms(&layout, g, all);
  CLOSE(norms.total, 5); /* the statistic is no gradient */
  CLOSE(norms.part[SSK_PART_ENCODER], 3);
  CLOSE(norms.part[SSK_PART_EMISSION], 4);
  CLOSE(norms.part[SSK_PART_TRANSITION], 0);
  double squares = 0;
  for (int part = 0; part < SSK_PART_COUNT; part++)
    squares += norms.part[part] * norms.part[part];
  CLOSE(squares, norms.total * norms.total);
  cr_assert(norms.finite);
  ssk_optimiser_step(&o, g, norms.total, 0);
  CLOSE(o.m[DECAYED], 1.5); /* with beta1 = 0 it is the clipped gradient */
  CLOSE(o.m[PLAIN], 2);
  CLOSE(o.values[STATISTIC], 10); /* nor is it clipped */
  ssk_optimiser_free(&o);
}

/* Everything that an optimiser has of a slice's first weight. */
struct state {
  ssk_real value, average, m, v;
};
static struct state state_at(const struct ssk_optimiser *o, int at) {
  return (struct state){o->values[at], o->average[at], o->m[at], o->v[at]};
}
static void check_same(struct state x, struct state y) {
  cr_assert(x.value == y.value && x.average == y.average && x.m == y.m && x.v == y.v);
}

Test(train, what_rests_stays_as_it_is_and_is_not_in_the_norm) {
  struct ssk_training_section s = settings();
  struct ssk_optimiser o;
  cr_assert(eq(int, ssk_optimiser_init(&o, &layout, &s, NULL), SSK_OK));
  o.values[DECAYED] = o.values[PLAIN] = o.values[STATISTIC] = 1;
  ssk_optimiser_start(&o);
  ssk_real g[TOTAL] = {[DECAYED] = 3, [PLAIN] = 4, [STATISTIC] = 5};
  ssk_optimiser_step(&o, g, 5, 0);
  const struct state encoder = state_at(&o, DECAYED), statistic = state_at(&o, STATISTIC);
  const struct ssk_phase whole = {.parts = SSK_PARTS_ALL}, part = {.parts = SSK_PARTS_EMISSION};
  ssk_optimiser_choose(&o, &part, &whole);
  g[DECAYED] = INFINITY;
  g[STATISTIC] = NAN;
  CLOSE(ssk_gradient_norms(&layout, g, o.trained).total, 4);
  cr_assert(ssk_gradient_norms(&layout, g, o.trained).finite);
  cr_assert(ssk_gradient_culprit(&layout, g, o.trained) == NULL);
  const ssk_real before = o.values[PLAIN];
  ssk_optimiser_step(&o, g, 4, 1);
  check_same(state_at(&o, DECAYED), encoder);
  check_same(state_at(&o, STATISTIC), statistic);
  cr_assert(o.values[PLAIN] != before);
  cr_assert(eq(long, (long)o.updates, 2)); /* nothing began: the moments go on */
  ssk_optimiser_free(&o);
}

Test(train, the_optimiser_is_rebuilt_where_something_begins_to_be_trained) {
  struct ssk_training_section s = settings();
  s.weight_decay = 0;
  struct ssk_optimiser o;
  cr_assert(eq(int, ssk_optimiser_init(&o, &layout, &s, NULL), SSK_OK));
  const struct ssk_phase first = {.parts = SSK_PARTS_ENCODER | SSK_PARTS_INITIAL};
  const struct ssk_phase then = {.parts = SSK_PARTS_EMISSION | SSK_PARTS_INITIAL};
  ssk_real g[TOTAL] = {[DECAYED] = 1, [PLAIN] = 2};
  for (int64_t step = 0; step < 5; step++) {
    ssk_optimiser_choose(&o, &first, step ? &first : NULL);
    ssk_optimiser_step(&o, g, 1, step);
  }
  cr_assert(eq(long, (long)o.updates, 5));
  const struct state encoder = state_at(&o, DECAYED);
  cr_assert(o.values[PLAIN] == 0);
  ssk_optimiser_choose(&o, &then, &first);
  cr_assert(eq(long, (long)o.updates, 0));
  ssk_optimiser_step(&o, g, 2, 5);
  CLOSE(o.values[PLAIN], -0.2); /* as a first step, it has the length of the rate */
  check_same(state_at(&o, DECAYED), encoder);
  ssk_optimiser_free(&o);
}

Test(train, a_gradient_that_is_not_finite_is_noticed_and_named) {
  ssk_real g[TOTAL] = {0};
  cr_assert(ssk_gradient_culprit(&layout, g, all) == NULL);
  g[STATISTIC] = NAN;
  cr_assert(eq(dbl, ssk_gradient_norms(&layout, g, all).total, 0));
  cr_assert(not(ssk_gradient_norms(&layout, g, all).finite));
  cr_assert(eq(str, (char *)ssk_gradient_culprit(&layout, g, all), "transition.scale"));
  g[PLAIN] = -INFINITY;
  cr_assert(not(ssk_gradient_norms(&layout, g, all).finite));
  cr_assert(eq(str, (char *)ssk_gradient_culprit(&layout, g, all), "emission.b"));
}

Test(train, the_rate_warms_up_and_follows_the_cosine) {
  struct ssk_training_section s = {.steps = 110, .warmup = 10, .final_rate = 0.2};
  CLOSE(ssk_rate_factor(&s, 0), 0.1);
  CLOSE(ssk_rate_factor(&s, 9), 1);
  CLOSE(ssk_rate_factor(&s, 109), 1); /* schedule 0: constant */
  s.schedule = 1;
  CLOSE(ssk_rate_factor(&s, 4), 0.5);
  CLOSE(ssk_rate_factor(&s, 10), 1);
  CLOSE(ssk_rate_factor(&s, 60), 0.6); /* half way: the mean of 1 and 0.2 */
  CLOSE(ssk_rate_factor(&s, 35), 0.2 + 0.8 * (0.5 + 0.25 * sqrt(2)));
  CLOSE(ssk_rate_factor(&s, 110), 0.2);
}
