/* SPDX-License-Identifier: GPL-3.0-or-later */
/* build.c - assembling a model: sizes first, then the weights of each part in the order of the
 * data's way through it. */
#include "model/model.h"
#include <stdlib.h>
#include <string.h>

static void begin_scope(ssk_builder *b, const char *name) {
  b->scope_length = 0;
  b->scope[0] = '\0';
  ssk_scope(b, "%s", name);
}

static void begin_part(ssk_builder *b, enum ssk_part part) {
  b->part = part;
  begin_scope(b, ssk_part_name(part));
}

static int finish_part(ssk_builder *b, const struct ssk_instance *i, int code) {
  if (code && !ssk_build_code(b))
    ssk_build_fail(b, code, "%s '%s' could not be built", ssk_kind_name(i->component->kind),
                   i->component->name);
  return ssk_build_code(b);
}

/* One more summary: h gets its columns. */
static int build_summary(struct ssk_model *model, ssk_builder *b, const struct ssk_instance *i,
                         bool reversed) {
  const struct ssk_summary_ops *ops = i->component->ops;
  struct ssk_reading *reading = &model->reading[model->n_readings++];
  *reading = (struct ssk_reading){.summary = i, .reversed = reversed, .from = model->dims.H};
  const int code = ops->build(i->self, b, &model->dims, model->summary_in, &reading->width);
  model->dims.H += reading->width;
  return finish_part(b, i, code);
}

static int build_parts(struct ssk_model *model, ssk_builder *b) {
  const struct ssk_model_section *parts = &model->experiment->model;
  struct ssk_dims *dims = &model->dims;
  begin_part(b, SSK_PART_SUMMARY);
  if (build_summary(model, b, parts->summary, true))
    return b->code;
  if (parts->history) {
    begin_scope(b, "history");
    if (build_summary(model, b, parts->history, false))
      return b->code;
  }
  const struct ssk_instance *i = parts->encoder;
  begin_part(b, SSK_PART_ENCODER);
  const struct ssk_encoder_ops *encoder = i->component->ops;
  if (finish_part(b, i, encoder->build(i->self, b, dims)))
    return b->code;
  i = parts->emission;
  begin_part(b, SSK_PART_EMISSION);
  const struct ssk_emission_ops *emission = i->component->ops;
  if (finish_part(b, i, emission->build(i->self, b, dims)))
    return b->code;
  i = parts->initial;
  begin_part(b, SSK_PART_INITIAL);
  const struct ssk_initial_ops *initial = i->component->ops;
  if (finish_part(b, i, initial->build(i->self, b, dims)))
    return b->code;
  i = parts->transition;
  begin_part(b, SSK_PART_TRANSITION);
  const struct ssk_transition_ops *transition = i->component->ops;
  if (finish_part(b, i, transition->build(i->self, b, dims)))
    return b->code;
  i = model->experiment->objective;
  begin_part(b, SSK_PART_OBJECTIVE);
  const struct ssk_objective_ops *objective = i->component->ops;
  return finish_part(b, i, objective->build ? objective->build(i->self, b) : SSK_OK);
}

/* An encoder of true latents needs data that have them: as many as the model. */
static int check_truth(const struct ssk_experiment *experiment, const struct ssk_data *data,
                       ssk_err *err) {
  const char *name = data->dataset->component->name;
  const struct ssk_node *root = experiment->tree->root;
  const struct ssk_node *encoder = ssk_node_find(root, "model.encoder");
  const struct ssk_node *latent = ssk_node_find(root, "model.latent");
  if (!data->latents) {
    ssk_err_at(err, SSK_ERECIPE, encoder ? &encoder->pos : NULL,
               "the data set '%s' has no true latents, which the encoder '%s' takes", name,
               experiment->model.encoder->component->name);
    ssk_err_hint(err, "use generated data, or an encoder that is trained");
    return SSK_ERECIPE;
  }
  if (data->latents == experiment->model.latent)
    return SSK_OK;
  ssk_err_at(err, SSK_ERECIPE,
             latent    ? &latent->pos
             : encoder ? &encoder->pos
                       : NULL,
             "model.latent is %lld, but the encoder '%s' takes the true latents of the data set "
             "'%s': %d",
             (long long)experiment->model.latent, experiment->model.encoder->component->name, name,
             data->latents);
  ssk_err_hint(err, "set model.latent to %d", data->latents);
  return SSK_ERECIPE;
}

/* What a prior of whole paths, and latents that are the observations, go together with. */
static int check_paths(const struct ssk_experiment *e, const struct ssk_data *data, ssk_err *err) {
  const struct ssk_transition_ops *transition = e->model.transition->component->ops;
  const struct ssk_encoder_ops *encoder = e->model.encoder->component->ops;
  const struct ssk_emission_ops *emission = e->model.emission->component->ops;
  const struct ssk_objective_ops *objective = e->objective->component->ops;
  const unsigned of_steps = SSK_NEEDS_STEPS | SSK_NEEDS_WEIGHT | SSK_NEEDS_PARTICLES;
  const struct ssk_node *root = e->tree->root;
  const struct ssk_node *at = ssk_node_find(root, "model.encoder");
  if (transition->path_loss && objective->needs & of_steps) {
    at = ssk_node_find(root, "objective");
    ssk_err_at(err, SSK_ERECIPE, at ? &at->pos : NULL,
               "the objective '%s' needs a transition that goes step by step: '%s' is a prior of "
               "whole paths",
               e->objective->component->name, e->model.transition->component->name);
    ssk_err_hint(err, "elbo and two_stage do not");
  } else if (encoder->copies != emission->copies) {
    ssk_err_at(err, SSK_ERECIPE, at ? &at->pos : NULL,
               "the encoder '%s' and the emission '%s' do not go together: latents that are the "
               "observations need both to be 'copy'",
               e->model.encoder->component->name, e->model.emission->component->name);
  } else if (encoder->copies && !transition->path_loss) {
    ssk_err_at(err, SSK_ERECIPE, at ? &at->pos : NULL,
               "the encoder '%s' needs a transition that is a prior of whole paths, which '%s' is "
               "not",
               e->model.encoder->component->name, e->model.transition->component->name);
    ssk_err_hint(err, "model.transition: path_diffusion");
  } else if (encoder->copies && e->model.latent != data->shape.D) {
    const struct ssk_node *latent = ssk_node_find(root, "model.latent");
    ssk_err_at(err, SSK_ERECIPE,
               latent ? &latent->pos
               : at   ? &at->pos
                      : NULL,
               "model.latent is %lld, but the encoder '%s' takes the %d dimensions of the "
               "observation",
               (long long)e->model.latent, e->model.encoder->component->name, data->shape.D);
    ssk_err_hint(err, "set model.latent to %d", data->shape.D);
  }
  return ssk_err_code(err);
}

static int state_width(const struct ssk_instance *transition) {
  const struct ssk_transition_ops *ops = transition->component->ops;
  return ops->state_width ? ops->state_width(transition->self) : 0;
}

int ssk_model_build(const struct ssk_experiment *experiment, const struct ssk_data *data,
                    struct ssk_model **out, ssk_err *err) {
  *out = NULL;
  struct ssk_model *model = calloc(1, sizeof *model);
  if (!model)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the model");
  const struct ssk_data_shape *shape = &data->shape;
  const struct ssk_encoder_ops *encoder = experiment->model.encoder->component->ops;
  model->experiment = experiment;
  model->truth = encoder->truth;
  model->copies = encoder->copies;
  model->dims = (struct ssk_dims){.size = sizeof model->dims,
                                  .D = shape->D,
                                  .V = shape->V,
                                  .E = shape->E,
                                  .d = (int)experiment->model.latent,
                                  .j = (int)experiment->model.order,
                                  .W = state_width(experiment->model.transition),
                                  .F = (int)experiment->model.time_features,
                                  .T = data->window_length};
  model->summary_in = 2 * shape->D + shape->V + model->dims.F + shape->E;
  struct ssk_builder b = {.arena = &model->arena, .err = err};
  int code = SSK_OK;
  if (data->window_length <= model->dims.j)
    code = ssk_err_set(err, SSK_ERECIPE,
                       "training windows have %d steps; with model.order %d they need at least %d",
                       data->window_length, model->dims.j, model->dims.j + 1);
  if (!code && model->truth)
    code = check_truth(experiment, data, err);
  if (!code)
    code = check_paths(experiment, data, err);
  if (!code)
    code = build_parts(model, &b);
  model->layout = b.layout;
  if (code) {
    ssk_model_free(model);
    return code;
  }
  *out = model;
  return SSK_OK;
}

void ssk_model_free(struct ssk_model *model) {
  if (!model)
    return;
  ssk_layout_free(&model->layout);
  ssk_arena_free(&model->arena);
  free(model);
}
