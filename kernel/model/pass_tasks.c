/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pass_tasks.c - passes for the threads, errors for the tasks. */
#include "model/pass_tasks.h"

#include <stdlib.h>

struct job {
  struct ssk_pass *passes; /* one a thread */
  ssk_pass_task *task;
  void *state;
  int *codes; /* one a task, as are the reasons */
  ssk_err **errs;
};

static void run_task(int task, int thread, void *state) {
  struct job *job = state;
  job->errs[task] = ssk_err_new();
  job->codes[task] = job->task(&job->passes[thread], task, job->state, job->errs[task]);
}

int ssk_pass_tasks_run(const struct ssk_model *model, ssk_real *values, struct ssk_pool *pool,
                       int n, ssk_pass_task *task, void *state, ssk_err *err) {
  const int threads = ssk_pool_threads(pool);
  struct job job = {.passes = calloc((size_t)threads, sizeof *job.passes),
                    .task = task,
                    .state = state,
                    .codes = calloc((size_t)n + 1, sizeof *job.codes),
                    .errs = calloc((size_t)n + 1, sizeof *job.errs)};
  int code = job.passes && job.codes && job.errs ? SSK_OK : SSK_ENOMEM;
  for (int i = 0; i < threads && !code; i++)
    code = ssk_pass_init(&job.passes[i], model, values);
  if (code)
    ssk_err_set(err, code, "no memory for the passes of %d threads", threads);
  else
    ssk_pool_run(pool, n, run_task, &job);
  for (int i = 0; i < n && !code; i++)
    if ((code = job.codes[i]))
      ssk_err_set(err, code, "%s", ssk_err_message(job.errs[i], 0));
  for (int i = 0; job.errs && i < n; i++)
    ssk_err_free(job.errs[i]);
  for (int i = 0; job.passes && i < threads; i++)
    if (job.passes[i].ctx.tape)
      ssk_pass_free(&job.passes[i]);
  free(job.passes);
  free(job.codes);
  free(job.errs);
  return code;
}
