/* SPDX-License-Identifier: GPL-3.0-or-later */
/* study_folder.h - the directory of a comparison: a run for each training, and command.txt with the
 * command lines that made it and went on with it. */
#ifndef SSK_REPORT_STUDY_FOLDER_H
#define SSK_REPORT_STUDY_FOLDER_H

#include "report/run.h"

/* Make the directory, or take one that a comparison made before. `command` may be NULL. SSK_EIO
 * when something else is there. */
int ssk_study_folder_take(const char *folder, const char *command, ssk_err *err);
/* The first line in which two resolved recipes, or parts of them, differ: "'steps: 600' there,
 * 'steps: 700' here", as much of it as there is room for. */
const char *ssk_recipe_difference(char buffer[256], const char *there, const char *here);
/* Whether the run at `path`, if there is one, is of this recipe; SSK_ERECIPE, with the first line
 * that differs, when it is of another. */
int ssk_study_run_check(const struct ssk_experiment *experiment, const char *path, ssk_err *err);
/* Train it there; where a run is, go on with that one, or leave it as it is when it is finished. */
int ssk_study_run_train(const struct ssk_experiment *experiment, const char *path,
                        const struct ssk_run_options *options, ssk_err *err);

#endif
