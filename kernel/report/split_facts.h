/* SPDX-License-Identifier: GPL-3.0-or-later */
/* split_facts.h - what there is to say of the series of a split, and of the values of a dimension.
 */
#ifndef SSK_REPORT_SPLIT_FACTS_H
#define SSK_REPORT_SPLIT_FACTS_H

#include "model/data.h"

struct ssk_split_facts {
  int64_t series, steps; /* steps: of all of them */
  int shortest, longest;
  double missing_share; /* of steps x D entries; entries that are held out count */
};
struct ssk_split_facts ssk_split_facts(const struct ssk_data *data, enum ssk_split split);

/* Of the observed training values of one dimension, in the data's own units; NaN where there are
 * none. Mean and population deviation. */
struct ssk_dimension_facts {
  double mean, deviation, lowest, highest, missing_share;
};
struct ssk_dimension_facts ssk_dimension_facts(const struct ssk_data *data, int dimension);

#endif
