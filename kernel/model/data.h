/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data.h - the series of a data set in memory, their standardisation, and the training windows. */
#ifndef SSK_MODEL_DATA_H
#define SSK_MODEL_DATA_H

#include "model/experiment.h"

/* One split: n series, each `room` rows long in memory, in the data's own units. */
struct ssk_split_data {
  int64_t n;
  int64_t room; /* no less than the longest */
  int *length;  /* [n] */
  double *x;    /* [n, room, D] */
  double *mask; /* [n, room, D]; 0 after the end of a shorter series */
  double *u;    /* [n, room, V] or NULL; standardised by the training series, when the recipe
                   says so, as s is */
  double *s;    /* [n, E] or NULL */
  double *z;    /* [n, room, latent] or NULL */
  /* [n, room, D] 1 for an entry that was observed and is held out: its mask is 0, x has its
   * true value. NULL: nothing is held out of this split. */
  double *hidden;
};

struct ssk_window {
  int64_t series;
  int start;
};

struct ssk_data {
  struct ssk_data_shape shape;
  const struct ssk_instance *dataset;
  struct ssk_split_data split[SSK_SPLIT_COUNT];
  bool standardised;
  double *centre, *scale;     /* [D]: model units = (x - centre) / scale, from observed training
                                 entries; 0 and 1 when not standardised */
  double *u_centre, *u_scale; /* [V] the same of covariates, from the training series */
  double *s_centre, *s_scale; /* [E] and of static ones */
  int latents; /* ground-truth latents that a transition may be trained on: the leading
                  ones of shape.latent, without labels */
  double *z_centre, *z_scale;      /* [latents] the same of them, from the training series */
  const struct ssk_oracle *oracle; /* or NULL */
  int window_length;               /* of training windows */
  int64_t n_windows;
  struct ssk_window *windows; /* of the training split */
  struct ssk_strings names;   /* of the dimensions, from named columns; n = 0: without */
  uint64_t fingerprint;       /* hash of all observations, masks and covariates, split by split */
};

/* Open the data set of the recipe, read all its splits, and hold out what its section `missing`
 * says. */
int ssk_data_load(const struct ssk_experiment *experiment, struct ssk_data **out, ssk_err *err);
void ssk_data_free(struct ssk_data *data);

/* Copy names of the dimensions; they must be as many. False without memory. */
bool ssk_data_set_names(struct ssk_data *data, const struct ssk_strings *names);
/* Arrays for the units of shape and latents: centre 0, scale 1. False without memory. */
bool ssk_data_units_alloc(struct ssk_data *data);
/* Mean and standard deviation of the observed training entries of dimension k; 1 for a constant. */
void ssk_data_units(const struct ssk_data *data, int k, double *centre, double *scale);
/* Does the data set read files, by <sskit/files.h>? */
bool ssk_data_reads_files(const struct ssk_instance *dataset);
/* What of the files is no data although the recipe did not say so. Borrowed from the data set. */
const struct ssk_strings *ssk_data_left_out(const struct ssk_data *data);
/* Warn of it, in one line (core/log.h). */
void ssk_data_warn(const struct ssk_data *data);
/* "train", "valid" or "test" */
const char *ssk_split_name(enum ssk_split split);
/* Whether an emission takes the observed entries of a split: SSK_EDATA with the first that it does
 * not. */
int ssk_data_check_values(const struct ssk_data *data, const struct ssk_instance *emission,
                          enum ssk_split which, ssk_err *err);

/* Hold entries out at random (held_out.c), and add to the fingerprint which. SSK_EDATA when no
 * training entry of a dimension is left. */
int ssk_data_hold_out(struct ssk_data *data, const struct ssk_missing_section *missing,
                      ssk_err *err);

/* The shuffled order of one epoch, kept so that draws in sequence are cheap. Zero-initialise; one
 * for each user. */
struct ssk_window_order {
  int64_t epoch; /* + 1; 0: none yet */
  int64_t *index;
};
void ssk_window_order_free(struct ssk_window_order *order);

/* Window number `position` of the endless shuffled training sequence: a fresh permutation each
 * epoch, a function of (seed, position) alone, so that a resumed run sees what it would have seen.
 */
int ssk_data_draw(const struct ssk_data *data, uint64_t seed, uint64_t position,
                  struct ssk_window_order *order, struct ssk_window *out);

/* Nats to add to a log-likelihood of standardised data to express it in the data's own units:
 * minus the sum of log scale over the observed entries. */
double ssk_data_log_jacobian(const struct ssk_data *data, const double *mask, int steps);

#endif
