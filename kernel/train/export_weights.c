/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "train/export_weights.h"
#include "core/arena.h"
#include "train/npz.h"
#include <stdlib.h>
#include <string.h>

static bool ends_in(const char *path, const char *ending) {
  const size_t n = strlen(path), k = strlen(ending);
  return n > k && strcmp(path + n - k, ending) == 0;
}

/* A text as an array without axes. */
static struct ssk_array text_array(const char *name, const char *text, struct ssk_arena *arena) {
  return (struct ssk_array){.name = name,
                            .dtype = ssk_arena_printf(arena, "S%zu", strlen(text)),
                            .data = text,
                            .size = strlen(text)};
}

/* arrays[room]; returns how many the vector has. */
static int collect(const struct ssk_checkpoint *checkpoint, const char *prefix,
                   struct ssk_array *arrays) {
  const struct ssk_array *array;
  int n = 0;
  for (int i = 0; (array = ssk_safetensors_at(checkpoint->file, i)); i++)
    if (strncmp(array->name, prefix, strlen(prefix)) == 0) {
      arrays[n] = *array;
      arrays[n++].name = array->name + strlen(prefix);
    }
  return n;
}

static int count(const struct ssk_checkpoint *checkpoint) {
  int n = 0;
  while (ssk_safetensors_at(checkpoint->file, n))
    n++;
  return n;
}

int ssk_export_weights(const struct ssk_checkpoint *checkpoint, enum ssk_vector vector,
                       const char *path, ssk_err *err) {
  const bool npz = ends_in(path, ".npz");
  if (!npz && !ends_in(path, ".safetensors"))
    return ssk_err_set(err, SSK_EUSAGE, "'%s' ends neither in .npz nor in .safetensors", path);
  struct ssk_array *arrays = calloc((size_t)count(checkpoint) + 2, sizeof *arrays);
  if (!arrays)
    return ssk_err_set(err, SSK_ENOMEM, "no memory to write '%s'", path);
  struct ssk_arena arena = {0};
  const struct ssk_metadata texts[] = {{"recipe", checkpoint->origin.recipe},
                                       {"units", checkpoint->origin.units}};
  const int n_texts = checkpoint->origin.units ? 2 : 1;
  int n = collect(checkpoint, ssk_vector_prefix(vector), arrays);
  for (int i = 0; i < n_texts && npz; i++)
    arrays[n++] = text_array(texts[i].key, texts[i].value, &arena);
  int code = npz ? ssk_npz_write(path, arrays, n, err)
                 : ssk_safetensors_write(path, arrays, n, texts, n_texts, err);
  ssk_arena_free(&arena);
  free(arrays);
  return code;
}
