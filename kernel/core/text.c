/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text.c - growing strings, numbers as text independent of the locale, UTF-8, nearest names. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* vasprintf, strtod_l */
#endif
#include "core/text.h"
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- growing strings ------------------------------------------------------------------------ */

static bool reserve(struct ssk_text *text, size_t more) {
  size_t needed = text->length + more + 1;
  if (text->failed || needed <= text->capacity)
    return !text->failed;
  size_t capacity = text->capacity ? text->capacity : 64;
  while (capacity < needed)
    capacity *= 2;
  char *data = realloc(text->data, capacity);
  if (!data) {
    text->failed = true;
    return false;
  }
  text->data = data;
  text->capacity = capacity;
  return true;
}

void ssk_text_add(struct ssk_text *text, const char *piece) {
  size_t n = strlen(piece);
  if (!reserve(text, n))
    return;
  memcpy(text->data + text->length, piece, n + 1);
  text->length += n;
}

void ssk_text_printf(struct ssk_text *text, const char *format, ...) {
  char *piece = NULL;
  va_list args;
  va_start(args, format);
  int n = vasprintf(&piece, format, args);
  va_end(args);
  if (n < 0) {
    text->failed = true;
    return;
  }
  ssk_text_add(text, piece);
  free(piece);
}

void ssk_text_quote(struct ssk_text *text, const char *cell) {
  ssk_text_add(text, "\"");
  for (; *cell; cell++)
    ssk_text_printf(text, *cell == '"' ? "\"%c" : "%c", *cell);
  ssk_text_add(text, "\"");
}

void ssk_text_cell(struct ssk_text *text, const char *cell) {
  if (strpbrk(cell, ",\"\r\n"))
    ssk_text_quote(text, cell);
  else
    ssk_text_add(text, cell);
}

void ssk_text_free(struct ssk_text *text) {
  free(text->data);
  *text = (struct ssk_text){0};
}

/* ---- numbers -------------------------------------------------------------------------------- */

static locale_t the_c_locale;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void make_c_locale(void) {
  the_c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}
static locale_t c_locale(void) {
  pthread_once(&once, make_c_locale);
  return the_c_locale;
}

static double read_checked(const char *text) {
  return c_locale() ? strtod_l(text, NULL, c_locale()) : strtod(text, NULL);
}

/* [+-] (digits [. digits*] | . digits) [(e|E) [+-] digits] */
static bool is_decimal(const char *s) {
  s += *s == '+' || *s == '-';
  size_t before = strspn(s, "0123456789"), after = 0;
  s += before;
  if (*s == '.') {
    after = strspn(++s, "0123456789");
    s += after;
  }
  if (before + after == 0)
    return false;
  if (*s == 'e' || *s == 'E') {
    s++;
    s += *s == '+' || *s == '-';
    size_t digits = strspn(s, "0123456789");
    if (!digits)
      return false;
    s += digits;
  }
  return !*s;
}

bool ssk_text_read_double(const char *text, double *value) {
  const char *word = text + (*text == '+' || *text == '-');
  word += *word == '.';
  if (strcmp(word, "inf") == 0 || strcmp(word, "Inf") == 0 || strcmp(word, "INF") == 0) {
    *value = *text == '-' ? -INFINITY : INFINITY;
    return true;
  }
  if (!is_decimal(text))
    return false;
  errno = 0;
  *value = read_checked(text);
  return errno != ERANGE || (isfinite(*value) && *value != 0);
}

const char *ssk_text_double(char buffer[32], double value) {
  if (isnan(value))
    return strcpy(buffer, "nan");
  if (isinf(value))
    return strcpy(buffer, value < 0 ? "-inf" : "inf");
  locale_t former = c_locale() ? uselocale(c_locale()) : (locale_t)0;
  bool is_short_integer = value == trunc(value) && fabs(value) < 1e7;
  char text[64]; /* 24 are needed; compilers that cannot see it want more */
  for (int digits = is_short_integer ? 17 : 1; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (read_checked(text) == value)
      break;
  }
  if (former)
    uselocale(former);
  snprintf(buffer, 32, "%.31s", text);
  return buffer;
}

/* ---- UTF-8 ---------------------------------------------------------------------------------- */

/* Length of the character at s (n bytes left, n > 0), 0 when it is malformed (RFC 3629). */
static size_t decode(const unsigned char *s, size_t n, uint32_t *character) {
  static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
  size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
  if (length == 0 || length > n || s[0] >= 0xf8)
    return 0;
  uint32_t c = length == 1 ? s[0] : s[0] & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; i++) {
    if ((s[i] & 0xc0) != 0x80)
      return 0;
    c = c << 6 | (s[i] & 0x3fu);
  }
  if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
    return 0;
  *character = c;
  return length;
}

static bool is_clean_character(uint32_t c) {
  if (c < 0x20)
    return c == '\t' || c == '\n';
  return !(c >= 0x7f && c <= 0x9f) && c != 0x2028 && c != 0x2029 && c != 0xfeff && c != 0xfffe &&
         c != 0xffff;
}

enum ssk_text_flaw ssk_text_check(const char *data, size_t size, size_t *bad) {
  for (size_t i = 0, length; i < size; i += length) {
    uint32_t c = 0;
    length = decode((const unsigned char *)data + i, size - i, &c);
    if (length && is_clean_character(c))
      continue;
    if (bad)
      *bad = i;
    return length ? SSK_TEXT_CONTROL : SSK_TEXT_NOT_UTF8;
  }
  return SSK_TEXT_CLEAN;
}

bool ssk_text_same(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

/* ---- nearest names -------------------------------------------------------------------------- */

#define NAME_MAX_LENGTH 63

static int least_of(int a, int b) {
  return a < b ? a : b;
}

/* What of a name is compared: letters, small, digits, and bytes beyond ASCII, without the blanks,
 * underscores and brackets that people set differently; of a name of such marks alone, all. Returns
 * its length, -1 where that is too long to compare. */
static int fold(const char *name, char out[NAME_MAX_LENGTH]) {
  for (int marks = 0; marks < 2; marks++) {
    int n = 0;
    for (const char *c = name; *c; c++) {
      const unsigned char byte = (unsigned char)*c;
      if (!marks && byte < 0x80 && !isalnum(byte))
        continue;
      if (n == NAME_MAX_LENGTH)
        return -1;
      out[n++] = (char)tolower(byte);
    }
    if (n)
      return n;
  }
  return 0;
}

/* Damerau-Levenshtein distance in its restricted form (optimal string alignment): insertions,
 * deletions, substitutions, and swaps of neighbours cost 1. */
static int distance(const char *a, int n, const char *b, int m) {
  int rows[3][NAME_MAX_LENGTH + 1];
  int *before = rows[0], *above = rows[1], *here = rows[2];
  for (int j = 0; j <= m; j++)
    above[j] = j;
  for (int i = 1; i <= n; i++) {
    here[0] = i;
    for (int j = 1; j <= m; j++) {
      int differ = a[i - 1] != b[j - 1];
      int cost = least_of(least_of(above[j], here[j - 1]) + 1, above[j - 1] + differ);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost = least_of(cost, before[j - 2] + 1);
      here[j] = cost;
    }
    int *oldest = before;
    before = above;
    above = here;
    here = oldest;
  }
  return above[m];
}

/* Does one of the names begin with all of the other, which is long enough to mean something? */
static bool begins(const char *a, int n, const char *b, int m) {
  const int shorter = least_of(n, m);
  return shorter >= 3 && memcmp(a, b, (size_t)shorter) == 0;
}

void ssk_nearest_offer(struct ssk_nearest *search, const char *candidate) {
  char wanted[NAME_MAX_LENGTH], other[NAME_MAX_LENGTH];
  const int n = fold(search->wanted, wanted), m = fold(candidate, other);
  if (n < 0 || m < 0)
    return;
  const int limit = 1 + n / 4;
  const int d = distance(wanted, n, other, m);
  if (d <= limit && (!search->best || d < search->distance)) {
    search->best = candidate;
    search->distance = d;
  } else if (d > limit && begins(wanted, n, other, m) &&
             (!search->best || search->distance > limit)) { /* behind all that are near */
    search->best = search->beginnings++ ? NULL : candidate;
    search->distance = limit + 1;
  }
}
