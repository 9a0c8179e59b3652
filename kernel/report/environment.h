/* SPDX-License-Identifier: GPL-3.0-or-later */
/* environment.h - what a run was made with: versions, processor, data, plugins. */
#ifndef SSK_REPORT_ENVIRONMENT_H
#define SSK_REPORT_ENVIRONMENT_H

#include "model/data.h"
#include "registry/registry.h"
#include "train/ranks.h"
#include <jansson.h>

/* environment.json as text, malloc'ed; NULL without memory. `threads`: of this rank. */
char *ssk_environment_text(const struct ssk_data *data, const struct ssk_registry *registry,
                           int threads, const struct ssk_ranks *ranks);

/* Warn (core/log.h), in one line, where the code of plugins that `registry` has loaded is not what
 * environment.json in the run's folder tells. Silent where that does not tell. */
void ssk_environment_compare(const char *folder, const struct ssk_registry *registry);

/* Parts of it: the versions of the libraries, by name; the name of the processor, or null. NULL
 * without memory. */
json_t *ssk_environment_libraries(void);
json_t *ssk_environment_processor(void);

#endif
