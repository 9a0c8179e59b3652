/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv_calendar.h - known inputs that a time itself gives: where it is in the day, the week, the
 * year, as an angle, so that the end of one is next to the start of another. */
#ifndef SSK_CSV_CALENDAR_H
#define SSK_CSV_CALENDAR_H

#include "csv_time.h"
#include <math.h>
#include <sskit/params.h>

static const char *const csv_calendar_names[] = {"day", "week", "year", NULL};

/* Writes sine and cosine of each entry of `what` to out[2 * what->n], of a time that is a date. */
static void csv_calendar(const struct csv_time *time, const struct ssk_strings *what, double *out) {
  for (int k = 0; k < what->n; k++) {
    double place = time->of_day;
    if (strcmp(what->items[k], "week") == 0) /* from Monday on; 1970-01-01 was a Thursday */
      place = ((time->days + 3) % 7 + time->of_day) / 7;
    else if (strcmp(what->items[k], "year") == 0)
      place = (time->days - csv_days(time->year, 1, 1) + time->of_day) / 365.2425;
    out[2 * k] = sin(2 * M_PI * place);
    out[2 * k + 1] = cos(2 * M_PI * place);
  }
}

#endif
