/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv_calendar.h - known inputs that a time itself gives: where it is in the day, the week, the
 * year, as an angle, so that the end of one is next to the start of another. */
#ifndef SSK_CSV_CALENDAR_H
#define SSK_CSV_CALENDAR_H

#include <math.h>
#include <sskit/params.h>
#include <stdio.h>
#include <string.h>

static const char *const csv_calendar_names[] = {"day", "week", "year", NULL};

/* Days from 1970-01-01 in the Gregorian calendar (Hinnant, chrono-compatible low-level date
 * algorithms): years begin in March, so that the leap day is the last. */
static int csv_days(int year, int month, int day) {
  year -= month <= 2;
  int era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
  int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* YYYY-MM-DD, then nothing or, behind a blank or T, hh:mm or hh:mm:ss; '/' for '-' too. Writes sine
 * and cosine of each entry of `what` to out[2 * what->n]; false where the text is no such time. */
static bool csv_calendar(const char *text, const struct ssk_strings *what, double *out) {
  int year, month, day, hour = 0, minute = 0, second = 0, end = 0;
  char separator[2];
  text += strspn(text, " \t");
  if (sscanf(text, "%4d%1[-/]%2d%1[-/]%2d%n", &year, separator, &month, separator, &day, &end) != 5)
    return false;
  text += end;
  if (*text == ' ' || *text == 'T') {
    end = 0;
    if (sscanf(text + 1, "%2d:%2d%n:%2d%n", &hour, &minute, &end, &second, &end) < 2 || !end)
      return false;
    text += 1 + end;
  }
  if (*text || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 24 ||
      minute < 0 || minute > 59 || second < 0 || second > 60)
    return false;
  double of_day = (hour + minute / 60. + second / 3600.) / 24;
  int days = csv_days(year, month, day);
  for (int k = 0; k < what->n; k++) {
    double place = of_day;
    if (strcmp(what->items[k], "week") == 0) /* from Monday on; 1970-01-01 was a Thursday */
      place = ((days + 3) % 7 + of_day) / 7;
    else if (strcmp(what->items[k], "year") == 0)
      place = (days - csv_days(year, 1, 1) + of_day) / 365.2425;
    out[2 * k] = sin(2 * M_PI * place);
    out[2 * k + 1] = cos(2 * M_PI * place);
  }
  return true;
}

#endif
