/* SPDX-License-Identifier: GPL-3.0-or-later */
/* doctor.c - sskit doctor: what this sskit runs on and with, and whether all of it works. */
#include "cli/cli.h"
#include "core/file.h"
#include "core/text.h"
#include "registry/registry.h"
#include "report/environment.h"
#include "report/self_test.h"
#include "tensor/gemm_jit.h"
#include <cblas.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct ssk_syntax syntax = {
    .doc = "Say what this sskit runs on and with, and test it: processor, libraries, matrix "
           "products, random numbers, functions, threads, plugins, data, gnuplot, and whether this "
           "folder can be written. For data, the recipes RECIPE, or those in and under DIR "
           "(default: the folder recipes, where there is one), are searched for files under "
           "$SSKIT_DATA. A line is ok, a warning (something that only some work needs is "
           "missing), or failed. The exit status is 1 if a line is failed, else 0.",
    .max_words = -1,
};

enum state { OK, WARNING, FAILED };
static const char *const states[] = {"ok", "warning", "failed"};

struct doctor {
  struct ssk_cli *cli;
  json_t *lines; /* with --json, else NULL */
  int failed;
};

static void say(struct doctor *d, const char *what, enum state state, const char *format, ...)
    SSK_PRINTF(4, 5);
static void say(struct doctor *d, const char *what, enum state state, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  d->failed += state == FAILED;
  if (d->lines)
    json_array_append_new(d->lines, json_pack("{s:s, s:s, s:s}", "check", what, "state",
                                              states[state], "detail", text));
  else if (!d->cli->quiet || state != OK)
    printf("%-8s  %-15s %s\n", states[state], what, text);
}

/* ---- machine and libraries ------------------------------------------------------------------- */

static void look_at_processor(struct doctor *d) {
  json_t *name = ssk_environment_processor();
  const char *text = json_is_string(name) ? json_string_value(name) : "of unknown name";
#if defined(__x86_64__)
  say(d, "processor", OK, "%s; functions use %s", text,
      __builtin_cpu_supports("avx512f")                                 ? "AVX-512"
      : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? "AVX2 with FMA"
                                                                        : "the base instructions");
#else
  say(d, "processor", OK, "%s", text);
#endif
  json_decref(name);
}

static void look_at_libraries(struct doctor *d) {
  json_t *libraries = ssk_environment_libraries(), *value;
  const char *key, *jit = ssk_gemm_jit_name();
  struct ssk_text text = {0};
  json_object_foreach(libraries, key, value) if (json_is_string(value))
      ssk_text_printf(&text, "%s%s %s", text.length ? ", " : "", key, json_string_value(value));
  say(d, "libraries", text.failed ? FAILED : OK, "%s; %s precision, plugin ABI %u",
      text.data ? text.data : "", sizeof(ssk_real) == 4 ? "single" : "double", SSK_ABI);
  ssk_text_free(&text);
  json_decref(libraries);
  if (jit)
    say(d, "libxsmm", OK, "products by code that it makes: %s", jit);
  else
    say(d, "libxsmm", WARNING, "a build without it: right, but slower");
}

/* OpenBLAS may not know a processor, or be told of another one by a virtual machine: then it falls
 * back to products by old instructions. With libxsmm, few are left to it. */
static void look_at_blas(struct doctor *d) {
  const char *core = openblas_get_corename();
  const double speed = ssk_blas_speed();
#if defined(__x86_64__)
  static const char *const old[] = {
      "Prescott",   "Core2",        "Penryn",    "Dunnington", "Nehalem", "Katmai",
      "Coppermine", "Northwood",    "Banias",    "Atom",       "Nano",    "Athlon",
      "Opteron",    "Opteron_SSE3", "Barcelona", "Bobcat",     "Generic"};
  bool slow = false;
  for (size_t i = 0; i < sizeof old / sizeof *old; i++)
    slow = slow || !strcasecmp(core, old[i]);
  if (slow && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    const bool wide = __builtin_cpu_supports("avx512f");
    char more[128];
    if (ssk_gemm_jit_name())
      snprintf(more, sizeof more, "Few products are left to it");
    else
      snprintf(
          more, sizeof more,
          "OPENBLAS_CORETYPE=%s in the environment helps; results then differ in the last bits",
          wide ? "SkylakeX" : "Haswell");
    say(d, "OpenBLAS", ssk_gemm_jit_name() ? OK : WARNING,
        "it takes this processor for a '%s' and makes no use of %s: %.3g GFLOP/s on one thread. %s",
        core, wide ? "AVX-512" : "AVX2", speed, more);
    return;
  }
#endif
  say(d, "OpenBLAS", OK, "products for '%s': %.3g GFLOP/s on one thread", core, speed);
}

static void test(struct doctor *d, const char *what, bool (*check)(char detail[SSK_DETAIL])) {
  char detail[SSK_DETAIL];
  const bool right = check(detail);
  say(d, what, right ? OK : FAILED, "%s", detail);
}

/* ---- plugins --------------------------------------------------------------------------------- */

static void look_at_plugins(struct doctor *d) {
  struct ssk_registry *registry = d->cli->registry;
  const struct ssk_component *component, *last = NULL;
  const char *file, *reason, *path = getenv("SSKIT_PLUGIN_PATH"), *own = getenv("SSKIT_PLUGIN_DIR");
  ssk_err *err = ssk_err_new();
  int n = 0;
  say(d, "plugin path", OK, "SSKIT_PLUGIN_PATH %s; installed: %s", path && *path ? path : "not set",
      own ? (*own ? own : "left out") : SSK_PLUGIN_DIR);
  if (ssk_registry_open_all(registry, err))
    say(d, "plugins", FAILED, "%s", ssk_err_message(err, 0));
  for (; (component = ssk_registry_at(registry, n, &file)); n++) {
    if (last && last->kind == component->kind && !strcmp(last->name, component->name))
      say(d, "plugin", WARNING, "two provide the %s '%s': the second is '%s'",
          ssk_kind_name(component->kind), component->name, file);
    last = component;
  }
  say(d, "plugins", n ? OK : FAILED, n ? "%d components are loaded" : "there are none (%d)", n);
  for (int i = 0; ssk_registry_refused(registry, i, &file, &reason); i++)
    say(d, "plugin", WARNING, "'%s' was refused: %s", file, reason);
  ssk_err_free(err);
}

/* ---- data ------------------------------------------------------------------------------------ */

struct found {
  const char *folder;
  int named, there;
  struct ssk_text missing, seen;
};

/* One file under the folder, which a recipe names. */
static void look_for(struct found *f, const char *file) {
  struct ssk_text item = {0};
  ssk_text_printf(&item, "|%s|", file);
  if (!item.failed && !(f->seen.data && strstr(f->seen.data, item.data))) {
    ssk_text_add(&f->seen, item.data);
    char *path = ssk_path_join(f->folder, file);
    const bool there = path && ssk_file_exists(path);
    free(path);
    f->named++;
    f->there += there;
    if (!there)
      ssk_text_printf(&f->missing, "%s%s", f->missing.length ? ", " : "", file);
  }
  ssk_text_free(&item);
}

/* The words of a recipe that begin with $SSKIT_DATA/ where a value stands, not in remarks. */
static void read_recipe(struct found *f, const char *path) {
  static const char *const begins[] = {"$SSKIT_DATA/", "${SSKIT_DATA}/"};
  char *text, *save = NULL;
  size_t size;
  if (ssk_file_read(path, (size_t)1 << 20, &text, &size, NULL))
    return;
  for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    line[strcspn(line, "#")] = 0;
    for (int i = 0; i < 2; i++) {
      char *at = strstr(line, begins[i]);
      if (!at || at == line || !strchr(" \"'{[,", at[-1]) || strstr(line, "source:"))
        continue;
      at += strlen(begins[i]);
      at[strcspn(at, " ,\"'}]\r")] = 0;
      look_for(f, at);
    }
  }
  free(text);
}

static void read_recipes(struct found *f, const char *path, int depth) {
  struct stat info;
  struct dirent **entries;
  if (stat(path, &info) != 0)
    return;
  if (!S_ISDIR(info.st_mode)) {
    const char *end = strrchr(path, '.');
    if (end && !strcmp(end, ".yaml"))
      read_recipe(f, path);
    return;
  }
  const int n = depth > 0 ? scandir(path, &entries, NULL, alphasort) : -1;
  for (int i = 0; i < n; i++) {
    char *inner = *entries[i]->d_name == '.' ? NULL : ssk_path_join(path, entries[i]->d_name);
    if (inner)
      read_recipes(f, inner, depth - 1);
    free(inner);
    free(entries[i]);
  }
  if (n >= 0)
    free(entries);
}

static void look_at_data(struct doctor *d) {
  struct found f = {.folder = getenv("SSKIT_DATA")};
  if (!f.folder || !*f.folder) {
    say(d, "data", WARNING, "SSKIT_DATA is not set: recipes on public series cannot be trained");
    return;
  }
  struct stat info;
  if (stat(f.folder, &info) != 0 || !S_ISDIR(info.st_mode)) {
    say(d, "data", WARNING, "SSKIT_DATA is '%s', which is no folder", f.folder);
    return;
  }
  for (int i = 0; i < d->cli->n_words; i++)
    read_recipes(&f, d->cli->words[i], 6);
  if (!d->cli->n_words)
    read_recipes(&f, "recipes", 6);
  if (!f.named)
    say(d, "data", OK, "SSKIT_DATA is '%s'; no recipe that names a file there was given", f.folder);
  else
    say(d, "data", f.missing.length ? WARNING : OK,
        "SSKIT_DATA is '%s'; %d of %d files that recipes name are there%s%s", f.folder, f.there,
        f.named, f.missing.length ? ", not " : "", f.missing.length ? f.missing.data : "");
  ssk_text_free(&f.missing);
  ssk_text_free(&f.seen);
}

/* ---- what else is needed --------------------------------------------------------------------- */

static void look_for_gnuplot(struct doctor *d) {
  FILE *pipe = popen("gnuplot --version 2>/dev/null", "r");
  char version[128] = "";
  if (pipe && !fgets(version, sizeof version, pipe))
    version[0] = 0;
  const bool there = pipe && pclose(pipe) == 0 && *version;
  version[strcspn(version, "\n")] = 0;
  say(d, "gnuplot", there ? OK : WARNING, "%s",
      there ? version
            : "not found: 'sskit plot' needs it (on Debian: apt-get install gnuplot-nox)");
}

/* A file is made and removed again. */
static void try_to_write(struct doctor *d) {
  char name[] = ".sskit-doctor.XXXXXX";
  char here[512];
  const int fd = mkstemp(name);
  if (!getcwd(here, sizeof here))
    snprintf(here, sizeof here, "this folder");
  if (fd < 0)
    say(d, "this folder", WARNING, "'%s' cannot be written (%s): name another for runs by -o", here,
        strerror(errno));
  else
    say(d, "this folder", OK, "'%s' can be written", here);
  if (fd >= 0) {
    close(fd);
    unlink(name);
  }
}

int ssk_verb_doctor(struct ssk_cli *cli, int argc, char **argv) {
  int code = ssk_cli_parse(cli, &syntax, NULL, argc, argv);
  if (code)
    return code;
  for (int i = 0; i < cli->n_words; i++)
    if (!ssk_file_exists(cli->words[i]))
      return ssk_err_set(cli->err, SSK_EIO, "there is no '%s'", cli->words[i]);
  struct doctor d = {.cli = cli, .lines = cli->json ? json_array() : NULL};
  look_at_processor(&d);
  look_at_libraries(&d);
  look_at_blas(&d);
  test(&d, "products", ssk_test_products);
  test(&d, "random numbers", ssk_test_random);
  test(&d, "functions", ssk_test_functions);
  test(&d, "threads", ssk_test_threads);
  look_at_plugins(&d);
  look_at_data(&d);
  look_for_gnuplot(&d);
  try_to_write(&d);
  if (d.lines)
    code = ssk_cli_print_json(cli, d.lines);
  if (!code && d.failed)
    code = ssk_err_set(cli->err, SSK_EFAIL, "%d of the checks failed", d.failed);
  return code;
}
