/* SPDX-License-Identifier: GPL-3.0-or-later */
/* environment.c - environment.json. Informative: nothing that is read back from it changes what is
 * computed. */
#include "report/environment.h"

#include "core/file.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/text.h"
#include "report/plugin_code.h"
#include "tensor/gemm_jit.h"
#include <cblas.h>
#include <gnu/libc-version.h>
#include <gsl/gsl_version.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <yaml.h>

static const size_t plugin_limit = (size_t)1 << 28;

static json_t *hash_text(uint64_t hash) {
  return json_sprintf("%016" PRIx64, hash);
}

json_t *ssk_environment_libraries(void) {
  char mpi[64];
  const bool with_mpi = ssk_ranks_library(mpi, sizeof mpi);
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s, s:s?}", "sskit", SSK_KERNEL_VERSION,
                   "gsl", gsl_version, "libyaml", yaml_get_version_string(), "jansson",
                   jansson_version_str(), "openblas", openblas_get_config(), "openblas_core",
                   openblas_get_corename(), "libxsmm", ssk_gemm_jit_name(), "libc",
                   gnu_get_libc_version(), "mpi", with_mpi ? mpi : NULL);
}

/* The processor's name as Linux tells it; null elsewhere. */
json_t *ssk_environment_processor(void) {
  json_t *name = NULL;
  FILE *info = fopen("/proc/cpuinfo", "r");
  char line[512];
  while (info && !name && fgets(line, sizeof line, info)) {
    const char *colon = strchr(line, ':');
    if (!colon || strncmp(line, "model name", 10) != 0)
      continue;
    colon += 1 + strspn(colon + 1, " \t");
    name = json_stringn(colon, strcspn(colon, "\n"));
  }
  if (info)
    fclose(info);
  return name ? name : json_null();
}

static json_t *machine(int threads, const struct ssk_ranks *ranks) {
  struct utsname system;
  const bool known = uname(&system) == 0;
  return json_pack("{s:o, s:I, s:i, s:i, s:s, s:s, s:s}", "processor", ssk_environment_processor(),
                   "processors_online", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "ranks",
                   ssk_ranks_count(ranks), "threads", threads, "system",
                   known ? system.sysname : "", "release", known ? system.release : "",
                   "architecture", known ? system.machine : "");
}

static json_t *plugin_hash(const char *file) {
  char *bytes;
  size_t size;
  if (ssk_file_read(file, plugin_limit, &bytes, &size, NULL))
    return json_null();
  json_t *hash = hash_text(ssk_hash(0, bytes, size));
  free(bytes);
  return hash;
}

static json_t *full_name(const struct ssk_component *component) {
  return json_sprintf("%s %s", ssk_kind_name(component->kind), component->name);
}

/* What stays the same when the plugin is built again; null: not known. */
static json_t *plugin_code(const char *file) {
  uint64_t hash;
  return ssk_plugin_code(file, &hash) ? hash_text(hash) : json_null();
}

/* {file: {hash, code, components}} of every plugin that was loaded. */
static json_t *plugins(const struct ssk_registry *registry) {
  json_t *all = json_object();
  const struct ssk_component *component;
  const char *file;
  for (int i = 0; registry && (component = ssk_registry_at(registry, i, &file)); i++) {
    json_t *entry = json_object_get(all, file);
    if (!entry) {
      json_object_set_new(all, file,
                          json_pack("{s:o, s:o, s:[]}", "hash", plugin_hash(file), "code",
                                    plugin_code(file), "components"));
      entry = json_object_get(all, file);
    }
    json_array_append_new(json_object_get(entry, "components"), full_name(component));
  }
  return all;
}

char *ssk_environment_text(const struct ssk_data *data, const struct ssk_registry *registry,
                           int threads, const struct ssk_ranks *ranks) {
  char now[32];
  const time_t seconds = time(NULL);
  struct tm utc;
  gmtime_r(&seconds, &utc);
  strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &utc);
  json_t *all =
      json_pack("{s:s, s:o, s:i, s:i, s:s, s:o, s:o, s:o}", "time_started", now, "libraries",
                ssk_environment_libraries(), "abi", (int)SSK_ABI, "real_size",
                (int)sizeof(ssk_real), "compiler", __VERSION__, "machine", machine(threads, ranks),
                "data_fingerprint", hash_text(data->fingerprint), "plugins", plugins(registry));
  char *text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
  json_decref(all);
  return text;
}

/* ---- what has changed since -------------------------------------------------------------------
 */

static bool has(const json_t *plugin, const char *component) {
  const json_t *components = json_object_get(plugin, "components");
  for (size_t i = 0; i < json_array_size(components); i++) {
    const char *name = json_string_value(json_array_get(components, i));
    if (name && strcmp(name, component) == 0)
      return true;
  }
  return false;
}

/* The code of the plugin that had a component of that full name; NULL: not told. The file may have
 * been another. */
static const char *code_of(json_t *plugins, const char *component) {
  for (void *i = json_object_iter(plugins); i; i = json_object_iter_next(plugins, i))
    if (has(json_object_iter_value(i), component))
      return json_string_value(json_object_get(json_object_iter_value(i), "code"));
  return NULL;
}

void ssk_environment_compare(const char *folder, const struct ssk_registry *registry) {
  char *path = ssk_path_join(folder, "environment.json");
  json_t *told = path ? json_load_file(path, 0, NULL) : NULL;
  json_t *then = json_object_get(told, "plugins");
  struct ssk_text changed = {0};
  const struct ssk_component *component;
  const char *file;
  for (int i = 0; then && registry && (component = ssk_registry_at(registry, i, &file)); i++) {
    json_t *name = full_name(component), *now = plugin_code(file);
    const char *was = name ? code_of(then, json_string_value(name)) : NULL;
    if (was && json_is_string(now) && strcmp(was, json_string_value(now)) != 0)
      ssk_text_printf(&changed, "%s%s", changed.length ? ", " : "", json_string_value(name));
    json_decref(name);
    json_decref(now);
  }
  if (changed.length)
    ssk_say(SSK_LOG_WARNING, "plugins have changed since '%s' was trained: %s", folder,
            changed.data);
  ssk_text_free(&changed);
  json_decref(told);
  free(path);
}
