/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manual_tables.c - the reference: sskit-recipe(5), every key, and sskit-components(7), every
 * component with its parameters, from the rows that recipes are read by. */
#include "cli/cli.h"
#include "cli/manual.h"
#include "cli/page.h"
#include "cli/roff.h"
#include "model/expect.h"
#include "model/study.h"
#include "sweep/recipe.h"
#include <ctype.h>

/* Keys of sections are dotted, as overrides name them. */
static void add_rows(struct ssk_text *out, const struct ssk_param *rows, const char *prefix) {
  for (; rows && rows->name; rows++) {
    struct ssk_text key = {0}, type = {0};
    ssk_text_printf(&key, "%s%s", prefix, rows->name);
    ssk_page_type(&type, rows);
    if (key.failed || type.failed) {
      out->failed = true;
    } else {
      ssk_roff_item(out, key.data, NULL);
      ssk_roff_text(out, type.data);
      ssk_text_add(out, ".\n.br\n");
      ssk_roff_prose(out, rows->doc ? rows->doc : "", "IP");
    }
    if (rows->type == SSK_T_SECTION) {
      ssk_text_add(&key, ".");
      add_rows(out, rows->rows, key.data ? key.data : "");
    }
    ssk_text_free(&key);
    ssk_text_free(&type);
  }
}

/* The title of a page, its name and what it is. */
static void add_head(struct ssk_text *out, const char *title, int section, const char *name,
                     const char *what) {
  ssk_roff_title(out, title, section);
  ssk_roff_section(out, "NAME");
  ssk_roff_text(out, name);
  ssk_text_add(out, " \\- ");
  ssk_roff_text(out, what);
  ssk_text_add(out, "\n");
  ssk_roff_section(out, "DESCRIPTION");
}

static void add_see(struct ssk_text *out, const char *other, int section) {
  ssk_roff_section(out, "SEE ALSO");
  ssk_text_add(out, "\\fBsskit\\fR(1), \\fB");
  ssk_roff_text(out, other);
  ssk_text_printf(out, "\\fR(%d)\n", section);
}

static void add_keys(struct ssk_text *out, const char *title, const char *what,
                     const struct ssk_param *rows, const char *prefix) {
  ssk_roff_section(out, title);
  ssk_roff_prose(out, what, "PP");
  add_rows(out, rows, prefix);
}

void ssk_manual_recipe(struct ssk_text *out) {
  add_head(out, "SSKIT-RECIPE", 5, "sskit-recipe", "recipes, studies and sweeps");
  ssk_roff_prose(
      out,
      "A recipe is a YAML file that says what a model is made of, what it is trained on, and how. "
      "Every key has a default unless it is said to be required; 'sskit explain RECIPE KEY' shows "
      "a value and where it came from, 'sskit check RECIPE' all that is wrong with it, and "
      "KEY=VALUE on the command line stands above the file, with dotted keys as below.\n"
      "\n"
      "`base:` names a file, or a list of files, that the recipe is merged over: maps key by key, "
      "other values whole; `KEY+:` appends to the list of a base. A component is its name, or a "
      "map of `use: NAME` and its parameters, which sskit-components(7) lists:\n"
      "    model:\n"
      "      transition: {use: diffusion, levels: 128}",
      "PP");
  add_keys(out, "RECIPES", "What is trained and evaluated.", ssk_experiment_rows, "");
  add_keys(out, "STUDIES",
           "A file with `compare:` trains the recipes of its rows and holds them "
           "against each other: sskit-compare(1).",
           ssk_study_rows, "");
  add_keys(out, "SWEEPS", "A recipe with `sweep:` is searched in its axes: sskit-sweep(1).",
           ssk_sweep_rows, "");
  add_keys(out, "EXPECTED FIGURES",
           "`expect:` is a list of published figures and `quick:` a shorter training with its own: "
           "sskit-reproduce(1).",
           ssk_expect_rows, "expect.");
  add_rows(out, ssk_quick_rows, "quick.");
  add_see(out, "sskit-components", 7);
}

static void add_component(struct ssk_text *out, const struct ssk_component *component) {
  ssk_roff_subsection(out, component->name);
  ssk_roff_text(out, component->summary);
  ssk_text_add(out, ".\n.PP\n");
  ssk_roff_prose(out, component->doc ? component->doc : "", "PP");
  add_rows(out, component->params, "");
}

void ssk_manual_components(const struct ssk_registry *registry, struct ssk_text *out) {
  add_head(out, "SSKIT-COMPONENTS", 7, "sskit-components", "what recipes put models together from");
  ssk_roff_prose(out,
                 "By kind, the components that plugins provide, each with its parameters: type, "
                 "range, unit and default. 'sskit list' and 'sskit describe' say the same of all "
                 "plugins that are there, those of your own too.",
                 "PP");
  for (int kind = 0; kind < SSK_KIND_COUNT; kind++) {
    char title[32];
    int n = 0;
    for (const char *c = ssk_kind_name(kind); *c && n < (int)sizeof title - 1; c++)
      title[n++] = (char)toupper((unsigned char)*c);
    title[n] = '\0';
    ssk_roff_section(out, title);
    const struct ssk_component *component;
    for (int i = 0; (component = ssk_registry_at(registry, i, NULL)); i++)
      if ((int)component->kind == kind)
        add_component(out, component);
  }
  add_see(out, "sskit-recipe", 5);
}
