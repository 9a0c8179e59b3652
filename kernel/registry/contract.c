/* SPDX-License-Identifier: GPL-3.0-or-later */
/* contract.c - what every component must keep to, checked once when its plugin is loaded: sizes of
 * the public structs, syntax of the name, presence of the slots that its kind requires. What is
 * required of a kind is a row of a table. The parameter rows are checked by contract_rows.c. */
#include "registry/contract.h"
#include "registry/registry.h"
#include <string.h>

/* ---- what the kinds require -------------------------------------------------------------------
 */

struct slot {
  const char *name; /* NULL ends the list */
  size_t offset;    /* of the function pointer in the ops struct */
};
struct requirement {
  size_t ops_size;
  struct slot slots[5];
};

#define SLOT(kind, member)                                                                         \
  { #member, offsetof(struct ssk_##kind##_ops, member) }

static const struct requirement requirements[SSK_KIND_COUNT] = {
    [SSK_DATASET] = {sizeof(struct ssk_dataset_ops),
                     {SLOT(dataset, open), SLOT(dataset, shape), SLOT(dataset, count),
                      SLOT(dataset, fill)}},
    [SSK_SUMMARY] = {sizeof(struct ssk_summary_ops), {SLOT(summary, build), SLOT(summary, run)}},
    [SSK_ENCODER] = {sizeof(struct ssk_encoder_ops),
                     {SLOT(encoder, build), SLOT(encoder, posterior)}},
    [SSK_EMISSION] = {sizeof(struct ssk_emission_ops),
                      {SLOT(emission, build), SLOT(emission, log_prob)}},
    [SSK_INITIAL] = {sizeof(struct ssk_initial_ops),
                     {SLOT(initial, build), SLOT(initial, rate), SLOT(initial, sample)}},
    [SSK_TRANSITION] = {sizeof(struct ssk_transition_ops), {SLOT(transition, build)}},
    [SSK_SCHEDULE] = {sizeof(struct ssk_schedule_ops), {SLOT(schedule, sigma)}},
    [SSK_DENOISER] = {sizeof(struct ssk_denoiser_ops),
                      {SLOT(denoiser, build), SLOT(denoiser, run)}},
    [SSK_MIXER] = {sizeof(struct ssk_mixer_ops), {SLOT(mixer, build), SLOT(mixer, run)}},
    [SSK_SAMPLER] = {sizeof(struct ssk_sampler_ops),
                     {SLOT(sampler, run), SLOT(sampler, evaluations)}},
    [SSK_OBJECTIVE] = {sizeof(struct ssk_objective_ops), {SLOT(objective, loss)}},
    [SSK_METRIC] = {sizeof(struct ssk_metric_ops), {SLOT(metric, definition)}},
    [SSK_NETWORK] = {sizeof(struct ssk_network_ops),
                     {SLOT(network, build), SLOT(network, prepare), SLOT(network, run)}},
};

typedef void (*any_function)(void);

static bool is_null(const void *ops, size_t offset) {
  any_function function;
  memcpy(&function, (const char *)ops + offset, sizeof function);
  return !function;
}

/* ---- conditions that are more than one slot ----------------------------------------------------
 */

static const char *check_transition(const struct ssk_transition_ops *ops) {
  if (!ops->state_width != !ops->start || !ops->start != !ops->advance)
    return "of its slots 'state_width', 'start' and 'advance' some are NULL, some not";
  if (!ops->path_loss != !ops->path_sample)
    return "of its slots 'path_loss' and 'path_sample' one is NULL";
  if (ops->path_loss)
    return ops->moments || ops->rate || ops->log_prob || ops->sample || ops->start
               ? "it is a prior of whole paths and of single steps"
               : NULL;
  if (ops->moments || ((ops->rate || ops->log_prob) && ops->sample))
    return NULL;
  return "it needs the slot 'moments', or 'sample' with 'rate' or 'log_prob'";
}

static const char *check_summary(const struct ssk_summary_ops *ops) {
  return !ops->run_part == !ops->state_width
             ? NULL
             : "of its slots 'run_part' and 'state_width' one is NULL";
}

static const char *check_objective(const struct ssk_objective_ops *ops) {
  return ops->needs & SSK_NEEDS_PARTICLES && !ops->resample_below
             ? "it needs particles, but its slot 'resample_below' is NULL"
             : NULL;
}

static const char *check_metric(const struct ssk_metric_ops *ops) {
  if (ops->needs & ~(unsigned)(SSK_NEEDS_SAMPLES | SSK_NEEDS_BOUND | SSK_NEEDS_ORACLE |
                               SSK_NEEDS_LIKELIHOOD | SSK_NEEDS_TRANSITION | SSK_NEEDS_POSTERIOR))
    return "its 'needs' has bits that enum ssk_needs does not have";
  if (ops->better < -1 || ops->better > 1)
    return "its 'better' is none of -1, 0 and +1";
  if (ops->terms < 0 || ops->terms > SSK_METRIC_TERMS)
    return "its 'terms' is not between 0 and SSK_METRIC_TERMS";
  if (ops->terms && (!ops->accumulate || !ops->finish))
    return "a pooled figure needs the slots 'accumulate' and 'finish'";
  if (!ops->terms && !ops->value)
    return "its required slot 'value' is NULL";
  return ops->unit && *ops->unit ? NULL : "its 'unit' is missing (use \"1\" for pure numbers)";
}

static int check_ops(const struct ssk_component *component, const char *who, ssk_err *err) {
  const struct requirement *need = &requirements[component->kind];
  if (!component->ops)
    return ssk_err_set(err, SSK_EPLUGIN, "%s: its ops struct is missing", who);
  size_t size;
  memcpy(&size, component->ops, sizeof size);
  if (size != need->ops_size) {
    ssk_err_set(err, SSK_EPLUGIN,
                "%s: its ops struct has a size of %zu bytes, this sskit's has %zu", who, size,
                need->ops_size);
    ssk_err_hint(err, "set its member size to sizeof(struct ssk_%s_ops)",
                 ssk_kind_name(component->kind));
    return SSK_EPLUGIN;
  }
  for (const struct slot *slot = need->slots; slot < need->slots + 5 && slot->name; slot++)
    if (is_null(component->ops, slot->offset))
      return ssk_err_set(err, SSK_EPLUGIN, "%s: its required slot '%s' is NULL", who, slot->name);
  const char *reason = NULL;
  if (component->kind == SSK_TRANSITION)
    reason = check_transition(component->ops);
  else if (component->kind == SSK_SUMMARY)
    reason = check_summary(component->ops);
  else if (component->kind == SSK_OBJECTIVE)
    reason = check_objective(component->ops);
  else if (component->kind == SSK_METRIC)
    reason = check_metric(component->ops);
  return reason ? ssk_err_set(err, SSK_EPLUGIN, "%s: %s", who, reason) : SSK_OK;
}

/* ---- the descriptor ----------------------------------------------------------------------------
 */

static bool is_name(const char *name) {
  static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
  static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
  return *name && strchr(lower, *name) && strspn(name, rest) == strlen(name) && strlen(name) < 64;
}

int ssk_contract_name(const char *name, const char *kind, ssk_err *err) {
  if (is_name(name))
    return SSK_OK;
  ssk_err_set(err, SSK_EPLUGIN, "a %s has the invalid name '%.64s'", kind, name);
  ssk_err_hint(err, "names begin with a lower-case letter and go on with lower-case letters, "
                    "digits and underscores, at most 63");
  return SSK_EPLUGIN;
}

int ssk_contract_check(const struct ssk_component *component, ssk_err *err) {
  char who[128];
  if (component->size != sizeof *component) {
    ssk_err_set(err, SSK_EPLUGIN,
                "a component descriptor has a size of %zu bytes, this sskit's has %zu",
                component->size, sizeof *component);
    ssk_err_hint(err, "set its member size to sizeof(struct ssk_component)");
    return SSK_EPLUGIN;
  }
  if ((int)component->kind < 0 || component->kind >= SSK_KIND_COUNT)
    return ssk_err_set(err, SSK_EPLUGIN, "a component has the unknown kind %d",
                       (int)component->kind);
  const char *kind = ssk_kind_name(component->kind);
  if (!component->name)
    return ssk_err_set(err, SSK_EPLUGIN, "a %s has no name", kind);
  int code = ssk_contract_name(component->name, kind, err);
  if (code)
    return code;
  snprintf(who, sizeof who, "%s '%s'", kind, component->name);
  if (!component->summary || !*component->summary || strchr(component->summary, '\n'))
    return ssk_err_set(err, SSK_EPLUGIN, "%s: its summary must be one line of text", who);
  if (!component->doc || !*component->doc)
    return ssk_err_set(err, SSK_EPLUGIN, "%s: its doc is missing", who);
  if (component->self_size == 0) {
    ssk_err_set(err, SSK_EPLUGIN, "%s: its self_size is 0", who);
    ssk_err_hint(err, "set it to sizeof of the component's struct");
    return SSK_EPLUGIN;
  }
  code = check_ops(component, who, err);
  if (!code && component->params)
    code = ssk_contract_rows(component->params, component->self_size, who, err);
  return code;
}
