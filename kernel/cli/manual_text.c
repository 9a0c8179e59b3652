/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manual_text.c - the manual pages of the program and of its verbs. */
#include "cli/manual.h"
#include "cli/roff.h"
#include <ctype.h>
#include <string.h>

/* Lines "  name  what it is" as a list. */
static void add_lines(struct ssk_text *out, const char *lines) {
  while (*lines) {
    lines += strspn(lines, " ");
    size_t name = strcspn(lines, " "), line = strcspn(lines, "\n");
    char word[64], rest[256];
    snprintf(word, sizeof word, "%.*s", (int)name, lines);
    size_t gap = name + strspn(lines + name, " ");
    snprintf(rest, sizeof rest, "%.*s", (int)(line - gap), lines + gap);
    ssk_roff_item(out, word, NULL);
    ssk_roff_text(out, rest);
    ssk_text_add(out, "\n");
    lines += line + (lines[line] == '\n');
  }
}

static void add_option(void *user, const struct argp_option *option) {
  struct ssk_text *out = user;
  ssk_text_add(out, ".TP\n");
  if (isascii(option->key) && isalpha(option->key))
    ssk_text_printf(out, "\\fB\\-%c\\fR, ", option->key);
  ssk_text_add(out, "\\fB\\-\\-");
  ssk_roff_text(out, option->name);
  ssk_text_add(out, "\\fR");
  if (option->arg)
    ssk_text_printf(out, "=\\fI%s\\fR", option->arg);
  ssk_text_add(out, "\n");
  ssk_roff_text(out, option->doc ? option->doc : "");
  ssk_text_add(out, "\n");
}

static void add_program(struct ssk_text *out) {
  ssk_roff_title(out, "SSKIT", 1);
  ssk_roff_section(out, "NAME");
  ssk_text_add(out, "sskit \\- deep state\\-space models of time series\n");
  ssk_roff_section(out, "SYNOPSIS");
  ssk_text_add(out, "\\fBsskit\\fR \\fIVERB\\fR [\\fIARGUMENT\\fR...]\n");
  ssk_roff_section(out, "DESCRIPTION");
  ssk_text_add(
      out,
      "Train, evaluate and compare deep state\\-space models that recipes describe and "
      "plugins make up. \\(oqsskit manual VERB | man \\-l \\-\\(cq shows the page of a verb.\n");
  ssk_roff_section(out, "VERBS");
  for (int i = 0; i < ssk_n_verbs; i++) {
    ssk_roff_item(out, ssk_verbs[i].name, ssk_verbs[i].args);
    ssk_roff_text(out, ssk_verbs[i].help);
    ssk_text_add(out, "\n");
  }
}

static void add_verb(const struct ssk_verb *verb, struct ssk_text *out) {
  char title[64];
  snprintf(title, sizeof title, "SSKIT-%s", verb->name);
  ssk_roff_title(out, title, 1);
  ssk_roff_section(out, "NAME");
  ssk_text_printf(out, "sskit\\-%s \\- ", verb->name);
  ssk_roff_text(out, verb->help);
  ssk_text_add(out, "\n");
  ssk_roff_section(out, "SYNOPSIS");
  ssk_text_printf(out, "\\fBsskit %s\\fR [\\fIOPTION\\fR...] ", verb->name);
  ssk_roff_text(out, verb->args);
  ssk_text_add(out, "\n");
  ssk_roff_section(out, "DESCRIPTION");
  ssk_roff_prose(out, ssk_verb_syntax(verb)->doc, "PP");
}

void ssk_manual_program(const struct ssk_verb *verb, struct ssk_text *out) {
  if (verb)
    add_verb(verb, out);
  else
    add_program(out);
  ssk_roff_section(out, "OPTIONS");
  ssk_verb_options(verb, add_option, out);
  ssk_text_add(out, ".TP\n\\fB\\-?\\fR, \\fB\\-\\-help\\fR\nexplain the command line\n"
                    ".TP\n\\fB\\-V\\fR, \\fB\\-\\-version\\fR\nsay which version this is\n");
  ssk_roff_section(out, "EXIT STATUS");
  add_lines(out, ssk_exit_statuses);
  ssk_roff_section(out, "ENVIRONMENT");
  add_lines(out, ssk_environment);
  ssk_roff_section(out, "SEE ALSO");
  ssk_text_add(out, "\\fBsskit\\-recipe\\fR(5), \\fBsskit\\-components\\fR(7)\n");
}
