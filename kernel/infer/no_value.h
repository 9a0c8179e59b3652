/* SPDX-License-Identifier: GPL-3.0-or-later */
/* no_value.h - why a metric has no value. */
#ifndef SSK_INFER_NO_VALUE_H
#define SSK_INFER_NO_VALUE_H

#include "infer/forecaster.h"
#include <sskit/scoring.h>

/* Why a metric with these needs (of enum ssk_needs) has no value on a case that the forecaster gave
 * on these data: a few words, for a footnote; static. A metric keeps its own counsel: where all
 * that it needs is there, the words are general. */
const char *ssk_no_value(const struct ssk_forecaster *forecaster, const struct ssk_data *data,
                         unsigned needs, const struct ssk_case *c);

#endif
