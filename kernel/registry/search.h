/* SPDX-License-Identifier: GPL-3.0-or-later */
/* search.h - what the search of the folders tells the registry of a file. */
#ifndef SSK_REGISTRY_SEARCH_H
#define SSK_REGISTRY_SEARCH_H

#include "registry/registry.h"

/* Load one file of a folder: a broken one is remembered; only a lack of memory is an error. */
int ssk_registry_try_file(struct ssk_registry *registry, const char *file, ssk_err *err);
/* The file should carry that component: open it when the component is asked for. */
int ssk_registry_expect(struct ssk_registry *registry, enum ssk_kind kind, const char *name,
                        const char *file, ssk_err *err);
/* Remember why a file or folder was not taken: the diagnostic of `why`, with its cure. */
int ssk_registry_refuse(struct ssk_registry *registry, const char *file, const ssk_err *why,
                        ssk_err *err);

#endif
