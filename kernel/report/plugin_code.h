/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plugin_code.h - is a plugin the same code as before? A hash of what a shared object computes
 * with: its instructions and constants. */
#ifndef SSK_REPORT_PLUGIN_CODE_H
#define SSK_REPORT_PLUGIN_CODE_H

#include <stdbool.h>
#include <stdint.h>

/* The hash of `file`: neither names, debugging information and build identifiers are in it, nor
 * where the linker looks for libraries, so that building the same source again, stripping and
 * installing keep it. False where the file cannot be read as what it should be. */
bool ssk_plugin_code(const char *file, uint64_t *hash);

#endif
