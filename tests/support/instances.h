/* SPDX-License-Identifier: GPL-3.0-or-later */
/* instances.h - for tests: components with parameters as a recipe would give them, and data sets in
 * memory without the rest of an experiment. */
#ifndef TESTS_INSTANCES_H
#define TESTS_INSTANCES_H

#include "model/data.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define KIT_MAX 24

/* What a test made; zero-initialised by kit_open, freed by kit_close. */
struct kit {
  ssk_err *err;
  struct ssk_registry *registry;
  struct ssk_maker maker;
  struct ssk_arena arena;
  int n_instances, n_data;
  struct ssk_tree *tree[KIT_MAX];
  struct ssk_instance *instance[KIT_MAX];
  struct ssk_data *data[KIT_MAX];
};

_Noreturn static inline void kit_fail(const struct kit *kit, const char *what) {
  ssk_err_print(kit->err, stderr, false);
  cr_assert_fail("%s", what);
  abort();
}

static inline void kit_open(struct kit *kit) {
#ifdef SSK_DOUBLE
  const char *folder = getenv("SSKIT_PLUGIN_PATH_DOUBLE");
#else
  const char *folder = getenv("SSKIT_PLUGIN_PATH");
#endif
  *kit = (struct kit){.err = ssk_err_new()};
  kit->registry = ssk_registry_new(kit->err);
  if (!folder || ssk_registry_add_folder(kit->registry, folder, kit->err))
    kit_fail(kit, "no plugins");
  kit->maker = ssk_registry_maker(kit->registry);
}

/* The component with the parameters in `yaml` ("" for the defaults); NULL, with diagnostics in
 * kit->err, when it cannot be made. */
static inline struct ssk_instance *kit_try(struct kit *kit, enum ssk_kind kind, const char *name,
                                           const char *yaml) {
  const struct ssk_component *component =
      ssk_registry_find(kit->registry, kind, name, NULL, kit->err);
  int i = kit->n_instances;
  if (!component || i == KIT_MAX)
    return NULL;
  kit->tree[i] =
      *yaml ? ssk_tree_parse("test.yaml", yaml, strlen(yaml), 0, NULL, NULL, kit->err) : NULL;
  if (*yaml && !kit->tree[i])
    return NULL;
  kit->instance[i] = ssk_schema_instance(component, kit->tree[i] ? kit->tree[i]->root : NULL, name,
                                         &kit->maker, &kit->arena, kit->err);
  kit->n_instances++;
  return kit->instance[i];
}

static inline struct ssk_instance *kit_make(struct kit *kit, enum ssk_kind kind, const char *name,
                                            const char *yaml) {
  struct ssk_instance *instance = kit_try(kit, kind, name, yaml);
  if (!instance)
    kit_fail(kit, name);
  return instance;
}

/* Open a data set, read its splits and hold entries out, not standardised; NULL, with diagnostics,
 * on failure. */
static inline struct ssk_data *kit_load_with(struct kit *kit, struct ssk_instance *dataset,
                                             struct ssk_missing_section missing) {
  static const struct ssk_emission_ops any_ops = {.size = sizeof any_ops};
  static const struct ssk_component any = {.size = sizeof any, .name = "any", .ops = &any_ops};
  struct ssk_instance emission = {.component = &any};
  struct ssk_experiment experiment = {.name = "test",
                                      .data = dataset,
                                      .missing = missing,
                                      .window = {.stride = 1},
                                      .model = {.emission = &emission}};
  struct ssk_data *data = NULL;
  if (ssk_data_load(&experiment, &data, kit->err))
    return NULL;
  return kit->data[kit->n_data++] = data;
}

static inline struct ssk_data *kit_load(struct kit *kit, struct ssk_instance *dataset) {
  return kit_load_with(kit, dataset, (struct ssk_missing_section){0});
}

static inline struct ssk_data *kit_data(struct kit *kit, const char *dataset, const char *yaml) {
  struct ssk_data *data = kit_load(kit, kit_make(kit, SSK_DATASET, dataset, yaml));
  if (!data)
    kit_fail(kit, dataset);
  return data;
}

static inline void kit_close(struct kit *kit) {
  for (int i = 0; i < kit->n_data; i++)
    ssk_data_free(kit->data[i]);
  for (int i = 0; i < kit->n_instances; i++) {
    if (kit->instance[i])
      ssk_schema_instance_free(kit->instance[i]);
    ssk_tree_free(kit->tree[i]);
  }
  ssk_registry_free(kit->registry);
  ssk_arena_free(&kit->arena);
  ssk_err_free(kit->err);
}

#endif
