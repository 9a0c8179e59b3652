/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_outside.c - sizes and units of a training come back from their text, damaged text is
 * refused, and series from outside are in these units. */
#include "model/outside.h"
#include "model/units.h"
#include "support/instances.h"
#include <math.h>

static const char recipe[] = "data: {use: lgssm, sequences: 8, valid: 0, test: 0, length: 6}\n"
                             "model: {latent: 1, transition: linear}\n";

struct trained {
  struct kit kit;
  struct ssk_experiment *experiment;
  struct ssk_data *data;
  char *text;
};

static void open_trained(struct trained *t) {
  *t = (struct trained){0};
  kit_open(&t->kit);
  if (ssk_experiment_parse("test.yaml", recipe, strlen(recipe), 0, NULL, t->kit.registry,
                           &t->experiment, t->kit.err) ||
      ssk_data_load(t->experiment, &t->data, t->kit.err))
    kit_fail(&t->kit, "no data");
  t->text = ssk_units_write(t->data);
  cr_assert(t->text);
}

static void close_trained(struct trained *t) {
  free(t->text);
  ssk_data_free(t->data);
  ssk_experiment_free(t->experiment);
  kit_close(&t->kit);
}

Test(outside, units_come_back_to_the_bit) {
  struct trained t;
  struct ssk_data *back;
  open_trained(&t);
  cr_assert_eq(ssk_units_read("file", t.text, t.experiment, &back, t.kit.err), SSK_OK);
  cr_expect_eq(back->shape.D, 1);
  cr_expect_eq(back->latents, t.data->latents);
  cr_expect_eq(back->window_length, 6);
  cr_expect_eq(back->centre[0], t.data->centre[0]);
  cr_expect_eq(back->scale[0], t.data->scale[0]);
  cr_expect_neq(back->scale[0], 1);
  cr_expect_eq(back->z_scale[0], t.data->z_scale[0]);
  cr_expect_eq(back->split[SSK_TRAIN].n, 0);
  ssk_data_free(back);
  close_trained(&t);
}

static void refused(struct trained *t, const char *text) {
  struct ssk_data *back;
  cr_expect_eq(ssk_units_read("file", text, t->experiment, &back, t->kit.err), SSK_EDATA, "%s",
               text);
  cr_expect_null(back);
}

Test(outside, damaged_units_are_refused) {
  struct trained t;
  open_trained(&t);
  refused(&t, "");
  refused(&t, "{}");
  for (size_t cut = 1; cut < strlen(t.text); cut++) {
    char *part = strndup(t.text, cut);
    refused(&t, part);
    free(part);
  }
  static const char *const wrong[][2] = {{"\"dimensions\":1", "\"dimensions\":2"},
                                         {"\"dimensions\":1", "\"dimensions\":0"},
                                         {"\"covariates\":0", "\"covariates\":9"},
                                         {"\"window\":6", "\"window\":0"},
                                         {"\"scale\":[", "\"scale\":[-"}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    char *changed = strdup(t.text), *at = strstr(changed, wrong[i][0]);
    cr_assert(at, "%s", wrong[i][0]);
    char *joined = malloc(strlen(changed) + 8);
    sprintf(joined, "%.*s%s%s", (int)(at - changed), changed, wrong[i][1],
            at + strlen(wrong[i][0]));
    refused(&t, joined);
    free(joined);
    free(changed);
  }
  close_trained(&t);
}

Test(outside, series_are_masked_where_they_have_no_number) {
  struct trained t;
  struct ssk_data *own;
  open_trained(&t);
  cr_assert_eq(ssk_outside_make(t.data, 2, 3, &own, t.kit.err), SSK_OK);
  cr_assert_eq(ssk_outside_put(own, 1, 2, (double[]){NAN, 7}, NULL, NULL, t.kit.err), SSK_OK);
  const struct ssk_split_data *split = &own->split[SSK_TEST];
  cr_expect_eq(split->length[1], 2);
  cr_expect_eq(split->mask[3], 0);
  cr_expect_eq(split->mask[4], 1);
  cr_expect_eq(split->mask[5], 0);
  cr_expect_eq(split->x[4], 7);
  cr_expect_eq(own->scale[0], t.data->scale[0]);
  cr_expect_eq(ssk_outside_put(own, 0, 1, (double[]){INFINITY}, NULL, NULL, t.kit.err), SSK_EDATA);
  ssk_data_free(own);
  close_trained(&t);
}
