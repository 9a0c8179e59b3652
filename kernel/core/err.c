/* SPDX-License-Identifier: GPL-3.0-or-later */
/* err.c - collected diagnostics with their place in a text file.
 *
 * A diagnostic copies what it keeps. Of the source line it keeps a window around the place, so that
 * a line of a megabyte costs no more than a short one. Recipes and data may hold anything: control
 * characters are replaced before they reach a terminal. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* asprintf */
#endif
#include "core/err_place.h"
#include "core/text.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 90 /* bytes of a long source line that are shown */
#define BEFORE 40 /* of them before the place */

struct diagnostic {
  int code;
  char *message; /* NULL: there was no memory for it */
  char *hint;
  bool placed;
  char *file;
  int line, column;
  char *excerpt; /* window of the source line, or NULL */
  int start;     /* bytes of the excerpt before the caret run */
  int width;     /* bytes of the caret run */
};

struct ssk_err {
  int count; /* added; the first min(count, SSK_ERR_MAX) are kept */
  struct diagnostic kept[SSK_ERR_MAX];
};

/* The latest diagnostic, or NULL when there is none or it was only counted. */
static struct diagnostic *latest(ssk_err *err) {
  return err && err->count > 0 && err->count <= SSK_ERR_MAX ? &err->kept[err->count - 1] : NULL;
}

static bool is_continuation(char c) {
  return ((unsigned char)c & 0xc0) == 0x80;
}

/* One line of text that no terminal misunderstands. Tabs stay: carets are aligned by them. */
static void make_printable(char *text) {
  if (!text)
    return;
  for (char *c = text; *c; c++)
    if (*c == '\n' || *c == '\r')
      *c = ' ';
  size_t length = strlen(text), from = 0, bad;
  while (ssk_text_check(text + from, length - from, &bad) != SSK_TEXT_CLEAN) {
    text[from + bad] = '?';
    from += bad + 1;
  }
}

SSK_PRINTF(1, 0) static char *format_text(const char *format, va_list args) {
  char *text = NULL;
  if (vasprintf(&text, format, args) < 0)
    return NULL;
  make_printable(text);
  return text;
}

/* Keep `n` bytes of a line from `from` on, with dots where something was cut. */
static char *cut_window(const char *line, size_t length, size_t from, size_t n, int *shift) {
  char *window = NULL;
  const char *head = from > 0 ? "..." : "";
  const char *tail = from + n < length ? "..." : "";
  if (asprintf(&window, "%s%.*s%s", head, (int)n, line + from, tail) < 0)
    return NULL;
  make_printable(window);
  *shift = (int)strlen(head) - (int)from;
  return window;
}

static void set_place(struct diagnostic *d, const struct ssk_pos *pos) {
  d->placed = true;
  d->file = strdup(pos->file);
  make_printable(d->file);
  d->line = pos->line;
  d->column = pos->column;
  if (!pos->line_text || pos->line < 1 || pos->column < 1)
    return;
  size_t length = strlen(pos->line_text), place = (size_t)pos->column - 1, from = 0;
  if (place > length)
    place = length;
  size_t n = length;
  if (length > WINDOW) {
    from = place > BEFORE ? place - BEFORE : 0;
    while (from > 0 && is_continuation(pos->line_text[from]))
      from--;
    n = length - from < WINDOW ? length - from : WINDOW;
    while (from + n < length && is_continuation(pos->line_text[from + n]))
      n++;
  }
  int shift = 0;
  d->excerpt = cut_window(pos->line_text, length, from, n, &shift);
  d->start = (int)place + shift;
  size_t width = pos->width > 0 ? (size_t)pos->width : 1, shown = from + n - place;
  d->width = (int)(width < shown ? width : shown);
}

static void free_diagnostic(struct diagnostic *d) {
  free(d->message);
  free(d->hint);
  free(d->file);
  free(d->excerpt);
  *d = (struct diagnostic){0};
}

ssk_err *ssk_err_new(void) {
  return calloc(1, sizeof(ssk_err));
}

void ssk_err_clear(ssk_err *err) {
  if (!err)
    return;
  for (int i = 0; i < SSK_ERR_MAX; i++)
    free_diagnostic(&err->kept[i]);
  err->count = 0;
}

void ssk_err_free(ssk_err *err) {
  ssk_err_clear(err);
  free(err);
}

SSK_PRINTF(4, 0)
static int add(ssk_err *err, int code, const struct ssk_pos *pos, const char *format,
               va_list args) {
  if (!err)
    return code;
  err->count++;
  struct diagnostic *d = latest(err);
  if (d) {
    d->code = code;
    d->message = format_text(format, args);
    if (pos && pos->file)
      set_place(d, pos);
  }
  return code;
}

int ssk_err_set(ssk_err *err, int code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(err, code, NULL, format, args);
  va_end(args);
  return code;
}

int ssk_err_at(ssk_err *err, int code, const struct ssk_pos *pos, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add(err, code, pos, format, args);
  va_end(args);
  return code;
}

void ssk_err_hint(ssk_err *err, const char *format, ...) {
  struct diagnostic *d = latest(err);
  if (!d)
    return;
  va_list args;
  va_start(args, format);
  free(d->hint);
  d->hint = format_text(format, args);
  va_end(args);
}

void ssk_err_context(ssk_err *err, const char *format, ...) {
  struct diagnostic *d = latest(err);
  if (!d)
    return;
  va_list args;
  va_start(args, format);
  char *context = format_text(format, args), *joined = NULL;
  va_end(args);
  if (context && asprintf(&joined, "%s: %s", context, d->message ? d->message : "") >= 0) {
    free(d->message);
    d->message = joined;
  }
  free(context);
}

void ssk_err_place(ssk_err *err, int from, const struct ssk_pos *pos) {
  if (!err || !pos || !pos->file)
    return;
  for (int i = from < 0 ? 0 : from; i < err->count && i < SSK_ERR_MAX; i++)
    if (!err->kept[i].placed)
      set_place(&err->kept[i], pos);
}

static bool ends_with(const char *text, const char *end) {
  const size_t n = text ? strlen(text) : 0, m = end ? strlen(end) : 0;
  return m <= n && m > 0 && strcmp(text + n - m, end) == 0;
}

static char *copy_of(const char *text) {
  return text ? strdup(text) : NULL;
}

bool ssk_err_pass_on(ssk_err *err, const ssk_err *from, int i) {
  if (!err || !from || i < 0 || i >= from->count || i >= SSK_ERR_MAX)
    return false;
  const struct diagnostic *d = &from->kept[i];
  for (int k = 0; k < err->count && k < SSK_ERR_MAX; k++) {
    const struct diagnostic *own = &err->kept[k];
    const bool here = !d->placed || (own->line == d->line && own->column == d->column &&
                                     ssk_text_same(own->file, d->file));
    if (own->code == d->code && here && ends_with(own->message, d->message))
      return false;
  }
  err->count++;
  struct diagnostic *copy = latest(err);
  if (copy) {
    *copy = *d;
    copy->message = copy_of(d->message);
    copy->hint = copy_of(d->hint);
    copy->file = copy_of(d->file);
    copy->excerpt = copy_of(d->excerpt);
  }
  return true;
}

int ssk_err_code(const ssk_err *err) {
  return err && err->count > 0 ? err->kept[0].code : SSK_OK;
}

int ssk_err_count(const ssk_err *err) {
  return err ? err->count : 0;
}

const char *ssk_err_message(const ssk_err *err, int i) {
  if (!err || i < 0 || i >= err->count || i >= SSK_ERR_MAX)
    return "";
  return err->kept[i].message ? err->kept[i].message : "(no memory for the message)";
}

bool ssk_err_get(const ssk_err *err, int i, struct ssk_diagnostic *out) {
  if (!err || i < 0 || i >= err->count || i >= SSK_ERR_MAX)
    return false;
  const struct diagnostic *d = &err->kept[i];
  *out =
      (struct ssk_diagnostic){.code = d->code, .message = ssk_err_message(err, i), .hint = d->hint};
  if (d->placed)
    out->pos =
        (struct ssk_pos){.file = d->file ? d->file : "?", .line = d->line, .column = d->column};
  return true;
}

/* ---- printing ------------------------------------------------------------------------------- */

struct colours {
  const char *place, *error, *caret, *hint, *off;
};
static const struct colours plain = {"", "", "", "", ""};
static const struct colours ansi = {"\033[1m", "\033[1;31m", "\033[1;32m", "\033[1;36m", "\033[0m"};

/* The source line, and a caret run under it. Columns count bytes, the terminal counts characters.
 */
static void print_excerpt(const struct diagnostic *d, FILE *stream, const struct colours *c) {
  fprintf(stream, "%5d | %s\n      | ", d->line, d->excerpt);
  for (int i = 0; i < d->start; i++)
    if (!is_continuation(d->excerpt[i]))
      fputc(d->excerpt[i] == '\t' ? '\t' : ' ', stream);
  fputs(c->caret, stream);
  fputc('^', stream);
  for (int i = 1; i < d->width; i++)
    if (!is_continuation(d->excerpt[d->start + i]))
      fputc('~', stream);
  fprintf(stream, "%s\n", c->off);
}

static void print_one(const struct diagnostic *d, const char *message, FILE *stream,
                      const struct colours *c) {
  fputs(c->place, stream);
  if (!d->placed)
    fputs("sskit: ", stream);
  else if (d->line < 1)
    fprintf(stream, "%s: ", d->file ? d->file : "?");
  else
    fprintf(stream, "%s:%d:%d: ", d->file ? d->file : "?", d->line, d->column);
  fprintf(stream, "%s%serror: %s%s\n", c->off, c->error, c->off, message);
  if (d->excerpt)
    print_excerpt(d, stream, c);
  if (d->hint)
    fprintf(stream, "      = %shint:%s %s\n", c->hint, c->off, d->hint);
}

void ssk_err_print(const ssk_err *err, FILE *stream, bool colour) {
  if (!err || !stream)
    return;
  const struct colours *c = colour ? &ansi : &plain;
  for (int i = 0; i < err->count && i < SSK_ERR_MAX; i++)
    print_one(&err->kept[i], ssk_err_message(err, i), stream, c);
  if (err->count > SSK_ERR_MAX)
    fprintf(stream, "... and %d more\n", err->count - SSK_ERR_MAX);
}
