/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry.h - the plugins that were found, and their components by kind and name.
 *
 * Search order: folders added by the caller (--plugin-dir), SSKIT_PLUGIN_PATH, the installed
 * folder; never the working folder. A folder or file that group or others may write is refused. A
 * plugin that cannot be loaded is remembered with its reason, and is an error only for a recipe
 * that names a component which is not found elsewhere; two components of one kind and name are an
 * error naming both files, for the recipe that uses the name. */
#ifndef SSK_REGISTRY_H
#define SSK_REGISTRY_H

#include "recipe/schema.h"
#include <sskit/plugin.h>

struct ssk_registry;

/* ssk_kind_name and ssk_kind_by_name are in recipe/schema.h (kernel/recipe/kind.c). */

struct ssk_registry *ssk_registry_new(ssk_err *err);
void ssk_registry_free(struct ssk_registry *registry); /* plugins stay loaded */
/* The *.so of a folder and of its folders of kinds, in name order: FOLDER/FILE.so is loaded,
 * FOLDER/KIND/NAME.so only when the component is asked for. A folder that does not exist or is
 * unsafe is an error; broken plugins are not (see above). */
int ssk_registry_add_folder(struct ssk_registry *registry, const char *folder, ssk_err *err);
/* Load one file; here a broken plugin is an error. */
int ssk_registry_add_file(struct ssk_registry *registry, const char *file, ssk_err *err);
/* SSKIT_PLUGIN_PATH (colon-separated), then the installed folder where it exists; SSKIT_PLUGIN_DIR
 * in the environment replaces the installed folder (empty: there is none), so that an uninstalled
 * build does not meet the plugins of an installed one. */
int ssk_registry_add_default(struct ssk_registry *registry, ssk_err *err);

/* Load what was found and not asked for yet, for those who want to see everything. */
int ssk_registry_open_all(struct ssk_registry *registry, ssk_err *err);
/* All components that were loaded, sorted by kind and name: i from 0; NULL at the end. *file says
 * where from. */
const struct ssk_component *ssk_registry_at(const struct ssk_registry *registry, int i,
                                            const char **file);
/* All refused plugins: file and reason; false at the end. */
bool ssk_registry_refused(const struct ssk_registry *registry, int i, const char **file,
                          const char **reason);
/* Lookup, which opens what it has to; pos may be NULL. */
const struct ssk_component *ssk_registry_find(struct ssk_registry *registry, enum ssk_kind kind,
                                              const char *name, const struct ssk_pos *pos,
                                              ssk_err *err);
/* Say why there is no such component (kind SSK_KIND_COUNT: of any kind), with the refused plugin
 * that may have carried it, or the nearest name, as hint; returns SSK_EPLUGIN. Knows what was
 * loaded: open all before. */
int ssk_registry_explain_missing(const struct ssk_registry *registry, enum ssk_kind kind,
                                 const char *name, const struct ssk_pos *pos, ssk_err *err);
/* For the schema. */
struct ssk_maker ssk_registry_maker(struct ssk_registry *registry);

/* The contract that is checked at load: sizes, names, rows, required slots of the kind. SSK_OK, or
 * a code with one diagnostic. */
int ssk_contract_check(const struct ssk_component *component, ssk_err *err);
/* The part of it that concerns the name of a component; `kind` is for the message. */
int ssk_contract_name(const char *name, const char *kind, ssk_err *err);

#endif
