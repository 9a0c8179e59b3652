/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/format.h"
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const names[] = {[SSK_FORMAT_CSV] = "csv",
                                    [SSK_FORMAT_JSON] = "json",
                                    [SSK_FORMAT_JSONL] = "jsonl",
                                    [SSK_FORMAT_NPZ] = "npz"};
enum { N = sizeof names / sizeof names[0], NONE = -1 };

static bool is_json(int format) {
  return format == SSK_FORMAT_JSON || format == SSK_FORMAT_JSONL;
}

/* The i-th of "csv|json|npz"; NONE behind the last. */
static int at(const char *formats, int i) {
  for (; i > 0 && *formats; i--) {
    formats += strcspn(formats, "|");
    formats += *formats == '|';
  }
  const size_t length = strcspn(formats, "|");
  for (int k = 0; k < N; k++)
    if (length && strlen(names[k]) == length && strncmp(names[k], formats, length) == 0)
      return k;
  return NONE;
}

/* The format of that name, of any verb. */
static int named(const char *name) {
  for (int k = 0; k < N; k++)
    if (strcasecmp(names[k], name) == 0)
      return k;
  return NONE;
}

/* Which of `formats` has that name. */
static int find(const char *formats, const char *name) {
  const int wanted = named(name);
  for (int i = 0, format; (format = at(formats, i)) != NONE; i++)
    if (format == wanted)
      return format;
  return NONE;
}

static int first_json(const char *formats) {
  int i = 0;
  while (at(formats, i) != NONE && !is_json(at(formats, i)))
    i++;
  return at(formats, i);
}

/* What a file is called behind the last dot of its name; NULL: without one. */
static const char *ending_of(const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  const char *dot = strrchr(name, '.');
  return dot && dot > name ? dot + 1 : NULL;
}

static int contradiction(struct ssk_cli *cli, const char *option, const char *other) {
  ssk_err_set(cli->err, SSK_EUSAGE, "%s contradicts %s", option, other);
  ssk_err_hint(cli->err, "leave one of them out");
  return SSK_EUSAGE;
}

/* Neither --format nor the ending names one of them. */
static int no_format(struct ssk_cli *cli, const char *formats, const char *before) {
  struct ssk_text list = {0};
  for (int i = 0; at(formats, i) != NONE; i++)
    ssk_text_printf(&list, "%s%s%s",
                    i == 0                       ? ""
                    : at(formats, i + 1) == NONE ? " or "
                                                 : ", ",
                    before, names[at(formats, i)]);
  if (!*before) {
    ssk_err_set(cli->err, SSK_EUSAGE, "--format is %s, not '%s'", list.data ? list.data : "?",
                cli->format_wanted);
  } else {
    ssk_err_set(cli->err, SSK_EUSAGE,
                "the ending of '%s' names no format that is written here; it can be %s",
                cli->output, list.data ? list.data : "?");
    ssk_err_hint(cli->err, "--format says what is written to a file of any name");
  }
  ssk_text_free(&list);
  return SSK_EUSAGE;
}

int ssk_format_settle(struct ssk_cli *cli, const char *formats) {
  const char *ending = cli->output ? ending_of(cli->output) : NULL;
  char file[300], option[32];
  int format = cli->format_wanted ? find(formats, cli->format_wanted) : NONE;
  const bool by_option = format != NONE;
  snprintf(option, sizeof option, "--format %.16s", by_option ? names[format] : "");
  snprintf(file, sizeof file, "the ending of '%.256s'", cli->output ? cli->output : "");
  if (cli->format_wanted && !by_option)
    return no_format(cli, formats, "");
  if (by_option && ending && named(ending) != NONE && named(ending) != format)
    return contradiction(cli, option, file);
  if (!by_option && ending && (format = find(formats, ending)) == NONE)
    return no_format(cli, formats, ".");
  if (cli->json && format != NONE && !is_json(format))
    return contradiction(cli, "--json", by_option ? option : file);
  if (format == NONE)
    format = cli->json ? first_json(formats) : at(formats, 0);
  if (format == SSK_FORMAT_NPZ && !cli->output)
    return ssk_err_set(cli->err, SSK_EUSAGE, "npz needs a file: --output");
  cli->format = (enum ssk_format)format;
  return SSK_OK;
}

void ssk_format_line(struct ssk_text *text, json_t *object) {
  char *line = object ? json_dumps(object, JSON_COMPACT | SSK_FORMAT_DIGITS) : NULL;
  text->failed |= !line;
  ssk_text_add(text, line ? line : "");
  ssk_text_add(text, "\n");
  free(line);
  json_decref(object);
}
