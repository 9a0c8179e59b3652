/* SPDX-License-Identifier: GPL-3.0-or-later */
/* load.h - from a file to a plugin that may be used, or the reason why not. */
#ifndef SSK_REGISTRY_LOAD_H
#define SSK_REGISTRY_LOAD_H

#include <sskit/plugin.h>

/* SSK_OK if `path` (behind symbolic links) is a regular file, or with `folder` a folder, that only
 * its owner may write. device and inode may be NULL. */
int ssk_plugin_safe(const char *path, bool folder, uint64_t *device, uint64_t *inode, ssk_err *err);
/* Open a plugin that ssk_plugin_safe accepted and check its floating-point manners, magic block and
 * all its components. It stays in the process for good. */
int ssk_plugin_open(const char *path, const struct ssk_plugin **out, ssk_err *err);
/* The magic block, field by field. */
int ssk_magic_check(const struct ssk_magic *magic, ssk_err *err);

#endif
