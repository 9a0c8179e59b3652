/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plugin.h - the two actions of sskit plugin. */
#ifndef SSK_CLI_PLUGIN_H
#define SSK_CLI_PLUGIN_H

#include "cli/cli.h"

/* words[1] is the kind, words[2] the name, cli->output the folder or NULL. */
int ssk_plugin_new(struct ssk_cli *cli);
/* words[1] is a file or a folder; recipe: NULL, or the one to check with; limit: seconds for each
 * check, 0: none. */
int ssk_plugin_check(struct ssk_cli *cli, const char *recipe, int limit);

#endif
