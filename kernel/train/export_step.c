/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "train/export_step.h"

#include "core/arena.h"
#include "model/notes.h"
#include "train/slice_array.h"
#include "train/trainer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing -------------------------------------------------------------------------------- */

static int add_vector(const struct ssk_layout *layout, const char *prefix, const ssk_real *vector,
                      struct ssk_arena *names, struct ssk_array *array) {
  for (int i = 0; i < layout->n; i++) {
    const struct ssk_slice *slice = &layout->slice[i];
    array[i] = ssk_slice_array(ssk_arena_printf(names, "%s%s", prefix, slice->name), slice, vector);
  }
  return layout->n;
}

static size_t trained_in(const struct ssk_layout *layout, enum ssk_part part) {
  size_t count = 0;
  for (int i = 0; i < layout->n; i++)
    if (layout->slice[i].part == part && !(layout->slice[i].flags & SSK_STATISTIC))
      count += layout->slice[i].count;
  return count;
}

static int write_step(const struct ssk_trainer *t, const ssk_real *before,
                      const struct ssk_step_record *record, const struct ssk_notes *notes,
                      const char *path, ssk_err *err) {
  const struct ssk_layout *layout = &t->model->layout;
  struct ssk_array *array = calloc((size_t)(2 * layout->n + notes->n), sizeof *array);
  if (!array)
    return ssk_err_set(err, SSK_ENOMEM, "no memory to write '%s'", path);
  struct ssk_arena names = {0};
  int n = add_vector(layout, "weights/", before, &names, array);
  n += add_vector(layout, "gradients/", t->gradients[0], &names, array + n);
  for (int i = 0; i < notes->n; i++) {
    const struct ssk_note *note = &notes->note[i];
    array[n++] = ssk_real_array(note->name, note->ndim, note->shape, note->count, note->values);
  }
  struct ssk_metadata metadata[SSK_PART_COUNT + 3] = {
      {"format", "sskit step"},
      {"loss", ssk_arena_printf(&names, "%.17g", record->loss)},
      {"lambda", ssk_arena_printf(&names, "%.17g", record->lambda)}};
  for (int i = 0; i < SSK_PART_COUNT; i++) {
    const enum ssk_part part = (enum ssk_part)i;
    metadata[i + 3] =
        (struct ssk_metadata){ssk_arena_printf(&names, "parameters.%s", ssk_part_name(part)),
                              ssk_arena_printf(&names, "%zu", trained_in(layout, part))};
  }
  int code = ssk_safetensors_write(path, array, n, metadata, SSK_PART_COUNT + 3, err);
  ssk_arena_free(&names);
  free(array);
  return code;
}

/* ---- the step ------------------------------------------------------------------------------- */

static int run_steps(struct ssk_trainer *t, int after, const char *path, ssk_err *err) {
  const size_t bytes = t->model->layout.total * sizeof(ssk_real);
  ssk_real *before = malloc(bytes);
  if (!before)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the weights before the step");
  struct ssk_notes notes = {0};
  struct ssk_step_record record;
  int code = SSK_OK;
  for (int i = 0; i < after && !code; i++)
    code = ssk_trainer_step(t, &record, err);
  memcpy(before, t->optimiser.values, bytes);
  ssk_trainer_record(t, &notes);
  if (!code)
    code = ssk_trainer_step(t, &record, err);
  ssk_trainer_record(t, NULL);
  if (!code && notes.failed)
    code = ssk_err_set(err, SSK_ENOMEM, "no memory to record a step");
  if (!code)
    code = write_step(t, before, &record, &notes, path, err);
  ssk_notes_free(&notes);
  free(before);
  return code;
}

int ssk_export_step(struct ssk_experiment *experiment, int after, const char *path, ssk_err *err) {
  struct ssk_data *data = NULL;
  struct ssk_model *model = NULL;
  struct ssk_trainer *trainer = NULL;
  experiment->training.shards = 1;
  experiment->training.segment = 0;
  int code = ssk_data_load(experiment, &data, err);
  if (!code)
    code = ssk_model_build(experiment, data, &model, err);
  if (!code)
    code = ssk_trainer_new(experiment, data, model, NULL, NULL, &trainer, err);
  if (!code)
    code = run_steps(trainer, after, path, err);
  ssk_trainer_free(trainer);
  ssk_model_free(model);
  ssk_data_free(data);
  return code;
}
