/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manual_text.c - manual pages in the language man(7). */
#include "cli/interface.h"
#include <ctype.h>
#include <sskit/plugin.h>
#include <string.h>

/* Text that troff must not read as its own: backslashes, hyphens, and dots or quotes at the start
 * of a line. */
static void add_roff(struct ssk_text *out, const char *text) {
  bool start = true;
  for (; *text; text++) {
    if (start && (*text == '.' || *text == '\''))
      ssk_text_add(out, "\\&");
    start = *text == '\n';
    if (*text == '\\')
      ssk_text_add(out, "\\e");
    else if (*text == '-')
      ssk_text_add(out, "\\-");
    else
      ssk_text_printf(out, "%c", *text);
  }
}

static void add_section(struct ssk_text *out, const char *title) {
  ssk_text_printf(out, ".SH %s\n", title);
}

/* Paragraphs are separated by empty lines. */
static void add_prose(struct ssk_text *out, const char *prose) {
  while (*prose) {
    const char *end = strstr(prose, "\n\n");
    char paragraph[4096];
    size_t n = end ? (size_t)(end - prose) : strlen(prose);
    snprintf(paragraph, sizeof paragraph, "%.*s", (int)n, prose);
    ssk_text_add(out, ".PP\n");
    add_roff(out, paragraph);
    ssk_text_add(out, "\n");
    prose += n + (end ? 2 : 0);
  }
}

/* Lines "  name  what it is" as a list. */
static void add_lines(struct ssk_text *out, const char *lines) {
  while (*lines) {
    lines += strspn(lines, " ");
    size_t name = strcspn(lines, " "), line = strcspn(lines, "\n");
    char word[64], rest[256];
    snprintf(word, sizeof word, "%.*s", (int)name, lines);
    size_t gap = name + strspn(lines + name, " ");
    snprintf(rest, sizeof rest, "%.*s", (int)(line - gap), lines + gap);
    ssk_text_add(out, ".TP\n\\fB");
    add_roff(out, word);
    ssk_text_add(out, "\\fR\n");
    add_roff(out, rest);
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
  add_roff(out, option->name);
  ssk_text_add(out, "\\fR");
  if (option->arg)
    ssk_text_printf(out, "=\\fI%s\\fR", option->arg);
  ssk_text_add(out, "\n");
  add_roff(out, option->doc ? option->doc : "");
  ssk_text_add(out, "\n");
}

static void add_program(struct ssk_text *out) {
  ssk_text_printf(out, ".TH SSKIT 1 \"\" \"sskit %s\"\n", SSK_KERNEL_VERSION);
  add_section(out, "NAME");
  ssk_text_add(out, "sskit \\- deep state\\-space models of time series\n");
  add_section(out, "SYNOPSIS");
  ssk_text_add(out, "\\fBsskit\\fR \\fIVERB\\fR [\\fIARGUMENT\\fR...]\n");
  add_section(out, "DESCRIPTION");
  ssk_text_add(
      out,
      "Train, evaluate and compare deep state\\-space models that recipes describe and "
      "plugins make up. \\(oqsskit manual VERB | man \\-l \\-\\(cq shows the page of a verb.\n");
  add_section(out, "VERBS");
  for (int i = 0; i < ssk_n_verbs; i++) {
    ssk_text_printf(out, ".TP\n\\fB%s\\fR ", ssk_verbs[i].name);
    add_roff(out, ssk_verbs[i].args);
    ssk_text_add(out, "\n");
    add_roff(out, ssk_verbs[i].help);
    ssk_text_add(out, "\n");
  }
}

static void add_verb(const struct ssk_verb *verb, struct ssk_text *out) {
  ssk_text_printf(out, ".TH SSKIT\\-%s 1 \"\" \"sskit %s\"\n", verb->name, SSK_KERNEL_VERSION);
  add_section(out, "NAME");
  ssk_text_printf(out, "sskit\\-%s \\- ", verb->name);
  add_roff(out, verb->help);
  ssk_text_add(out, "\n");
  add_section(out, "SYNOPSIS");
  ssk_text_printf(out, "\\fBsskit %s\\fR [\\fIOPTION\\fR...] ", verb->name);
  add_roff(out, verb->args);
  ssk_text_add(out, "\n");
  add_section(out, "DESCRIPTION");
  add_prose(out, ssk_verb_syntax(verb)->doc);
}

void ssk_manual_write(const struct ssk_verb *verb, struct ssk_text *out) {
  if (verb)
    add_verb(verb, out);
  else
    add_program(out);
  add_section(out, "OPTIONS");
  ssk_verb_options(verb, add_option, out);
  ssk_text_add(out, ".TP\n\\fB\\-?\\fR, \\fB\\-\\-help\\fR\nexplain the command line\n"
                    ".TP\n\\fB\\-V\\fR, \\fB\\-\\-version\\fR\nsay which version this is\n");
  add_section(out, "EXIT STATUS");
  add_lines(out, ssk_exit_statuses);
  add_section(out, "ENVIRONMENT");
  add_lines(out, ssk_environment);
}
