/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_html.c - the frame of a page. */
#include "report/report_html.h"
#include "core/file.h"
#include <stdlib.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark;--paper:#fff;--ink:#282828;--soft:#6e6e6e;--line:#dcdcdc}\n"
    "body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--paper);color:var(--ink);"
    "font:1rem/1.5 system-ui,sans-serif;overflow-wrap:break-word}\n"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin:0}\n"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,36rem),1fr));"
    "gap:1rem}\n"
    "figure{margin:0;min-width:0;padding:.75rem;border:1px solid var(--line);border-radius:.5rem}\n"
    /* Text keeps a size that can be read: a narrow screen scrolls within the box. */
    "figure svg{display:block;width:100%;min-width:34rem;height:auto}\n"
    "figcaption{color:var(--soft);font-size:.9rem}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.25rem .75rem;text-align:right;border-bottom:1px solid var(--line);"
    "white-space:nowrap}th:first-child,td:first-child{text-align:left}\n"
    "details{margin:1rem 0}pre{overflow-x:auto;font-size:.85rem}dt{font-weight:600}dd{margin:0 0 "
    ".5rem 1rem}\n"
    "@media(prefers-color-scheme:dark){\n:root{--paper:#161616;--ink:#e4e4e4;--soft:#a8a8a8;"
    "--line:#444}}\n";

void ssk_html_text(struct ssk_text *out, const char *text) {
  for (; *text; text++)
    switch (*text) {
    case '&':
      ssk_text_add(out, "&amp;");
      break;
    case '<':
      ssk_text_add(out, "&lt;");
      break;
    case '>':
      ssk_text_add(out, "&gt;");
      break;
    case '"':
      ssk_text_add(out, "&quot;");
      break;
    default:
      ssk_text_printf(out, "%c", *text);
    }
}

void ssk_html_begin(struct ssk_text *out, const char *title) {
  ssk_text_add(out, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                    "<title>");
  ssk_html_text(out, title);
  ssk_text_add(out, "</title>\n<style>\n");
  ssk_text_add(out, style);
  ssk_text_add(out, "</style>\n<h1>");
  ssk_html_text(out, title);
  ssk_text_add(out, "</h1>\n");
}

void ssk_html_end(struct ssk_text *out) {
  ssk_text_add(out, "</html>\n");
}

void ssk_html_plots(struct ssk_text *out, const struct ssk_plots *plots) {
  ssk_text_add(out, "<div class=\"figures\">\n");
  for (int i = 0; i < plots->n; i++) {
    const char *svg = plots->items[i].svg.data ? strstr(plots->items[i].svg.data, "<svg") : NULL;
    ssk_text_add(out, "<figure>\n<h2>");
    ssk_html_text(out, plots->items[i].title);
    ssk_text_add(out, "</h2>\n<div class=\"wide\">");
    ssk_text_add(out, svg ? svg : ""); /* without the declaration of XML */
    ssk_text_add(out, "</div>\n<figcaption>");
    ssk_html_text(out, plots->items[i].note);
    ssk_text_printf(out, " (plots/%s.tsv, plots/%s.gp)</figcaption>\n</figure>\n",
                    plots->items[i].name, plots->items[i].name);
  }
  ssk_text_add(out, "</div>\n");
}

static int no_memory(const char *folder, ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the report of '%s'", folder);
}

int ssk_html_draw(struct ssk_plots *plots, const char *folder, ssk_err *err) {
  char *place = ssk_path_join(folder, "plots");
  int code = place ? ssk_plots_draw(plots, place, err) : no_memory(folder, err);
  free(place);
  return code;
}

int ssk_html_write(const struct ssk_text *page, const char *folder, ssk_err *err) {
  char *path = ssk_path_join(folder, "report.html");
  int code = path && !page->failed ? ssk_file_write(path, page->data, page->length, err)
                                   : no_memory(folder, err);
  free(path);
  return code;
}
