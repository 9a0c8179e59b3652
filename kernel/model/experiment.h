/* SPDX-License-Identifier: GPL-3.0-or-later */
/* experiment.h - what a recipe says, typed: one struct a section, one table of rows a struct. */
#ifndef SSK_MODEL_EXPERIMENT_H
#define SSK_MODEL_EXPERIMENT_H

#include "registry/registry.h"
#include <sskit/params.h>
#include <sskit/weights.h>

struct ssk_window_section {
  int64_t length; /* training windows; 0: whole series */
  int64_t stride;
};

/* Entries that are hidden from the model, at random, as if they were missing. */
struct ssk_missing_section {
  double fraction;           /* of the observed entries */
  int64_t seed;              /* names which */
  struct ssk_strings splits; /* that are thinned */
};

struct ssk_model_section {
  int64_t latent;        /* d */
  int64_t order;         /* j */
  int64_t paths;         /* S */
  int64_t time_features; /* F */
  struct ssk_instance *summary;
  struct ssk_instance *history; /* NULL: none */
  struct ssk_instance *encoder, *emission, *initial, *transition;
};

struct ssk_rates_section {
  double encoder, emission, transition, initial; /* encoder: also the summary's */
};

struct ssk_training_section {
  int64_t steps, batch, shards;
  int64_t segment;           /* steps between stored states; 0: all is stored; -1: sqrt(T) */
  struct ssk_strings freeze; /* parts that are not trained: see ssk_training_parts */
  const char *start;         /* run or checkpoint that these have their weights from; "": none */
  struct ssk_rates_section learning_rate;
  int schedule;      /* 0 constant, 1 cosine */
  int64_t warmup;    /* steps of linear warm-up of the learning rate */
  double final_rate; /* fraction of the rate at the end of the cosine */
  double weight_decay, beta1, beta2, epsilon;
  double clip;        /* global norm; 0: off */
  double ema;         /* decay of the averaged weights; 0: off */
  int64_t skip_limit; /* non-finite steps in a row that end the run */
  int64_t log_every, validate_every, checkpoint_every; /* steps; 0: never */
};

/* The names that parts have in recipes, ended by NULL. */
extern const char *const ssk_part_names[];
/* The parts that a training may train, a set of enum ssk_parts: all but those of `freeze`. */
unsigned ssk_training_parts(const struct ssk_training_section *training);

struct ssk_health_section {
  int64_t every;         /* validations; 0: never */
  int64_t conditionings; /* past latents of the encoder at which the transition is looked at */
  int64_t samples;       /* drawn from it at each */
};

enum { SSK_MAX_KALMAN_LATENT = 64 };

struct ssk_evaluate_section {
  int split;       /* enum ssk_split */
  int64_t series;  /* at most so many series; 0: all */
  int64_t context; /* steps of history; 0: all but the horizon */
  int64_t horizon;
  struct ssk_reals steps; /* of the horizon, from 1, which samples are also scored at alone */
  int64_t samples;        /* forecast paths a series, and posterior paths */
  int smoothing;          /* 0 paths of the encoder, 1 drawn again by their importance weights */
  int64_t bound_paths;    /* Monte Carlo paths of the bound */
  int64_t bound_length;   /* steps of the series that bound and likelihood are taken over; 0: all */
  int64_t likelihood_paths;  /* of an importance-weighted likelihood */
  int64_t kernel_draws;      /* of the transition alone, for each conditioning */
  int64_t particles;         /* of the oracle's particle filter */
  int64_t season;            /* steps, of the baseline seasonal_naive; 0: not said */
  int64_t kalman_latent;     /* of kalman_em, at most SSK_MAX_KALMAN_LATENT; 0: by the data */
  int64_t kalman_iterations; /* of its fit, at most */
  struct ssk_instances metrics;
};

/* A recipe that trains one model. */
struct ssk_experiment {
  const char *name;
  int64_t seed;
  bool standardise;
  struct ssk_instance *data;
  struct ssk_missing_section missing;
  struct ssk_window_section window;
  struct ssk_model_section model;
  struct ssk_instance *objective;
  struct ssk_training_section training;
  struct ssk_health_section health;
  struct ssk_evaluate_section evaluate;
  /* not from rows: */
  struct ssk_tree *tree;  /* owned */
  struct ssk_arena arena; /* owned: what the rows allocated */
};
extern const struct ssk_param ssk_experiment_rows[];
/* The split of this name (train, valid, test); -1: there is none. */
int ssk_split_named(const char *name);

/* Read, type and check a recipe; *out is NULL on failure. Free with ssk_experiment_free. */
int ssk_experiment_load(const char *path, int n_overrides, const char *const *overrides,
                        struct ssk_registry *registry, struct ssk_experiment **out, ssk_err *err);
/* The same with overrides that stand in a file. */
int ssk_experiment_load_placed(const char *path, int n_overrides,
                               const struct ssk_override *overrides, struct ssk_registry *registry,
                               struct ssk_experiment **out, ssk_err *err);
/* The same from text (a checkpoint's resolved recipe). */
int ssk_experiment_parse(const char *name, const char *text, size_t size, int n_overrides,
                         const char *const *overrides, struct ssk_registry *registry,
                         struct ssk_experiment **out, ssk_err *err);
void ssk_experiment_free(struct ssk_experiment *experiment);
/* The resolved recipe: every default explicit. malloc'ed; NULL without memory. */
char *ssk_experiment_dump(const struct ssk_experiment *experiment);

#endif
