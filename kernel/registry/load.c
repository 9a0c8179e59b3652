/* SPDX-License-Identifier: GPL-3.0-or-later */
/* load.c - from a file to a plugin that may be used, or the reason why not.
 *
 * The order of the checks is the order of trust: who may write the file, whether the dynamic linker
 * takes it, whether it leaves the floating-point unit alone, whether it was built for this kernel
 * (the magic block, as in PostgreSQL), and whether its components keep the contract. */
#include "registry/load.h"
#include "core/text.h"
#include "registry/fpcontrol.h"
#include "registry/registry.h"
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int ssk_plugin_safe(const char *path, bool folder, uint64_t *device, uint64_t *inode,
                    ssk_err *err) {
  struct stat info;
  if (stat(path, &info) != 0)
    return ssk_err_set(err, SSK_EPLUGIN, "it cannot be examined: %s", strerror(errno));
  if (folder ? !S_ISDIR(info.st_mode) : !S_ISREG(info.st_mode))
    return ssk_err_set(err, SSK_EPLUGIN, "it is not a %s", folder ? "folder" : "regular file");
  if (info.st_mode & (S_IWGRP | S_IWOTH)) {
    ssk_err_set(err, SSK_EPLUGIN, "others than its owner may write it (mode %04o)",
                (unsigned)info.st_mode & 07777u);
    ssk_err_hint(err, "chmod go-w '%s'", path);
    return SSK_EPLUGIN;
  }
  if (device)
    *device = (uint64_t)info.st_dev;
  if (inode)
    *inode = (uint64_t)info.st_ino;
  return SSK_OK;
}

int ssk_magic_check(const struct ssk_magic *magic, ssk_err *err) {
  const uint32_t size = (uint32_t)sizeof *magic, real_size = (uint32_t)sizeof(ssk_real);
  if (magic->magic != SSK_MAGIC) {
    ssk_err_set(err, SSK_EPLUGIN, "its magic number is 0x%08x, that of sskit plugins is 0x%08x",
                magic->magic, SSK_MAGIC);
    ssk_err_hint(err, "define the entry function with SSK_PLUGIN(...)");
  } else if (magic->size != size) {
    ssk_err_set(err, SSK_EPLUGIN, "its magic block has a size of %u bytes, this sskit's has %u",
                magic->size, size);
    ssk_err_hint(err, "rebuild it with the headers of this sskit");
  } else if (magic->abi != SSK_ABI) {
    ssk_err_set(err, SSK_EPLUGIN, "it has the ABI number %u, this sskit has %u", magic->abi,
                SSK_ABI);
    ssk_err_hint(err, "rebuild it with the headers of this sskit");
  } else if (magic->real_size != real_size) {
    ssk_err_set(err, SSK_EPLUGIN, "its real numbers have a size of %u bytes, this sskit's have %u",
                magic->real_size, real_size);
    ssk_err_hint(err, "rebuild it %s -DSSK_DOUBLE", real_size == 8 ? "with" : "without");
  } else {
    return SSK_OK;
  }
  return SSK_EPLUGIN;
}

/* dlerror's text, without the file name that it begins with. */
static const char *linker_reason(const char *path) {
  const char *text = dlerror();
  if (!text)
    return "the dynamic linker gave no reason";
  size_t n = strlen(path);
  return strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

/* dlopen, with a look at what the plugin's start-up code does to the floating-point unit. */
static int open_guarded(const char *path, void **handle, ssk_err *err) {
  const struct ssk_fpcontrol before = ssk_fpcontrol_get();
  *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  const struct ssk_fpcontrol after = ssk_fpcontrol_get();
  const bool changed = !ssk_fpcontrol_equal(before, after);
  if (changed)
    ssk_fpcontrol_set(before);
  if (!*handle) {
    const char *reason = linker_reason(path);
    ssk_err_set(err, SSK_EPLUGIN, "it cannot be loaded: %s", reason);
    if (strstr(reason, "undefined symbol"))
      ssk_err_hint(err, "link it with -Wl,-z,defs to find missing symbols when it is built");
    return SSK_EPLUGIN;
  }
  if (changed) {
    ssk_err_set(err, SSK_EPLUGIN,
                "loading it changed the floating-point control word from 0x%x/0x%x to 0x%x/0x%x",
                before.vector, before.x87, after.vector, after.x87);
    ssk_err_hint(err, "link it without -ffast-math, -Ofast and -funsafe-math-optimizations");
    return SSK_EPLUGIN;
  }
  return SSK_OK;
}

static int check_components(const struct ssk_plugin *plugin, ssk_err *err) {
  if (plugin->n_components == 0 || !plugin->components)
    return ssk_err_set(err, SSK_EPLUGIN, "it has no components");
  for (uint32_t i = 0; i < plugin->n_components; i++) {
    if (!plugin->components[i])
      return ssk_err_set(err, SSK_EPLUGIN, "its component %u is NULL", i);
    int code = ssk_contract_check(plugin->components[i], err);
    if (code)
      return code;
  }
  return SSK_OK;
}

int ssk_plugin_open(const char *path, const struct ssk_plugin **out, ssk_err *err) {
  void *handle;
  *out = NULL;
  int code = open_guarded(path, &handle, err);
  if (code)
    return code;
  void *symbol = dlsym(handle, "ssk_plugin_entry");
  if (!symbol) {
    ssk_err_set(err, SSK_EPLUGIN, "it has no function ssk_plugin_entry");
    ssk_err_hint(err, "end its source with SSK_PLUGIN(&component)");
    return SSK_EPLUGIN;
  }
  ssk_plugin_entry_fn *entry;
  memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from object to function pointers */
  const struct ssk_plugin *plugin = entry();
  if (!plugin)
    return ssk_err_set(err, SSK_EPLUGIN, "its function ssk_plugin_entry returned NULL");
  code = ssk_magic_check(&plugin->magic, err);
  if (!code)
    code = check_components(plugin, err);
  if (!code)
    *out = plugin;
  return code;
}
