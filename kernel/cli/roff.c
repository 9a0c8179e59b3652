/* SPDX-License-Identifier: GPL-3.0-or-later */
/* roff.c - what manual pages are made of, in the language man(7). */
#include "cli/roff.h"
#include <sskit/plugin.h>
#include <string.h>

static void add(struct ssk_text *out, const char *text, size_t n) {
  bool start = true;
  for (; n > 0 && *text; text++, n--) {
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

void ssk_roff_text(struct ssk_text *out, const char *text) {
  add(out, text, strlen(text));
}

void ssk_roff_title(struct ssk_text *out, const char *name, int section) {
  ssk_text_add(out, ".TH ");
  ssk_roff_text(out, name);
  ssk_text_printf(out, " %d \"\" \"sskit %s\"\n", section, SSK_KERNEL_VERSION);
}

static void add_heading(struct ssk_text *out, const char *macro, const char *title) {
  ssk_text_printf(out, ".%s \"", macro);
  ssk_roff_text(out, title);
  ssk_text_add(out, "\"\n");
}

void ssk_roff_section(struct ssk_text *out, const char *title) {
  add_heading(out, "SH", title);
}

void ssk_roff_subsection(struct ssk_text *out, const char *title) {
  add_heading(out, "SS", title);
}

void ssk_roff_prose(struct ssk_text *out, const char *prose, const char *macro) {
  bool first = true, open = false, kept = false;
  while (*prose) {
    const size_t n = strcspn(prose, "\n");
    const bool keep = n > 0 && *prose == ' ';
    if (kept && !keep)
      ssk_text_add(out, ".fi\n");
    if (n > 0 && !open && !first)
      ssk_text_printf(out, ".%s\n", macro);
    if (keep && !kept)
      ssk_text_add(out, ".nf\n");
    add(out, prose, n);
    if (n > 0)
      ssk_text_add(out, "\n");
    open = n > 0;
    first = false;
    kept = keep;
    prose += n + (prose[n] == '\n');
  }
  if (kept)
    ssk_text_add(out, ".fi\n");
}

void ssk_roff_item(struct ssk_text *out, const char *word, const char *more) {
  ssk_text_add(out, ".TP\n\\fB");
  ssk_roff_text(out, word);
  ssk_text_add(out, "\\fR");
  if (more) {
    ssk_text_add(out, " ");
    ssk_roff_text(out, more);
  }
  ssk_text_add(out, "\n");
}
