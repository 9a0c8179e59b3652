/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv_reader.h - comma-separated values, cell by cell, after RFC 4180.
 *
 * Cells may be quoted; within quotes a doubled quote stands for one, and delimiters and line ends
 * are text. Lines end in LF or CRLF, the last one need not. Blank lines are skipped. Positions are
 * those of the cell's first byte, for messages. */
#ifndef SSK_CSV_READER_H
#define SSK_CSV_READER_H

#include <sskit/files.h>
#include <stdlib.h>
#include <string.h>

#define CSV_LINE_SHOWN 160 /* longer lines are not shown in messages */

struct csv_reader {
  const char *file;
  char delimiter;
  char *data; /* the whole file, NUL behind it */
  size_t size, at;
  size_t line_start;
  int line;
  bool fresh;     /* the next cell begins a record */
  bool single;    /* records have one cell: a blank line is an empty one */
  char *cell;     /* the current cell, unquoted, NUL-terminated; has room for size + 1 */
  size_t length;  /* of it */
  size_t cell_at; /* where it begins */
  int cell_line;
  int cell_column;
  size_t cell_line_start;
  bool quoted;
  char shown[CSV_LINE_SHOWN + 1];
};

enum csv_token {
  CSV_CELL,      /* a cell, more follow in this record */
  CSV_LAST_CELL, /* the last cell of its record */
  CSV_END,       /* no more cells */
  CSV_BAD        /* malformed: described in err */
};

/* The current cell's place, with its source line. Valid until the next call. */
static struct ssk_pos csv_pos(struct csv_reader *r) {
  size_t begin = r->cell_line_start, end = begin;
  while (end < r->size && r->data[end] != '\n' && r->data[end] != '\r')
    end++;
  struct ssk_pos pos = {
      .file = r->file, .line = r->cell_line, .column = r->cell_column, .width = 1};
  if (end - begin <= CSV_LINE_SHOWN) {
    memcpy(r->shown, r->data + begin, end - begin);
    r->shown[end - begin] = '\0';
    pos.line_text = r->shown;
    size_t rest = end - begin + 1 - (size_t)r->cell_column, width = r->length + 2 * r->quoted;
    pos.width = (int)(width < rest ? width : rest);
    if (pos.width < 1)
      pos.width = 1;
  }
  return pos;
}

static void csv_close(struct csv_reader *r) {
  free(r->data);
  free(r->cell);
  r->data = r->cell = NULL;
}

/* Back to the beginning of the file. */
static void csv_rewind(struct csv_reader *r) {
  r->at = r->line_start = 0;
  r->line = 1;
  r->fresh = true;
}

static int csv_open(struct csv_reader *r, const char *file, char delimiter, ssk_err *err) {
  *r = (struct csv_reader){.file = file, .delimiter = delimiter, .line = 1, .fresh = true};
  int code = ssk_files_text(file, &r->data, &r->size, err);
  if (!code && !(r->cell = malloc(r->size + 1)))
    code = ssk_err_set(err, SSK_ENOMEM, "no memory to read '%s'", file);
  if (code) {
    csv_close(r);
    return code;
  }
  csv_rewind(r);
  return SSK_OK;
}

/* Where a cell begins, to come back to it. */
struct csv_place {
  size_t at;
  int line;
};

static struct csv_place csv_here(const struct csv_reader *r) {
  return (struct csv_place){.at = r->cell_at, .line = r->cell_line};
}

/* Step over a line end, if there is one here. */
static bool csv_line_end(struct csv_reader *r) {
  size_t at = r->at;
  if (at < r->size && r->data[at] == '\r')
    at++;
  if (at >= r->size || r->data[at] != '\n')
    return false;
  r->at = at + 1;
  r->line++;
  r->line_start = r->at;
  return true;
}

static enum csv_token csv_bad(struct csv_reader *r, ssk_err *err, const char *reason) {
  struct ssk_pos pos = csv_pos(r);
  ssk_err_at(err, SSK_EDATA, &pos, "%s", reason);
  return CSV_BAD;
}

/* What follows a cell: a delimiter, a line end, or the end of the file. */
static enum csv_token csv_after(struct csv_reader *r, ssk_err *err) {
  r->cell[r->length] = '\0';
  if (r->at >= r->size || csv_line_end(r)) {
    r->fresh = true;
    return CSV_LAST_CELL;
  }
  if (r->data[r->at] == r->delimiter) {
    r->at++;
    return CSV_CELL;
  }
  return csv_bad(r, err,
                 r->quoted ? "text after the closing quote of a cell"
                           : "a carriage return inside a line");
}

/* Step over the blank lines here: all, or, where one may be a record, those that end the file. */
static void csv_skip_blank(struct csv_reader *r) {
  if (r->single && strspn(r->data + r->at, "\r\n") < r->size - r->at)
    return;
  while (r->at < r->size && csv_line_end(r))
    ;
}

/* Read the next cell into r->cell. */
static enum csv_token csv_next(struct csv_reader *r, ssk_err *err) {
  if (r->fresh) {
    csv_skip_blank(r);
    if (r->at >= r->size)
      return CSV_END;
    r->fresh = false;
  }
  r->cell_at = r->at;
  r->cell_line = r->line;
  r->cell_line_start = r->line_start;
  r->cell_column = (int)(r->at - r->line_start) + 1;
  r->length = 0;
  r->quoted = r->data[r->at] == '"';
  if (!r->quoted) {
    while (r->at < r->size) {
      char c = r->data[r->at];
      if (c == r->delimiter || c == '\n' || c == '\r')
        break;
      r->cell[r->length++] = c;
      r->at++;
      if (c == '\0' || c == '"') {
        r->cell[r->length] = '\0';
        return csv_bad(r, err,
                       c ? "a quote inside a cell that does not begin with one"
                         : "a NUL byte: this is not a text file");
      }
    }
    return csv_after(r, err);
  }
  for (r->at++; r->at < r->size; r->at++) {
    char c = r->data[r->at];
    if (c == '"') {
      if (r->data[r->at + 1] != '"') {
        r->at++;
        return csv_after(r, err);
      }
      r->at++;
    }
    if (c == '\n') {
      r->line++;
      r->line_start = r->at + 1;
    }
    r->cell[r->length++] = c;
  }
  r->cell[r->length] = '\0';
  return csv_bad(r, err, "the quote of this cell is never closed");
}

/* Read a cell again that was read before; its text. */
static const char *csv_again(struct csv_reader *r, struct csv_place place) {
  r->at = r->line_start = place.at;
  while (r->line_start > 0 && r->data[r->line_start - 1] != '\n')
    r->line_start--;
  r->line = place.line;
  r->fresh = false;
  csv_next(r, NULL);
  return r->cell;
}

#endif
