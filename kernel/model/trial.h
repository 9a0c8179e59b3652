/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trial.h - a model put to the test: one training pass with weights that switch no path off, its
 * loss, its gradient, and whether that gradient is the loss's. For `sskit plugin check` and the
 * tests. */
#ifndef SSK_MODEL_TRIAL_H
#define SSK_MODEL_TRIAL_H

#include "model/model.h"

struct ssk_trial {
  struct ssk_experiment *experiment; /* owned */
  struct ssk_data *data;
  struct ssk_model *model;
  struct ssk_pass pass;
  ssk_real *values, *gradient; /* model->layout.total entries */
};

/* Read the data and build the model of an experiment, which the trial owns from now on, also after
 * a failure. Weights begin as ever, plus normals of deviation 0.1. Always release it. */
int ssk_trial_open(struct ssk_trial *trial, struct ssk_experiment *experiment, ssk_err *err);
void ssk_trial_release(struct ssk_trial *trial);

/* Loss of four training windows, the objective's, and its gradient by the weights into `gradient`
 * (layout.total entries). One window reaches beyond its series. `segment` is that of the recipe
 * key training.segment. NaN, with the reason in pass->err, where the tape has failed. The pass is
 * the trial's, or another of its model. */
double ssk_trial_loss(const struct ssk_trial *trial, struct ssk_pass *pass, ssk_real *gradient,
                      int segment);

/* The derivative of the loss by slice k of the weights, along its gradient or a random direction
 * (unit vectors): by reverse mode and by central differences; and how far apart the two may be, by
 * the precision of ssk_real. `gradient`: of ssk_trial_loss. */
struct ssk_slope {
  double reverse, differences, allowed;
};
struct ssk_slope ssk_trial_slope(struct ssk_trial *trial, int k, const ssk_real *gradient,
                                 bool along_gradient);

#endif
