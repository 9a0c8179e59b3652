/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_objectives.c - what objectives make of the parts of a bound, and what is trained when. */
#include "support/instances.h"
#include "support/rig.h"
#include "support/smoke.h"
#include "train/trainer.h"
#include <math.h>

#define CLOSE(x, y) check_close(#x, (double)(x), (double)(y))
static void check_close(const char *what, double x, double y) {
  cr_assert(fabs(x - y) <= 1e-5 * fmax(1, fabs(y)), "%s is %.9g, not %.9g", what, x, y);
}

/* ---- the loss of a bound made by hand -------------------------------------------------------- */

enum { STEPS = 2, PATHS = 3 };

struct given {
  ssk_real distortion[PATHS], initial[PATHS], steps[STEPS * PATHS], alive[STEPS * PATHS];
};
static const struct given given = {.distortion = {1, 2, 3},
                                   .initial = {0.5, 0.25, 1},
                                   .steps = {0.1, 0.2, 0.6, 2, 3, 0},
                                   .alive = {1, 1, 1, 1, 1, 0}};

/* Loss of each path of free_bits with these parameters at lambda = 1/2, and the gradient of its sum
 * by the steps' rates. */
static void free_bits(const char *yaml, double loss[PATHS], ssk_real gradient[STEPS * PATHS]) {
  struct kit kit;
  struct rig rig;
  kit_open(&kit);
  const struct ssk_instance *i = kit_make(&kit, SSK_OBJECTIVE, "free_bits", yaml);
  const struct ssk_objective_ops *ops = i->component->ops;
  rig_open(&rig, (struct ssk_dims){.d = 1, .j = 1});
  rig_start(&rig, STEPS + 1, 0);
  ssk_tape *tape = rig.ctx.tape;
  struct given values = given;
  memset(gradient, 0, sizeof values.steps);
  struct ssk_bound bound = {.size = sizeof bound};
  bound.distortion = ssk_const(tape, SSK_SHAPE(PATHS), values.distortion);
  bound.initial = ssk_const(tape, SSK_SHAPE(PATHS), values.initial);
  bound.steps = ssk_leaf(tape, SSK_SHAPE(STEPS, PATHS), values.steps, gradient);
  bound.transition = ssk_sum(tape, bound.steps, 0);
  bound.alive = ssk_const(tape, SSK_SHAPE(STEPS, PATHS), values.alive);
  ssk_tensor *result = ops->loss(i->self, &rig.ctx, &bound);
  rig_fine(&rig);
  cr_assert(result->count == PATHS);
  for (int p = 0; p < PATHS; p++)
    loss[p] = (double)result->data[p];
  ssk_backward(tape, ssk_sum_all(tape, result), 1);
  rig_fine(&rig);
  rig_close(&rig);
  kit_close(&kit);
}

#define HALF "schedule: constant\nend: 0.5\n"

Test(objectives, free_bits_floors_the_mean_of_a_step) {
  double loss[PATHS];
  ssk_real g[STEPS * PATHS];
  /* Step 1: mean 0.3 of three paths, under the floor. Step 2: 2.5 of the two that exist. */
  free_bits(HALF "floor: 0.5", loss, g);
  const double counted = (3 * 0.5 + 2 * 2.5) / 3;
  for (int p = 0; p < PATHS; p++)
    CLOSE(loss[p], (double)given.distortion[p] + 0.5 * ((double)given.initial[p] + counted));
  for (int p = 0; p < PATHS; p++)
    cr_assert(g[p] == 0, "under the floor there is no gradient");
  CLOSE(g[3], 0.5);
  CLOSE(g[4], 0.5);
  cr_assert(g[5] == 0, "nor where there is no step");
}

Test(objectives, free_bits_floors_the_step_of_a_path) {
  double loss[PATHS];
  ssk_real g[STEPS * PATHS];
  free_bits(HALF "floor: 0.5\nof: path", loss, g);
  const double counted[] = {0.5 + 2, 0.5 + 3, 0.6};
  for (int p = 0; p < PATHS; p++)
    CLOSE(loss[p], (double)given.distortion[p] + 0.5 * ((double)given.initial[p] + counted[p]));
  const double wanted[] = {0, 0, 0.5, 0.5, 0.5, 0};
  for (int i = 0; i < STEPS * PATHS; i++)
    CLOSE(g[i], wanted[i]);
}

Test(objectives, free_bits_floors_the_sequence) {
  double loss[PATHS];
  ssk_real g[STEPS * PATHS];
  /* 5.9 nats in the five steps of the shard. */
  free_bits(HALF "floor: 1\nper: sequence", loss, g);
  CLOSE(loss[0], 1 + 0.5 * (0.5 + 5.9 / 3));
  CLOSE(g[0], 0.5);
  free_bits(HALF "floor: 1.3\nper: sequence", loss, g);
  CLOSE(loss[1], 2 + 0.5 * (0.25 + 5 * 1.3 / 3));
  cr_assert(g[0] == 0 && g[4] == 0);
  /* Each path's own: 2.1 of two steps, 3.2 of two, 0.6 of one. */
  free_bits(HALF "floor: 1.1\nper: sequence\nof: path", loss, g);
  CLOSE(loss[0], 1 + 0.5 * (0.5 + 2.2));
  CLOSE(loss[1], 2 + 0.5 * (0.25 + 3.2));
  CLOSE(loss[2], 3 + 0.5 * (1 + 1.1));
  cr_assert(g[0] == 0 && g[2] == 0 && g[3] == 0);
  CLOSE(g[1], 0.5);
  CLOSE(g[4], 0.5);
}

Test(objectives, without_a_floor_free_bits_is_the_elbo) {
  double loss[PATHS];
  ssk_real g[STEPS * PATHS];
  free_bits(HALF "floor: 0\nof: path", loss, g);
  CLOSE(loss[1], 2 + 0.5 * (0.25 + 3.2));
}

/* ---- geco on a problem with a known answer ----------------------------------------------------
 */

/* What the kernel does with a statistic after a step. */
static void move_statistics(struct rig *rig) {
  for (int k = 0; k < rig->b.layout.n; k++) {
    const struct ssk_slice *slice = &rig->b.layout.slice[k];
    for (size_t i = slice->offset; slice->flags & SSK_STATISTIC && i < slice->offset + slice->count;
         i++)
      rig->weights.values[i] = (ssk_real)(slice->decay * (double)rig->weights.values[i] +
                                          (1 - slice->decay) * (double)rig->ctx.gradient[i]);
  }
}

/* Minimise a^2 subject to (a - 3)^2 <= c by gradient descent: a = 3 - sqrt(c), and the multiplier
 * is a / (3 - a). The distortion is given in units that are off by `shift`, of two entries. */
static void descend(const char *yaml, int steps, double shift, double *a, double *mu) {
  struct kit kit;
  struct rig rig;
  kit_open(&kit);
  const struct ssk_instance *i = kit_make(&kit, SSK_OBJECTIVE, "geco", yaml);
  const struct ssk_objective_ops *ops = i->component->ops;
  rig_open(&rig, (struct ssk_dims){.d = 1, .j = 1});
  const ssk_weight w = ssk_declare(&rig.b, "a", SSK_SHAPE(1), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  cr_assert_eq(ops->build(i->self, &rig.b), SSK_OK);
  rig_start(&rig, 1, 0);
  ssk_tape *tape = rig.ctx.tape;
  for (int step = 0; step < steps; step++) {
    rig_begin(&rig);
    memset(rig.ctx.gradient, 0, rig.b.layout.total * sizeof *rig.ctx.gradient);
    rig.ctx.step = (uint32_t)step;
    ssk_tensor *x = ssk_use(&rig.ctx, w);
    struct ssk_bound bound = {.size = sizeof bound, .entries = 2, .log_jacobian = shift};
    bound.distortion =
        ssk_affine(tape, ssk_square(tape, ssk_affine(tape, x, 1, -3)), 1, (ssk_real)shift);
    bound.initial = ssk_full(tape, SSK_SHAPE(1), 0);
    bound.transition = ssk_square(tape, x);
    ssk_backward(tape, ssk_sum_all(tape, ops->loss(i->self, &rig.ctx, &bound)), 1);
    rig_fine(&rig);
    *mu = 1 / ops->lambda(i->self, &rig.ctx);
    const size_t at = rig.b.layout.slice[w - 1].offset;
    rig.weights.values[at] -=
        (ssk_real)(0.1 / (1 + *mu) * (double)rig.ctx.gradient[at]); /* a stable length */
    *a = (double)rig.weights.values[at];
    move_statistics(&rig);
  }
  rig_close(&rig);
  kit_close(&kit);
}

Test(objectives, geco_finds_the_multiplier_of_its_constraint) {
  double a, mu;
  descend("target: 0.5\nspeed: 0.05\ndecay: 0.9", 4000, 0, &a, &mu); /* c = 1: two entries */
  cr_expect(fabs(a - 2) < 1e-3, "a is %g", a);
  cr_expect(fabs(mu - 2) < 1e-2, "mu is %g", mu);
  descend("target: 2\nspeed: 0.05\ndecay: 0.9", 4000, 7, &a, &mu);
  cr_expect(fabs(a - 1) < 1e-3, "a is %g", a);
  cr_expect(fabs(mu - 0.5) < 1e-2, "mu is %g", mu);
}

Test(objectives, geco_keeps_its_multiplier_within_limits) {
  double a, mu;
  descend("target: -1\nspeed: 0.1\nlargest: 20", 3000, 0, &a, &mu); /* cannot be reached */
  CLOSE(mu, 20);
  descend("target: 100\nspeed: 0.1\nsmallest: 0.25", 3000, 0, &a, &mu); /* always is */
  CLOSE(mu, 0.25);
}

Test(objectives, geco_is_not_carried_away_by_its_first_steps) {
  double a, mu;
  /* 9 nats off in the first step; the second still knows nothing of it, the third counts one. */
  descend("target: -100\nspeed: 0.1", 2, 0, &a, &mu);
  CLOSE(mu, 1);
  descend("target: -100\nspeed: 0.1", 3, 0, &a, &mu);
  CLOSE(mu, exp(0.1));
  descend("target: -100\nspeed: 0.1\nmost: 5", 3, 0, &a, &mu);
  CLOSE(mu, exp(0.5));
}

Test(objectives, geco_refuses_a_start_beyond_its_limits) {
  struct kit kit;
  kit_open(&kit);
  cr_assert(!kit_try(&kit, SSK_OBJECTIVE, "geco", "target: 0\nstart: 5\nlargest: 2"));
  cr_assert(strstr(ssk_err_message(kit.err, 0), "start (5) is not between"));
  kit_close(&kit);
}

/* ---- what is trained when ---------------------------------------------------------------------
 */

struct training {
  ssk_err *err;
  struct ssk_registry *registry;
  struct ssk_trial s;
  struct ssk_trainer *trainer;
  ssk_real *before; /* the weights that training_step began with */
};

static void training_open(struct training *t, const char *recipe, int n,
                          const char *const *overrides) {
  char path[4096];
  snprintf(path, sizeof path, "%s/recipes/smoke/%s", getenv("top_srcdir"), recipe);
  *t = (struct training){.err = ssk_err_new()};
  t->registry = smoke_plugins(t->err);
  cr_assert(smoke_prepare(&t->s, path, n, overrides, t->registry, t->err), "%s",
            ssk_err_message(t->err, 0));
  cr_assert_eq(
      ssk_trainer_new(t->s.experiment, t->s.data, t->s.model, NULL, NULL, &t->trainer, t->err),
      SSK_OK);
  t->before = calloc(t->s.model->layout.total, sizeof *t->before);
}

static void training_step(struct training *t) {
  struct ssk_step_record record;
  memcpy(t->before, t->trainer->optimiser.values, t->s.model->layout.total * sizeof *t->before);
  cr_assert_eq(ssk_trainer_step(t->trainer, &record, t->err), SSK_OK, "%s",
               ssk_err_message(t->err, 0));
  cr_assert(!record.skipped);
}

static void training_close(struct training *t) {
  ssk_trainer_free(t->trainer);
  free(t->before);
  ssk_trial_release(&t->s);
  ssk_registry_free(t->registry);
  ssk_err_free(t->err);
}

/* Did the last step change a slice whose name begins so? */
static bool changed(const struct training *t, const char *prefix) {
  const struct ssk_layout *layout = &t->s.model->layout;
  bool found = false, differs = false;
  for (int i = 0; i < layout->n; i++) {
    const struct ssk_slice *slice = &layout->slice[i];
    if (strncmp(slice->name, prefix, strlen(prefix)))
      continue;
    found = true;
    differs |= memcmp(t->before + slice->offset, t->trainer->optimiser.values + slice->offset,
                      slice->count * sizeof *t->before) != 0;
  }
  cr_assert(found, "no weight '%s'", prefix);
  return differs;
}

Test(objectives, frozen_parts_keep_their_bits) {
  struct training t;
  training_open(&t, "transition_diffusion.yaml", 1,
                (const char *[]){"training.freeze=[encoder, initial]"});
  for (int i = 0; i < 3; i++) {
    training_step(&t);
    cr_assert(!changed(&t, "summary.") && !changed(&t, "encoder.") && !changed(&t, "initial."));
    cr_assert(changed(&t, "emission.") && changed(&t, "transition."));
  }
  training_close(&t);
}

Test(objectives, nothing_to_train_is_an_error) {
  struct training t;
  training_open(&t, "objective_two_stage.yaml", 1,
                (const char *[]){"training.freeze=[encoder, emission]"});
  struct ssk_step_record record;
  cr_assert_eq(ssk_trainer_step(t.trainer, &record, t.err), SSK_ERECIPE);
  cr_assert(strstr(ssk_err_message(t.err, 0), "training step 1 has nothing to train"));
  training_close(&t);
}

Test(objectives, two_stage_trains_the_prior_on_latents_that_stay) {
  struct training t;
  training_open(&t, "objective_two_stage.yaml", 2,
                (const char *[]){"training.steps=6", "objective.until=0.5"});
  for (int i = 0; i < 6; i++) {
    training_step(&t);
    const bool first = i < 3;
    cr_expect(changed(&t, "encoder.") == first, "step %d", i);
    cr_expect(changed(&t, "summary.") == first, "step %d", i);
    cr_expect(changed(&t, "emission.") == first, "step %d", i);
    cr_expect(changed(&t, "initial.") != first, "step %d", i);
    cr_expect(changed(&t, "transition.") != first, "step %d", i);
    cr_expect_eq(t.trainer->optimiser.updates, i % 3 + 1, "the moments are of the stage");
  }
  training_close(&t);
}

Test(objectives, handoff_trains_one_transition_after_the_other) {
  struct training t;
  training_open(&t, "transition_handoff.yaml", 2,
                (const char *[]){"training.steps=6", "model.transition.at=0.5"});
  for (int i = 0; i < 6; i++) {
    training_step(&t);
    const bool first = i < 3;
    cr_expect(changed(&t, "encoder."), "step %d", i);
    cr_expect(changed(&t, "transition.first.") == first, "step %d", i);
    cr_expect(changed(&t, "transition.then.") != first, "step %d", i);
    cr_expect(changed(&t, "transition.reached") == (i == 3), "step %d", i);
    cr_expect_eq(t.trainer->optimiser.updates, i % 3 + 1, "the optimiser is rebuilt");
  }
  training_close(&t);
}

Test(objectives, handoff_is_evaluated_with_what_training_had_reached) {
  struct kit kit;
  struct rig rig;
  kit_open(&kit);
  struct ssk_instance *i = kit_make(&kit, SSK_TRANSITION, "handoff",
                                    "first: {use: gaussian, frame: free, logvar_start: 0}\n"
                                    "then: {use: gaussian, frame: free, logvar_start: 2}\n");
  const struct ssk_transition_ops *ops = i->component->ops;
  rig_open(&rig, (struct ssk_dims){.d = 1, .j = 1});
  cr_assert_eq(ops->build(i->self, &rig.b, &rig.dims), SSK_OK);
  rig_start(&rig, 1, 0);
  rig.ctx.training = false;
  rig.ctx.progress = 1;
  for (int reached = 0; reached < 2; reached++) {
    rig_begin(&rig);
    rig.weights.values[rig.b.layout.slice[0].offset] = (ssk_real)reached;
    struct ssk_rows rows = {.size = sizeof rows,
                            .n = 1,
                            .past = ssk_full(rig.ctx.tape, SSK_SHAPE(1, 1), 1),
                            .z = ssk_full(rig.ctx.tape, SSK_SHAPE(1, 1), 1)};
    const ssk_tensor *log_prob = ops->log_prob(i->self, &rig.ctx, &rows);
    rig_fine(&rig);
    const double logvar = reached ? 2 : 0;
    CLOSE(log_prob->data[0], -0.5 * (log(2 * M_PI) + logvar + exp(-logvar)));
  }
  rig_close(&rig);
  kit_close(&kit);
}
