/* SPDX-License-Identifier: GPL-3.0-or-later */
/* null_entry.c - the entry function returns NULL. */
#include "sound.h"

SSK_API ssk_plugin_entry_fn ssk_plugin_entry;
const struct ssk_plugin *ssk_plugin_entry(void) {
  return NULL;
}
