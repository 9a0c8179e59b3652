/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pass_tasks.h - tasks that each need a pass, shared out over a pool. */
#ifndef SSK_MODEL_PASS_TASKS_H
#define SSK_MODEL_PASS_TASKS_H

#include "core/pool.h"
#include "model/model.h"

/* One task: SSK_OK, or a code with the reason in err. */
typedef int ssk_pass_task(struct ssk_pass *pass, int task, void *state, ssk_err *err);

/* Run the tasks 0...n-1 with a pass for each thread; `values`: the weights. The pool may be NULL.
 * Of several errors the first in the order of the tasks is reported, whoever finished first. */
int ssk_pass_tasks_run(const struct ssk_model *model, ssk_real *values, struct ssk_pool *pool,
                       int n, ssk_pass_task *task, void *state, ssk_err *err);

#endif
