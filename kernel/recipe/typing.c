/* SPDX-License-Identifier: GPL-3.0-or-later */
/* typing.c - single values of a recipe: numbers, truth values, paths, and what a row expects.
 *
 * Typing is strict, because what YAML 1.1 guesses (yes, 0x10, 1_000, 010, nan) has surprised too
 * many: a value either is plainly of the type, or it is an error. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* get_current_dir_name */
#endif
#include "recipe/typing.h"
#include "recipe/schema.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXACT 9007199254740992.0 /* 2^53: doubles beyond do not hold every integer */

bool ssk_typing_int(const char *text, int64_t *value) {
  const char *digits = text + (*text == '+' || *text == '-');
  if (digits[0] == '0' && isdigit((unsigned char)digits[1]))
    return false; /* octal for some readers */
  if (*digits && !digits[strspn(digits, "0123456789")]) {
    errno = 0;
    *value = strtoll(text, NULL, 10);
    return errno == 0;
  }
  double number;
  if (!ssk_text_read_double(text, &number) || !(fabs(number) <= EXACT) || number != trunc(number))
    return false;
  *value = (int64_t)number;
  return true;
}

bool ssk_typing_bool(const char *text, bool *value) {
  *value = strcmp(text, "true") == 0;
  return *value || strcmp(text, "false") == 0;
}

/* ---- paths ---------------------------------------------------------------------------------- */

/* The value of the variable at the head of `text` ("$NAME" or "${NAME}"); *rest is what follows. */
static const char *environment(struct ssk_arena *arena, const char *text, const char **rest,
                               const char **reason) {
  bool braced = text[1] == '{';
  const char *name = text + 1 + braced;
  size_t n = 0;
  while (name[n] == '_' || isalpha((unsigned char)name[n]) ||
         (n > 0 && isdigit((unsigned char)name[n])))
    n++;
  if (n == 0 || (braced && name[n] != '}')) {
    *reason = "'$' must be followed by NAME or {NAME} of an environment variable";
    return NULL;
  }
  *rest = name + n + braced;
  char *copy = ssk_arena_printf(arena, "%.*s", (int)n, name);
  const char *value = copy ? getenv(copy) : NULL;
  if (value && *value)
    return value;
  *reason = ssk_arena_printf(arena, "environment variable %s is %s", copy ? copy : "",
                             value ? "empty" : "not set");
  return NULL;
}

/* Remove empty and "." segments; ".." stays, as it may lead through a symbolic link. */
static void tidy(char *path) {
  char *to = path;
  for (const char *from = path; *from;) {
    const char *segment = from + 1; /* from is at a slash */
    size_t n = strcspn(segment, "/");
    if (n > 0 && !(n == 1 && *segment == '.')) {
      *to = '/';
      memmove(to + 1, segment, n);
      to += n + 1;
    }
    from = segment + n;
  }
  if (to == path)
    *to++ = '/';
  *to = 0;
}

static char *make_absolute(struct ssk_arena *arena, const char *folder, const char *path) {
  if (*path == '/')
    return ssk_arena_strdup(arena, path);
  if (folder && *folder == '/')
    return ssk_arena_printf(arena, "%s/%s", folder, path);
  char *working = get_current_dir_name();
  char *absolute =
      working ? ssk_arena_printf(arena, "%s/%s/%s", working, folder ? folder : ".", path) : NULL;
  free(working);
  return absolute;
}

const char *ssk_typing_path(struct ssk_arena *arena, const char *text, const char *folder,
                            const char **reason) {
  if (!*text)
    return "";
  *reason = "no memory";
  const char *head = "", *rest = text;
  if (*text == '$' && !(head = environment(arena, text, &rest, reason)))
    return NULL;
  if (*text == '~' && (text[1] == '/' || !text[1])) {
    *reason = "'~' is not replaced in paths: write $HOME";
    return NULL;
  }
  const char *whole = ssk_arena_printf(arena, "%s%s", head, rest);
  char *path = whole ? make_absolute(arena, folder, whole) : NULL;
  if (!path || *path != '/') {
    *reason = "the working folder has no path";
    return NULL;
  }
  tidy(path);
  if (ssk_text_check(path, strlen(path), NULL) != SSK_TEXT_CLEAN) {
    *reason = "the path is not text in UTF-8";
    return NULL;
  }
  return path;
}

/* ---- what a row expects --------------------------------------------------------------------- */

static bool is_number(const struct ssk_param *row) {
  return row->type == SSK_T_INT || row->type == SSK_T_REAL || row->type == SSK_T_REALS;
}

/* The unit as words show it: "1" means dimensionless, and is nothing to say. */
static const char *unit_of(const struct ssk_param *row) {
  return row->unit && strcmp(row->unit, "1") != 0 ? row->unit : NULL;
}

/* Ints have no limit where the row gives one that an int64_t cannot break. */
static bool has_limit(const struct ssk_param *row, double limit) {
  return row->type == SSK_T_INT ? fabs(limit) < 9.2e18 : isfinite(limit);
}

/* A limit as a recipe would write it: integers in full. */
static const char *limit_text(const struct ssk_param *row, double limit, char buffer[32]) {
  if (row->type != SSK_T_INT || !(fabs(limit) < EXACT))
    return ssk_text_double(buffer, limit);
  snprintf(buffer, 32, "%lld", (long long)limit);
  return buffer;
}

void ssk_typing_range(const struct ssk_param *row, struct ssk_text *out) {
  char low[32], high[32];
  bool has_low = has_limit(row, row->min), has_high = has_limit(row, row->max);
  if (is_number(row) && (has_low || has_high))
    ssk_text_printf(out, "[%s, %s]", limit_text(row, has_low ? row->min : -INFINITY, low),
                    limit_text(row, has_high ? row->max : INFINITY, high));
  if (unit_of(row))
    ssk_text_printf(out, "%s%s", out->length ? " " : "", unit_of(row));
}

static void add_limits(const struct ssk_param *row, struct ssk_text *out) {
  char low[32], high[32];
  bool has_low = has_limit(row, row->min), has_high = has_limit(row, row->max);
  limit_text(row, row->min, low);
  limit_text(row, row->max, high);
  if (has_low && has_high)
    ssk_text_printf(out, " from %s to %s", low, high);
  else if (has_low)
    ssk_text_printf(out, ", at least %s", low);
  else if (has_high)
    ssk_text_printf(out, ", at most %s", high);
  if (unit_of(row))
    ssk_text_printf(out, " (%s)", unit_of(row));
}

void ssk_typing_expected(const struct ssk_param *row, struct ssk_text *out) {
  static const char *const words[] = {[SSK_T_BOOL] = "true or false",
                                      [SSK_T_INT] = "an integer",
                                      [SSK_T_REAL] = "a number",
                                      [SSK_T_STRING] = "a text",
                                      [SSK_T_PATH] = "a path",
                                      [SSK_T_ENUM] = "one of ",
                                      [SSK_T_REALS] = "a list of numbers",
                                      [SSK_T_STRINGS] = "a list of texts",
                                      [SSK_T_SECTION] = "a map of keys"};
  const char *kind = ssk_kind_name(row->kind);
  bool vowel = strchr("aeiou", *kind);
  if (row->type == SSK_T_COMPONENT)
    ssk_text_printf(out, "the name of %s %s, or {use: name, ...}", vowel ? "an" : "a", kind);
  else if (row->type == SSK_T_COMPONENTS)
    ssk_text_printf(out, "a list of %ss: names, or {use: name, ...}", kind);
  else
    ssk_text_add(out,
                 row->type == SSK_T_STRINGS && row->choices ? "a list out of " : words[row->type]);
  if (is_number(row))
    add_limits(row, out);
  for (int i = 0; row->choices && row->choices[i]; i++)
    ssk_text_printf(out, "%s%s", i ? ", " : "", row->choices[i]);
}
