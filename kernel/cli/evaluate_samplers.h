/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evaluate_samplers.h - sskit evaluate --samplers: quality against cost of a diffusion's samplers.
 */
#ifndef SSK_CLI_EVALUATE_SAMPLERS_H
#define SSK_CLI_EVALUATE_SAMPLERS_H

#include "cli/cli.h"

enum { SSK_SAMPLER_STEPS = 32 };

/* What the command line asks for. */
struct ssk_evaluate_samplers {
  const char *names; /* NULL: no samplers are asked for */
  int n_steps;       /* 0: the usual ones */
  int64_t steps[SSK_SAMPLER_STEPS];
};

/* Within a parser: the argument of --steps, integers with commas between. */
void ssk_cli_sampler_steps(const struct argp_state *state, const char *arg,
                           struct ssk_evaluate_samplers *asked);
/* Measure, and print each point as a line as soon as it is known; as JSON all of them at the end.
 */
int ssk_cli_evaluate_samplers(struct ssk_cli *cli, const struct ssk_evaluate_samplers *asked);

#endif
