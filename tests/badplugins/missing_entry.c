/* SPDX-License-Identifier: GPL-3.0-or-later */
/* missing_entry.c - a shared object that is no plugin. */
#include <sskit/err.h>

SSK_API int missing_entry(void);
int missing_entry(void) {
  return 0;
}
