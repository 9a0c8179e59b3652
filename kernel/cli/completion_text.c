/* SPDX-License-Identifier: GPL-3.0-or-later */
/* completion_text.c - completion scripts of bash and zsh. What plugins provide, and the keys of a
 * recipe, are asked of the program when a word is completed: plugins of one's own are known too. */
#include "cli/interface.h"
#include <ctype.h>
#include <string.h>

/* "--name" or "--name=", and the short form. */
static void add_words(void *user, const struct argp_option *option) {
  struct ssk_text *out = user;
  ssk_text_printf(out, "%s--%s%s", out->length ? " " : "", option->name, option->arg ? "=" : "");
  if (isascii(option->key) && isalpha(option->key))
    ssk_text_printf(out, " -%c", option->key);
}

static void add_list_of_options(const struct ssk_verb *verb, struct ssk_text *out) {
  struct ssk_text words = {0};
  ssk_verb_options(verb, add_words, &words);
  ssk_text_printf(out, "%s --help --version", words.data ? words.data : "");
  out->failed |= words.failed;
  ssk_text_free(&words);
}

void ssk_completion_bash(struct ssk_text *out) {
  ssk_text_add(out, "# bash completion of sskit, made by 'sskit completion bash'\n"
                    "_sskit() {\n"
                    "  local word=${COMP_WORDS[COMP_CWORD]} verb= options= words= keys= recipe= i\n"
                    "  COMPREPLY=()\n"
                    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                    "    case ${COMP_WORDS[i]} in -*) ;; *) verb=${COMP_WORDS[i]}; break ;; esac\n"
                    "  done\n"
                    "  case $verb in\n"
                    "  '')\n    words='");
  for (int i = 0; i < ssk_n_verbs; i++)
    ssk_text_printf(out, "%s%s", i ? " " : "", ssk_verbs[i].name);
  ssk_text_add(out, "'\n    options='");
  add_list_of_options(NULL, out);
  ssk_text_add(out, "' ;;\n");
  for (int i = 0; i < ssk_n_verbs; i++) {
    ssk_text_printf(out, "  %s)\n    options='", ssk_verbs[i].name);
    add_list_of_options(&ssk_verbs[i], out);
    ssk_text_add(out, "'\n");
    if (!strcmp(ssk_verbs[i].name, "list") || !strcmp(ssk_verbs[i].name, "describe"))
      ssk_text_add(out, "    words=$(\"${COMP_WORDS[0]}\" list --names 2>/dev/null)\n");
    ssk_text_add(out, ssk_verb_syntax(&ssk_verbs[i])->overrides ? "    keys=1 ;;\n" : "    ;;\n");
  }
  ssk_text_add(out, "  esac\n"
                    "  for i in \"${COMP_WORDS[@]:2}\"; do\n"
                    "    case $i in *.yaml) recipe=$i ;; esac\n"
                    "    test -z \"$i\" || test ! -f \"$i/recipe.yaml\" || recipe=$i/recipe.yaml\n"
                    "  done\n"
                    "  case $word in\n"
                    "  -*)\n"
                    "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
                    "    case ${COMPREPLY[0]-} in *=) compopt -o nospace ;; esac ;;\n"
                    "  *)\n"
                    "    if test -n \"$words\"; then\n"
                    "      COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                    "    else\n"
                    "      compopt -o filenames\n"
                    "      COMPREPLY=($(compgen -f -- \"$word\"))\n"
                    "      if test -n \"$keys\" && test -f \"$recipe\" && test -n \"$word\"; then\n"
                    "        words=$(\"${COMP_WORDS[0]}\" explain \"$recipe\" 2>/dev/null |\n"
                    "          sed -n 's/ = .*/=/p')\n"
                    "        COMPREPLY+=($(compgen -W \"$words\" -- \"$word\"))\n"
                    "        case ${COMPREPLY[0]-} in *=) compopt -o nospace ;; esac\n"
                    "      fi\n"
                    "    fi ;;\n"
                    "  esac\n"
                    "}\n"
                    "complete -F _sskit sskit\n");
}

/* Text within single quotes and brackets of _arguments. */
static void add_zsh(struct ssk_text *out, const char *text) {
  for (; *text; text++)
    if (*text == '\'')
      ssk_text_add(out, "'\\''");
    else
      ssk_text_printf(out, strchr("[]:\\", *text) ? "\\%c" : "%c", *text);
}

static void add_argument(void *user, const struct argp_option *option) {
  struct ssk_text *out = user;
  ssk_text_printf(out, "      '--%s%s[", option->name, option->arg ? "=" : "");
  add_zsh(out, option->doc ? option->doc : "");
  ssk_text_add(out, "]");
  if (option->arg)
    ssk_text_printf(out, ":%s:_files", option->arg);
  ssk_text_add(out, "' \\\n");
}

void ssk_completion_zsh(struct ssk_text *out) {
  ssk_text_add(out, "#compdef sskit\n"
                    "# zsh completion of sskit, made by 'sskit completion zsh'\n"
                    "local -a verbs\n"
                    "verbs=(\n");
  for (int i = 0; i < ssk_n_verbs; i++) {
    ssk_text_printf(out, "  '%s:", ssk_verbs[i].name);
    add_zsh(out, ssk_verbs[i].help);
    ssk_text_add(out, "'\n");
  }
  ssk_text_add(out, ")\n"
                    "if (( CURRENT == 2 )); then\n"
                    "  _describe verb verbs\n"
                    "  return\n"
                    "fi\n"
                    "case $words[2] in\n");
  for (int i = 0; i < ssk_n_verbs; i++) {
    bool names = !strcmp(ssk_verbs[i].name, "list") || !strcmp(ssk_verbs[i].name, "describe");
    ssk_text_printf(out, "  %s)\n    shift words; (( CURRENT-- ))\n    _arguments \\\n",
                    ssk_verbs[i].name);
    ssk_verb_options(&ssk_verbs[i], add_argument, out);
    ssk_text_printf(out, "      '*:argument:%s' ;;\n",
                    names ? "($(sskit list --names 2>/dev/null))" : "_files");
  }
  ssk_text_add(out, "esac\n");
}
