/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv_time.h - what a cell of the column of times says: a date of the Gregorian calendar, with a
 * time of day or not, or a number; and which of two is earlier. */
#ifndef SSK_CSV_TIME_H
#define SSK_CSV_TIME_H

#include <sskit/files.h>
#include <stdio.h>
#include <string.h>

enum csv_time_form {
  CSV_TIME_UNKNOWN, /* of a form that is not read here */
  CSV_TIME_DATE,
  CSV_TIME_NUMBER,
  CSV_TIME_WRONG /* of the form of a date, but there is no such date or time */
};

struct csv_time {
  enum csv_time_form form;
  int year, days; /* of a date, where it was written: days from 1970-01-01 */
  double of_day;  /* 0 to 1 */
  /* What is compared: seconds of UTC, whole and the rest of one; or the number. */
  double whole, rest;
};

/* Days from 1970-01-01 in the Gregorian calendar (Hinnant, chrono-compatible low-level date
 * algorithms): years begin in March, so that the leap day is the last. */
static int csv_days(int year, int month, int day) {
  year -= month <= 2;
  int era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
  int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* So many digits, at least and at most; false where there are others. */
static bool csv_digits(const char **text, int least, int most, int *out) {
  int n = 0;
  for (*out = 0; n < most && (*text)[n] >= '0' && (*text)[n] <= '9'; n++)
    *out = 10 * *out + (*text)[n] - '0';
  *text += n;
  return n >= least;
}

/* Behind a time of day: nothing, Z, or the distance from UTC as +hh, +hhmm or +hh:mm, in seconds.
 */
static bool csv_zone(const char **text, int *seconds) {
  int hours = 0, minutes = 0;
  *seconds = 0;
  if (**text == 'Z') {
    ++*text;
    return true;
  }
  if (**text != '+' && **text != '-')
    return true;
  const int sign = *(*text)++ == '-' ? -1 : 1;
  if (!csv_digits(text, 2, 2, &hours))
    return false;
  *text += **text == ':';
  if (**text >= '0' && **text <= '9' && !csv_digits(text, 2, 2, &minutes))
    return false;
  *seconds = sign * (3600 * hours + 60 * minutes);
  return hours < 24 && minutes < 60;
}

/* hh:mm, hh:mm:ss or hh:mm:ss.fraction, and a zone. */
struct csv_clock {
  int hour, minute, second, zone;
  double fraction;
};

static bool csv_clock(const char *text, struct csv_clock *out) {
  *out = (struct csv_clock){0};
  if (!csv_digits(&text, 1, 2, &out->hour) || *text++ != ':' ||
      !csv_digits(&text, 1, 2, &out->minute))
    return false;
  if (*text == ':') {
    text++;
    if (!csv_digits(&text, 1, 2, &out->second))
      return false;
    if (*text == '.') {
      double place = 0.1;
      for (text++; *text >= '0' && *text <= '9'; text++, place /= 10)
        out->fraction += (*text - '0') * place;
    }
  }
  return csv_zone(&text, &out->zone) && text[strspn(text, " \t")] == '\0';
}

/* YYYY-MM-DD, then nothing or, behind a blank or T, a time of day; '/' for '-' too. */
static enum csv_time_form csv_date(const char *text, struct csv_time *out) {
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int month, day;
  if (!csv_digits(&text, 4, 4, &out->year) || !strchr("-/", *text) || !*text++ ||
      !csv_digits(&text, 1, 2, &month) || !strchr("-/", *text) || !*text++ ||
      !csv_digits(&text, 1, 2, &day))
    return CSV_TIME_UNKNOWN;
  struct csv_clock clock = {0};
  const bool timed = *text == 'T' || (*text == ' ' && text[strspn(text, " \t")]);
  if (timed ? !csv_clock(text + 1, &clock) : text[strspn(text, " \t")] != '\0')
    return CSV_TIME_UNKNOWN;
  const bool leap = (out->year % 4 == 0 && out->year % 100 != 0) || out->year % 400 == 0;
  const bool last = clock.hour == 24 && clock.minute + clock.second + (clock.fraction > 0) == 0;
  if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + (month == 2 && leap) ||
      !(clock.hour < 24 || last) || clock.minute > 59 || clock.second > 60)
    return CSV_TIME_WRONG;
  out->days = csv_days(out->year, month, day);
  out->of_day = (clock.hour + clock.minute / 60. + (clock.second + clock.fraction) / 3600.) / 24;
  out->whole =
      86400. * out->days + 3600. * clock.hour + 60. * clock.minute + clock.second - clock.zone;
  out->rest = clock.fraction;
  return CSV_TIME_DATE;
}

static struct csv_time csv_time_of(const char *text) {
  struct csv_time out = {.rest = 0};
  text += strspn(text, " \t");
  out.form = csv_date(text, &out);
  if (out.form == CSV_TIME_UNKNOWN && ssk_files_number(text, &out.whole))
    out.form = CSV_TIME_NUMBER;
  return out;
}

/* Below 0 where a is earlier than b, 0 where they are the same, else above. */
static int csv_time_order(const struct csv_time *a, const struct csv_time *b) {
  const int whole = (a->whole > b->whole) - (a->whole < b->whole);
  return whole ? whole : (a->rest > b->rest) - (a->rest < b->rest);
}

#endif
