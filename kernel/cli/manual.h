/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manual.h - the manual pages, each from the tables of what it is about. */
#ifndef SSK_CLI_MANUAL_H
#define SSK_CLI_MANUAL_H

#include "cli/interface.h"
#include "registry/registry.h"

/* sskit(1), or of a verb, sskit-VERB(1). */
void ssk_manual_program(const struct ssk_verb *verb, struct ssk_text *out);
/* sskit-recipe(5): every key of recipes, studies and sweeps. */
void ssk_manual_recipe(struct ssk_text *out);
/* sskit-components(7): every component of an opened registry. */
void ssk_manual_components(const struct ssk_registry *registry, struct ssk_text *out);

#endif
