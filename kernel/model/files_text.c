/* SPDX-License-Identifier: GPL-3.0-or-later */
/* files_text.c - what readers of text share: whole files, packed or not, and the numbers in them.
 */
#include "core/text.h"
#include <errno.h>
#include <math.h>
#include <sskit/files.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

bool ssk_files_number(const char *text, double *value) {
  char *end;
  text += strspn(text, " \t");
  size_t n = strspn(text, "+-.0123456789eE");
  if (n == 0 || text[n + strspn(text + n, " \t")] != '\0')
    return false;
  *value = strtod(text, &end);
  return end == text + n && isfinite(*value);
}

bool ssk_files_comma_number(const char *text) {
  static const char digits[] = "0123456789";
  text += strspn(text, " \t");
  text += *text == '-' || *text == '+';
  int commas = 0;
  bool thousands = true; /* three digits behind each comma */
  for (char mark = '\0';; mark = *text++) {
    const size_t n = strspn(text, digits);
    if (n == 0)
      return false;
    thousands = thousands && (mark != ',' || n == 3);
    commas += mark == ',';
    text += n;
    if (*text != ',' && *text != '.')
      break;
  }
  if ((*text == 'e' || *text == 'E') && text[1 + strspn(text + 1, "+-")])
    text += 1 + strspn(text + 1, "+-0123456789");
  return text[strspn(text, " \t")] == '\0' && (commas == 1 || (commas > 1 && thousands));
}

bool ssk_files_missing(const struct ssk_files *files, const char *text) {
  double value, sentinel;
  text += strspn(text, " \t");
  for (int i = 0; i < files->missing.n; i++) {
    const char *item = files->missing.items[i];
    if (strcmp(text, item) == 0 ||
        (ssk_files_number(item, &sentinel) && ssk_files_number(text, &value) && value == sentinel))
      return true;
  }
  return false;
}

int ssk_files_no_column(const struct ssk_pos *pos, const char *name, const char *key,
                        const char *const *columns, int n, ssk_err *err) {
  struct ssk_nearest nearest = {.wanted = name};
  char list[400] = "";
  size_t used = 0;
  for (int i = 0; i < n; i++) {
    ssk_nearest_offer(&nearest, columns[i]);
    if (used < sizeof list)
      used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", columns[i]);
  }
  ssk_err_at(err, SSK_EDATA, pos, key ? "there is no column '%s' (%s)" : "there is no column '%s'",
             name, key);
  if (nearest.best)
    ssk_err_hint(err, "did you mean '%s'? The columns are %s", nearest.best, list);
  else
    ssk_err_hint(err, "the columns are %s", list);
  return SSK_EDATA;
}

int ssk_files_text(const char *path, char **data, size_t *size, ssk_err *err) {
  enum { piece = 1 << 16 };
  *data = NULL;
  *size = 0;
  gzFile file = gzopen(path, "rb"); /* what is not packed is read as it is */
  if (!file)
    return ssk_err_set(err, SSK_EIO, "cannot read '%s': %s", path, strerror(errno));
  size_t room = 0;
  int code = SSK_OK, got = 1, status = Z_OK;
  gzbuffer(file, 2 * piece);
  while (!code && got > 0) {
    if (room - *size < piece) {
      char *grown = realloc(*data, room = 2 * room + piece);
      if (!grown) {
        code = ssk_err_set(err, SSK_ENOMEM, "no memory to read '%s'", path);
        break;
      }
      *data = grown;
    }
    if ((got = gzread(file, *data + *size, piece - 1)) > 0)
      *size += (size_t)got;
  }
  const char *reason = gzerror(file, &status);
  if (!code && status == Z_ERRNO)
    code = ssk_err_set(err, SSK_EIO, "cannot read '%s': %s", path, strerror(errno));
  else if (!code && status != Z_OK)
    code = ssk_err_set(err, SSK_EDATA, "'%s' is damaged: %s", path, reason);
  gzclose(file);
  if (code) {
    free(*data);
    *data = NULL;
    return code;
  }
  if (*size >= 3 && memcmp(*data, "\xEF\xBB\xBF", 3) == 0)
    memmove(*data, *data + 3, *size -= 3);
  (*data)[*size] = '\0';
  return SSK_OK;
}
