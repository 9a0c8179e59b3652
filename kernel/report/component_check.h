/* SPDX-License-Identifier: GPL-3.0-or-later */
/* component_check.h - does a component do what its kind promises? Checks that go beyond what is
 * checked of each plugin when it is loaded (registry/contract.c): it is put into a small model, and
 * that is trained for a step, forecast with, and compared with itself. */
#ifndef SSK_REPORT_COMPONENT_CHECK_H
#define SSK_REPORT_COMPONENT_CHECK_H

#include "model/trial.h"
#include "registry/registry.h"

enum ssk_outcome { SSK_CHECK_OK, SSK_CHECK_FAILED, SSK_CHECK_SKIPPED };

/* Where results go: `begin` before a check, so that a crash has a name; `end` behind it, with what
 * was measured, or the reason of a failure. */
struct ssk_check_report {
  void (*begin)(void *user, const char *check);
  void (*end)(void *user, const char *check, enum ssk_outcome outcome, const char *detail);
  void *user;
  int failed; /* counts them */
};
/* The same, for whoever makes checks. */
void ssk_check_begin(struct ssk_check_report *report, const char *check);
void ssk_check_end(struct ssk_check_report *report, const char *check, enum ssk_outcome outcome,
                   const char *format, ...) SSK_PRINTF(4, 5);

/* Run all checks of a component. Its neighbours come from `registry`, which must have it too. It is
 * put into the recipe file `recipe`, which must name it, or with NULL into a small one of sskit's
 * own, where all parameters of it have their defaults; the overrides apply to either. */
void ssk_component_check(const struct ssk_component *component, struct ssk_registry *registry,
                         const char *recipe, int n_over, const char *const *over,
                         struct ssk_check_report *report);

/* The checks of single kinds (component_laws.c): is a draw of a transition or an emission the same
 * when it is repeated, and another at another step; does its distribution have the density that it
 * gives; does an emission leave out what is not observed; does a schedule increase, and its inverse
 * invert it; does a data set give the same series in any order. */
void ssk_check_draws(struct ssk_trial *trial, enum ssk_kind kind, struct ssk_check_report *report);
void ssk_check_mask(struct ssk_trial *trial, struct ssk_check_report *report);
void ssk_check_density(struct ssk_trial *trial, enum ssk_kind kind,
                       struct ssk_check_report *report);
void ssk_check_schedule(const struct ssk_instance *schedule, struct ssk_check_report *report);
void ssk_check_dataset(const struct ssk_trial *trial, struct ssk_check_report *report);

#endif
