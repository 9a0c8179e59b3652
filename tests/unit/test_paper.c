/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_paper.c - the recipes of the paper's architecture have the weights that docs/paper.md
 * counts: those of the paper's own implementation but for the ones that cannot change its result.
 */
#include "model/model.h"
#include "support/instances.h"

/* Trained weights of each part; `kit` has the plugins. */
static void count(struct kit *kit, const char *recipe, size_t counts[SSK_PART_COUNT]) {
  char path[2048];
  snprintf(path, sizeof path, "%s/recipes/paper/%s.yaml", getenv("top_srcdir"), recipe);
  const char *const small[] = {"data.sequences=2", "data.valid=1", "data.test=1"};
  struct ssk_experiment *experiment;
  struct ssk_data *data = NULL;
  struct ssk_model *model = NULL;
  if (ssk_experiment_load(path, 3, small, kit->registry, &experiment, kit->err) ||
      ssk_data_load(experiment, &data, kit->err) ||
      ssk_model_build(experiment, data, &model, kit->err))
    kit_fail(kit, path);
  memset(counts, 0, SSK_PART_COUNT * sizeof *counts);
  for (int k = 0; k < model->layout.n; k++)
    if (!(model->layout.slice[k].flags & SSK_STATISTIC))
      counts[model->layout.slice[k].part] += model->layout.slice[k].count;
  ssk_model_free(model);
  ssk_data_free(data);
  ssk_experiment_free(experiment);
}

/* In one network `context` of L slots whose side information is S wide. What the paper's has and
 * this one has not: the last block's residual (72) and a second bias of the raw variance; with one
 * slot also the mixing over slots that is never run (2 * 208). */
static size_t context(int L, int S, int outputs) {
  enum { H = 32, C = 8, BLOCKS = 2 };
  size_t latent = 4 * H + H, open = 2 * C, side = (S + 1) * BLOCKS * 2 * C;
  size_t mixing = L > 1 ? BLOCKS * 2 * (3 * C + C + C * C + C) : 0;
  size_t gates = BLOCKS * (C + 1) * 2 * C, skips = BLOCKS * (C + 1) * C, residual = (C + 1) * C;
  size_t over_slots = (size_t)(L + 1) * H * C, heads = 2 * (size_t)outputs * (H * C + 1);
  return latent + open + side + mixing + gates + skips + residual + over_slots + heads;
}

Test(paper, counts_of_the_recipes) {
  struct kit kit;
  size_t dkf[SSK_PART_COUNT], ddssm[SSK_PART_COUNT];
  kit_open(&kit);
  count(&kit, "dkf", dkf);
  count(&kit, "ddssm", ddssm);
  kit_close(&kit);

  size_t summary = 18 * 32 + 32 + 6 * 32 * 32 + 6 * 32;
  size_t encoder = context(2, 32, 4) + 32 * 32 + 32 + 2 * (8 + 8); /* summary's slot, two flags */
  cr_expect_eq(dkf[SSK_PART_SUMMARY], summary);
  cr_expect_eq(dkf[SSK_PART_ENCODER], encoder);
  cr_expect_eq(dkf[SSK_PART_EMISSION], context(1, 16, 1));
  cr_expect_eq(dkf[SSK_PART_INITIAL], 2 * context(1, 16, 4));
  cr_expect_eq(dkf[SSK_PART_TRANSITION], context(1, 16, 4));

  /* The paper's, less what it has without effect; more by the mask in the summary's input. */
  cr_expect_eq(dkf[SSK_PART_SUMMARY] + dkf[SSK_PART_ENCODER], 13052 + 32 - 72 - 4);
  cr_expect_eq(dkf[SSK_PART_EMISSION], 3011 - 416 - 72 - 1 - 272);
  cr_expect_eq(dkf[SSK_PART_INITIAL], 8840 - 2 * (416 + 72 + 4) - 272);
  cr_expect_eq(dkf[SSK_PART_TRANSITION], 4284 - 416 - 72 - 4);

  for (int part = SSK_PART_SUMMARY; part < SSK_PART_TRANSITION; part++)
    cr_expect_eq(ddssm[part], dkf[part], "%s", ssk_part_name((enum ssk_part)part));
  /* The last layer's residual is left out; time features of the step are 18 more inputs of the side
   * information (with a flag and a bias), in 4 layers of 64. */
  cr_expect_eq(ddssm[SSK_PART_TRANSITION], 154209 - (32 * 32 + 32) + 18 * 4 * 64);
}
