/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot.c - running gnuplot. */
#define _GNU_SOURCE /* posix_spawn_file_actions_addchdir_np */
#include "report/plot.h"
#include "core/file.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* What all figures have in common. */
static const char head[] = "set terminal svg size 720,400 dynamic noenhanced font 'sans-serif,15'\n"
                           "set output '%s.svg'\n"
                           "set border 3 linecolor rgb '#282828'\n"
                           "set tics nomirror textcolor rgb '#282828'\n"
                           "set key outside top left horizontal textcolor rgb '#282828'\n"
                           "set grid linecolor rgb '#dcdcdc' linetype 1 linewidth 0.5\n"
                           "set xlabel textcolor rgb '#282828'\n"
                           "set ylabel textcolor rgb '#282828'\n"
                           "set datafile separator '\\t'\n"
                           "set datafile missing 'nan'\n"
                           "data = '%s.tsv'\n";

/* Each colour in the light and in the dark: ink, lines, grey, and those of the curves. */
enum { GREY = 2, FIRST };
static const struct {
  int red, green, blue;
  const char *light, *dark;
} colours[] = {
    {40, 40, 40, "rgb '#282828'", "#e4e4e4"},    {220, 220, 220, "rgb '#dcdcdc'", "#444"},
    {110, 110, 110, "rgb '#6e6e6e'", "#a8a8a8"}, {31, 95, 165, "rgb '#1f5fa5'", "#7ab4f5"},
    {200, 90, 20, "rgb '#c85a14'", "#f5a35c"},   {30, 130, 76, "rgb '#1e824c'", "#6fd39b"},
    {120, 70, 150, "rgb '#784696'", "#cfa0ea"},  {160, 30, 70, "rgb '#a01e46'", "#f58aa8"}};
enum { n_colours = sizeof colours / sizeof colours[0] };
_Static_assert(n_colours - FIRST == SSK_PLOT_COLOURS, "plot.h says how many");

const char *ssk_plot_colour(int k) {
  return colours[k < 0 ? GREY : FIRST + k % SSK_PLOT_COLOURS].light;
}

void ssk_plot_quote(struct ssk_text *out, const char *text) {
  ssk_text_add(out, "\"");
  for (; *text; text++)
    ssk_text_printf(out, strchr("\"\\`", *text) ? "\\%c" : "%c", *text);
  ssk_text_add(out, "\"");
}

/* Rules that replace the colours in the dark, where an attribute of gnuplot's SVG has them. */
static void add_dark(struct ssk_text *out) {
  static const char *const parts[] = {"stroke", "fill", "color"};
  ssk_text_add(out, "<style>@media(prefers-color-scheme:dark){\n");
  for (int i = 0; i < n_colours; i++)
    for (int k = 0; k < 3; k++) /* the numbers are padded in some places, in others not */
      ssk_text_printf(out, "svg [%s=\"rgb(%3d, %3d, %3d)\"],svg [%s=\"rgb(%d,%d,%d)\"]{%s:%s}\n",
                      parts[k], colours[i].red, colours[i].green, colours[i].blue, parts[k],
                      colours[i].red, colours[i].green, colours[i].blue, parts[k], colours[i].dark);
  ssk_text_add(out, "}</style>\n");
}

struct ssk_plot *ssk_plots_add(struct ssk_plots *plots, const char *name, const char *title,
                               const char *note) {
  struct ssk_plot *grown = realloc(plots->items, ((size_t)plots->n + 1) * sizeof *plots->items);
  if (!grown)
    return NULL;
  plots->items = grown;
  struct ssk_plot *plot = &plots->items[plots->n++];
  *plot = (struct ssk_plot){0};
  snprintf(plot->name, sizeof plot->name, "%s", name);
  snprintf(plot->title, sizeof plot->title, "%s", title);
  snprintf(plot->note, sizeof plot->note, "%s", note);
  return plot;
}

static int write_part(const char *folder, const char *name, const char *ending,
                      const struct ssk_text *text, ssk_err *err) {
  char file[64];
  snprintf(file, sizeof file, "%s%s", name, ending);
  char *path = ssk_path_join(folder, file);
  int code = path && !text->failed
                 ? ssk_file_write(path, text->data ? text->data : "", text->length, err)
                 : ssk_err_set(err, SSK_ENOMEM, "no memory for the figure '%s'", name);
  free(path);
  return code;
}

static void remove_log(const char *folder, const char *name) {
  char *path = ssk_path_join(folder, name);
  if (path)
    unlink(path);
  free(path);
}

static int run_gnuplot(const char *folder, const char *name, ssk_err *err) {
  char program[] = "gnuplot", script[64], log[64];
  snprintf(script, sizeof script, "%s.gp", name);
  snprintf(log, sizeof log, "%s.log", name);
  char *argv[] = {program, script, NULL};
  posix_spawn_file_actions_t actions;
  pid_t child;
  int status = 0;
  if (posix_spawn_file_actions_init(&actions))
    return ssk_err_set(err, SSK_ENOMEM, "no memory to run gnuplot");
  int failed = posix_spawn_file_actions_addchdir_np(&actions, folder);
  if (!failed) /* what it warns of is for who asks */
    failed = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log,
                                              O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (!failed)
    failed = posix_spawnp(&child, program, &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) {
    remove_log(folder, log);
    ssk_err_set(err, SSK_EFAIL, "cannot run gnuplot: %s", strerror(failed));
    ssk_err_hint(err, "figures need gnuplot 5 (on Debian: apt-get install gnuplot-nox)");
    return SSK_EFAIL;
  }
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return ssk_err_set(err, SSK_EFAIL, "gnuplot was lost: %s", strerror(errno));
  if (!WIFEXITED(status) || WEXITSTATUS(status))
    return ssk_err_set(err, SSK_EFAIL, "gnuplot failed: '%s/%s' says why", folder, log);
  remove_log(folder, log);
  return SSK_OK;
}

/* Read gnuplot's SVG, give it its style, and write it again. */
static int finish_svg(struct ssk_plot *plot, const char *folder, ssk_err *err) {
  char file[64], *data = NULL;
  size_t size;
  snprintf(file, sizeof file, "%s.svg", plot->name);
  char *path = ssk_path_join(folder, file);
  int code = path ? ssk_file_read(path, (size_t)1 << 26, &data, &size, err)
                  : ssk_err_set(err, SSK_ENOMEM, "no memory for the figure '%s'", plot->name);
  free(path);
  if (code)
    return code;
  char *root = strstr(data, "<svg"), *inside = root ? strchr(root, '>') : NULL;
  if (inside) {
    ssk_text_printf(&plot->svg, "%.*s\n", (int)(inside + 1 - data), data);
    add_dark(&plot->svg);
    ssk_text_add(&plot->svg, inside + 1);
    code = write_part(folder, plot->name, ".svg", &plot->svg, err);
  } else {
    code = ssk_err_set(err, SSK_EFAIL, "gnuplot made no SVG of '%s/%s.gp'", folder, plot->name);
  }
  free(data);
  return code;
}

static int write_script(const struct ssk_plot *plot, const char *folder, ssk_err *err) {
  struct ssk_text script = {0};
  ssk_text_printf(&script, head, plot->name, plot->name);
  ssk_text_add(&script, plot->script.data ? plot->script.data : "");
  script.failed |= plot->script.failed;
  int code = write_part(folder, plot->name, ".tsv", &plot->data, err);
  if (!code)
    code = write_part(folder, plot->name, ".gp", &script, err);
  ssk_text_free(&script);
  return code;
}

static int draw(struct ssk_plot *plot, const char *folder, ssk_err *err) {
  int code = run_gnuplot(folder, plot->name, err);
  return code ? code : finish_svg(plot, folder, err);
}

int ssk_plots_draw(struct ssk_plots *plots, const char *folder, ssk_err *err) {
  int code = ssk_folder_make(folder, err);
  for (int i = 0; i < plots->n && !code; i++) /* they are there without gnuplot, too */
    code = write_script(&plots->items[i], folder, err);
  for (int i = 0; i < plots->n && !code; i++)
    code = draw(&plots->items[i], folder, err);
  return code;
}

void ssk_plots_free(struct ssk_plots *plots) {
  for (int i = 0; i < plots->n; i++) {
    ssk_text_free(&plots->items[i].data);
    ssk_text_free(&plots->items[i].script);
    ssk_text_free(&plots->items[i].svg);
  }
  free(plots->items);
  *plots = (struct ssk_plots){0};
}
