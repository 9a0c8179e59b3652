/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry.c - the plugins that were found, and their components by kind and name.
 *
 * Components are kept sorted by kind, name and file, so that lists are the same on every machine
 * and components of one name stand side by side. Refused plugins are kept with the reason: it is
 * told to whoever asks for a component that they may have carried.
 *
 * KIND/NAME.so is opened when the component is asked for: a run uses a dozen of the components, and
 * opening all of them takes longer than the rest of its start. What is found does not depend on the
 * order of the questions, but for a component that two files carry of which one is named
 * otherwise. */
#include "registry/registry.h"
#include "core/arena.h"
#include "core/text.h"
#include "registry/load.h"
#include "registry/search.h"
#include <gsl/gsl_errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
  const struct ssk_component *component;
  const char *file;
};
struct refusal {
  const char *file, *reason;
};
struct seen {
  uint64_t device, inode;
};
struct expected {
  enum ssk_kind kind;
  const char *name, *file;
  bool opened;
};

struct ssk_registry {
  struct ssk_arena arena; /* file names and reasons */
  struct entry *entries;
  int n_entries;
  struct refusal *refusals;
  int n_refusals;
  struct seen *seen; /* files that were looked at: a file in two folders counts once */
  int n_seen;
  struct expected *expected; /* files that wait until their component is asked for */
  int n_expected;
};

struct ssk_registry *ssk_registry_new(ssk_err *err) {
  struct ssk_registry *registry = calloc(1, sizeof *registry);
  gsl_set_error_handler_off(); /* it would abort; here, and in plugins, calls are checked */
  if (!registry)
    ssk_err_set(err, SSK_ENOMEM, "no memory for the registry of plugins");
  return registry;
}

void ssk_registry_free(struct ssk_registry *registry) {
  if (!registry)
    return;
  ssk_arena_free(&registry->arena);
  free(registry->entries);
  free(registry->refusals);
  free(registry->seen);
  free(registry->expected);
  free(registry);
}

/* Room for one more item behind n; NULL without memory. */
static void *grow(void *items, int n, size_t item) {
  bool full = n == 0 || (n >= 8 && (n & (n - 1)) == 0);
  if (!full)
    return items;
  return realloc(items, item * (n == 0 ? 8 : 2 * (size_t)n));
}

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the registry of plugins");
}

/* ---- adding -----------------------------------------------------------------------------------
 */

static int compare_components(const struct ssk_component *a, enum ssk_kind kind, const char *name) {
  if (a->kind != kind)
    return a->kind < kind ? -1 : 1;
  return strcmp(a->name, name);
}

static int add_component(struct ssk_registry *registry, const struct ssk_component *component,
                         const char *file, ssk_err *err) {
  struct entry *entries = grow(registry->entries, registry->n_entries, sizeof *entries);
  if (!entries)
    return no_memory(err);
  registry->entries = entries;
  int i = registry->n_entries++;
  for (; i > 0; i--) {
    int order = compare_components(entries[i - 1].component, component->kind, component->name);
    if (order < 0 || (order == 0 && strcmp(entries[i - 1].file, file) <= 0))
      break;
    entries[i] = entries[i - 1];
  }
  entries[i] = (struct entry){component, file};
  return SSK_OK;
}

/* Whether the file was met before; if not, it is noted. */
static int note_file(struct ssk_registry *registry, struct seen file, bool *seen, ssk_err *err) {
  *seen = true;
  for (int i = 0; i < registry->n_seen; i++)
    if (registry->seen[i].device == file.device && registry->seen[i].inode == file.inode)
      return SSK_OK;
  *seen = false;
  struct seen *grown = grow(registry->seen, registry->n_seen, sizeof *grown);
  if (!grown)
    return no_memory(err);
  registry->seen = grown;
  grown[registry->n_seen++] = file;
  return SSK_OK;
}

static int load_file(struct ssk_registry *registry, const char *file, ssk_err *err) {
  struct seen identity;
  bool seen;
  int code = ssk_plugin_safe(file, false, &identity.device, &identity.inode, err);
  if (!code)
    code = note_file(registry, identity, &seen, err);
  if (code || seen)
    return code;
  const char *kept = ssk_arena_strdup(&registry->arena, file);
  if (!kept)
    return no_memory(err);
  const struct ssk_plugin *plugin;
  code = ssk_plugin_open(file, &plugin, err);
  for (uint32_t i = 0; !code && i < plugin->n_components; i++)
    code = add_component(registry, plugin->components[i], kept, err);
  return code;
}

int ssk_registry_add_file(struct ssk_registry *registry, const char *file, ssk_err *err) {
  int code = load_file(registry, file, err);
  if (code)
    ssk_err_context(err, "plugin '%s'", file);
  return code;
}

int ssk_registry_refuse(struct ssk_registry *registry, const char *file, const ssk_err *why,
                        ssk_err *err) {
  struct ssk_diagnostic first;
  struct refusal *grown = grow(registry->refusals, registry->n_refusals, sizeof *grown);
  if (!grown || !ssk_err_get(why, 0, &first))
    return no_memory(err);
  registry->refusals = grown;
  struct refusal refusal = {
      ssk_arena_strdup(&registry->arena, file),
      ssk_arena_printf(&registry->arena, first.hint ? "%s (%s)" : "%s", first.message, first.hint)};
  if (!refusal.file || !refusal.reason)
    return no_memory(err);
  grown[registry->n_refusals++] = refusal;
  return SSK_OK;
}

int ssk_registry_try_file(struct ssk_registry *registry, const char *file, ssk_err *err) {
  ssk_err *why = ssk_err_new();
  if (!why)
    return no_memory(err);
  int code = load_file(registry, file, why);
  if (code == SSK_ENOMEM)
    no_memory(err);
  else if (code)
    code = ssk_registry_refuse(registry, file, why, err);
  ssk_err_free(why);
  return code;
}

/* ---- opening when asked -----------------------------------------------------------------------
 */

int ssk_registry_expect(struct ssk_registry *registry, enum ssk_kind kind, const char *name,
                        const char *file, ssk_err *err) {
  struct expected *grown = grow(registry->expected, registry->n_expected, sizeof *grown);
  if (!grown)
    return no_memory(err);
  registry->expected = grown;
  struct expected expected = {kind, ssk_arena_strdup(&registry->arena, name),
                              ssk_arena_strdup(&registry->arena, file), false};
  if (!expected.name || !expected.file)
    return no_memory(err);
  grown[registry->n_expected++] = expected;
  return SSK_OK;
}

/* Open the files that should carry the component (all of them with SSK_KIND_COUNT). */
static int open_expected(struct ssk_registry *registry, enum ssk_kind kind, const char *name,
                         ssk_err *err) {
  int code = SSK_OK;
  for (int i = 0; !code && i < registry->n_expected; i++) {
    struct expected *expected = &registry->expected[i];
    const bool wanted =
        kind == SSK_KIND_COUNT || (expected->kind == kind && strcmp(expected->name, name) == 0);
    if (!wanted || expected->opened)
      continue;
    expected->opened = true;
    code = ssk_registry_try_file(registry, expected->file, err);
  }
  return code;
}

int ssk_registry_open_all(struct ssk_registry *registry, ssk_err *err) {
  return open_expected(registry, SSK_KIND_COUNT, NULL, err);
}

/* ---- asking -----------------------------------------------------------------------------------
 */

const struct ssk_component *ssk_registry_at(const struct ssk_registry *registry, int i,
                                            const char **file) {
  if (i < 0 || i >= registry->n_entries)
    return NULL;
  if (file)
    *file = registry->entries[i].file;
  return registry->entries[i].component;
}

bool ssk_registry_refused(const struct ssk_registry *registry, int i, const char **file,
                          const char **reason) {
  if (i < 0 || i >= registry->n_refusals)
    return false;
  *file = registry->refusals[i].file;
  *reason = registry->refusals[i].reason;
  return true;
}

/* What was refused and may have carried the component: a file whose name contains the component's,
 * or a folder of its kind (SSK_KIND_COUNT: of any). */
static const struct refusal *suspect(const struct ssk_registry *registry, enum ssk_kind kind,
                                     const char *name) {
  for (int i = 0; *name && i < registry->n_refusals; i++) {
    const char *slash = strrchr(registry->refusals[i].file, '/');
    const char *base = slash ? slash + 1 : registry->refusals[i].file;
    const int folder_of = ssk_kind_by_name(base);
    if (strstr(base, name) ||
        (folder_of >= 0 && (kind == SSK_KIND_COUNT || kind == (enum ssk_kind)folder_of)))
      return &registry->refusals[i];
  }
  return NULL;
}

/* "a transition", "an encoder" */
static const char *article(const char *noun) {
  return strchr("aeiou", *noun) ? "an" : "a";
}

int ssk_registry_explain_missing(const struct ssk_registry *registry, enum ssk_kind kind,
                                 const char *name, const struct ssk_pos *pos, ssk_err *err) {
  const bool any_kind = kind == SSK_KIND_COUNT;
  const char *noun = any_kind ? "component" : ssk_kind_name(kind), *other = NULL;
  const struct refusal *refused = suspect(registry, kind, name);
  struct ssk_nearest nearest = {.wanted = name};
  bool any = false;
  for (int i = 0; i < registry->n_entries; i++) {
    const struct ssk_component *component = registry->entries[i].component;
    if (any_kind || component->kind == kind) {
      any = true;
      ssk_nearest_offer(&nearest, component->name);
    } else if (strcmp(component->name, name) == 0) {
      other = ssk_kind_name(component->kind);
    }
  }
  ssk_err_at(err, SSK_EPLUGIN, pos, "there is no %s '%s'", noun, name);
  if (refused)
    ssk_err_hint(err, "'%s' was refused: %s", refused->file, refused->reason);
  else if (nearest.best)
    ssk_err_hint(err, "did you mean '%s'?", nearest.best);
  else if (other)
    ssk_err_hint(err, "'%s' is %s %s", name, article(other), other);
  else if (any)
    ssk_err_hint(err,
                 "'sskit list%s%s' shows what there is; --plugin-dir and SSKIT_PLUGIN_PATH name "
                 "folders of more plugins",
                 any_kind ? "" : " ", any_kind ? "" : noun);
  else
    ssk_err_hint(err, "no plugin provides %s %s: see --plugin-dir and SSKIT_PLUGIN_PATH",
                 article(noun), noun);
  return SSK_EPLUGIN;
}

/* The first entry of that kind and name, or NULL. */
static const struct entry *find_entry(const struct ssk_registry *registry, enum ssk_kind kind,
                                      const char *name) {
  for (int i = 0; i < registry->n_entries; i++)
    if (compare_components(registry->entries[i].component, kind, name) == 0)
      return &registry->entries[i];
  return NULL;
}

const struct ssk_component *ssk_registry_find(struct ssk_registry *registry, enum ssk_kind kind,
                                              const char *name, const struct ssk_pos *pos,
                                              ssk_err *err) {
  if (open_expected(registry, kind, name, err))
    return NULL;
  const struct entry *first = find_entry(registry, kind, name);
  if (!first) { /* a file of another name may carry it */
    if (ssk_registry_open_all(registry, err))
      return NULL;
    first = find_entry(registry, kind, name);
  }
  if (!first) {
    ssk_registry_explain_missing(registry, kind, name, pos, err);
    return NULL;
  }
  const struct entry *second = first + 1;
  if (second < registry->entries + registry->n_entries &&
      compare_components(second->component, kind, name) == 0) {
    ssk_err_at(err, SSK_EPLUGIN, pos, "two plugins provide the %s '%s': '%s' and '%s'",
               ssk_kind_name(kind), name, first->file, second->file);
    ssk_err_hint(err, "remove one of them, or leave out its folder");
    return NULL;
  }
  return first->component;
}

static const struct ssk_component *find_for_schema(void *state, enum ssk_kind kind,
                                                   const char *name, const struct ssk_pos *pos,
                                                   ssk_err *err) {
  return ssk_registry_find(state, kind, name, pos, err);
}

struct ssk_maker ssk_registry_maker(struct ssk_registry *registry) {
  return (struct ssk_maker){.state = registry, .find = find_for_schema};
}
