/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - a data set: series for the three splits. This one draws them,
 *
 *     x_t = 2 r cos(w) x_{t-1} - r^2 x_{t-2} + e_t,   e_t ~ N(0, noise^2),
 *
 * oscillations that die out and are stirred up again; one that reads them does so in `open`, keeps
 * them in memory that `done` of the component frees, and copies them in `fill`. Files of one's own
 * need no plugin: `sskit describe dataset csv`, jsonl, npz. */
#include <math.h>
#include <sskit/plugin.h>

struct own {
  int64_t sequences, valid, test, length; /* parameters, filled by the kernel */
  double radius, angle, noise;
  uint64_t seed; /* from `open` */
};

static int open(void *self, uint64_t seed, ssk_err *err) {
  struct own *s = self;
  (void)err; /* a file that cannot be read is described here: return ssk_err_set(err, SSK_EDATA,
                ...) */
  s->seed = seed;
  return SSK_OK;
}

static void shape(const void *self, struct ssk_data_shape *out) {
  const struct own *s = self;
  *out = (struct ssk_data_shape){.size = sizeof *out, .D = 1, .max_length = (int)s->length};
}

static int64_t count(const void *self, enum ssk_split split) {
  const struct own *s = self;
  return split == SSK_TRAIN ? s->sequences : split == SSK_VALID ? s->valid : s->test;
}

/* Called from several threads: the same series at each call, whatever was asked for before. */
static int fill(const void *self, enum ssk_split split, int64_t i, struct ssk_series *out,
                ssk_err *err) {
  const struct own *s = self;
  const double a = 2 * s->radius * cos(s->angle), b = -s->radius * s->radius;
  ssk_rng rng = ssk_rng_open(s->seed, "data.example", "series", split, (uint32_t)i);
  (void)err;
  out->length = (int)s->length;
  for (int t = 0; t < out->length; t++) {
    const double last = t > 0 ? out->x[t - 1] : 0, before = t > 1 ? out->x[t - 2] : 0;
    out->x[t] = a * last + b * before + s->noise * ssk_rng_normal(&rng);
  }
  return SSK_OK; /* out->mask is all 1: write 0 where an entry is missing */
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct own, sequences, "256", 1, 1e7, "series", "Series to train on."),
    SSK_PARAM_INT(struct own, valid, "64", 0, 1e7, "series", "Series to validate on."),
    SSK_PARAM_INT(struct own, test, "64", 0, 1e7, "series", "Series to test on."),
    SSK_PARAM_INT(struct own, length, "24", 2, 1e6, "steps", "Length of each."),
    SSK_PARAM_REAL(struct own, radius, "0.95", 0, 1, NULL, "r: how slowly oscillations die out."),
    SSK_PARAM_REAL(struct own, angle, "0.7", 0, 3.14159, "radians a step", "w: their frequency."),
    SSK_PARAM_REAL(struct own, noise, "0.3", 0, 1e6, "data", "Deviation of e_t."),
    SSK_PARAM_END};

static const struct ssk_dataset_ops ops = {
    .size = sizeof ops, .open = open, .shape = shape, .count = count, .fill = fill};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_DATASET,
    .name = "example",
    .summary = "generated: oscillations stirred by noise",
    .doc = "x_t = 2 r cos(w) x_{t-1} - r^2 x_{t-2} + e_t, e_t ~ N(0, noise^2), from zeros.",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
