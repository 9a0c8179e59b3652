#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The command line: help, version, list, describe, check, explain, wrong usage, exit statuses, and
# JSON that a JSON parser (jq, where there is one) accepts.
set -u
work=$(mktemp -d "${TMPDIR:-/tmp}/cli.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
unset NO_COLOR SSKIT_RECIPE_PATH
SSKIT_PLUGIN_DIR=
export SSKIT_PLUGIN_DIR
n=0

# run STATUS ARGUMENT...: runs the program; its output is in out and err
run() {
  wanted=$1
  shift
  said="sskit $*"
  "$SSKIT" "$@" >out 2>err
  status=$?
}

# verdict NAME COMMAND...: ok when the status was right and the command succeeds
verdict() {
  name=$1
  shift
  n=$((n + 1))
  if test "$status" = "$wanted" && "$@" >/dev/null; then
    echo "ok $n - $name"
  else
    echo "# $said: status $status, wanted $wanted"
    sed 's/^/# out: /' out
    sed 's/^/# err: /' err
    echo "not ok $n - $name"
  fi
}

# Conditions on what was printed; each line of the argument list is a fixed string.
out_has() { for text; do grep -qF -e "$text" out || return 1; done; }
err_has() { for text; do grep -qF -e "$text" err || return 1; done; }
err_is() { test "$(cat err)" = "$1" && test ! -s out; }
silent() { test ! -s out && test ! -s err; }

# json FILTER: the output is JSON, and the filter holds on it
json() {
  if command -v jq >/dev/null; then
    jq -e "$1" out
  else
    head -c 1 out | grep -q '[[{]'
  fi
}

cat >base.yaml <<'END'
name: base
data: {use: bimodal}
model:
  latent: 2
  transition: gaussian
training: {steps: 100}
END
cat >good.yaml <<'END'
base: base.yaml
name: good
model:
  transition: {use: linear}
training:
  steps: 50
END
printf 'data: bimodal\nmodel: {transition: gausian, latnt: 2}\n' >bad.yaml
printf 'compare:\n  rows: [oracle, good.yaml, bad.yaml]\n' >study.yaml

# ---- help and version ---------------------------------------------------------------------------

run 0 --help
verdict "--help names all verbs and exit statuses" out_has "Usage: sskit" "  list " "  describe " \
  "  check " "  explain " "Exit status:" "  0  success" "  9  stopped by a signal" --plugin-dir --json \
  --quiet --verbose --no-colour NO_COLOR SSKIT_PLUGIN_PATH
run 0 --version
verdict "--version" grep -Eq '^sskit [0-9]+\.[0-9]+\.[0-9]+ \(plugin ABI [0-9]+, (single|double) precision, (without MPI|.* [vV]?[0-9][0-9.]*)\)$' out
for verb in $("$SSKIT" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
  run 0 "$verb" --help
  verdict "$verb --help" out_has "Usage: sskit $verb [OPTION...]" --plugin-dir --json
done
"$SSKIT" --help >whole
run 0 help
verdict "help is --help" cmp whole out
run 0 help help
verdict "help help, too" cmp whole out
"$SSKIT" train --help >whole
run 0 help train
verdict "help VERB is VERB --help" cmp whole out

# ---- wrong usage --------------------------------------------------------------------------------

run 2
verdict "no verb" err_is "sskit: error: no verb was given
      = hint: 'sskit --help' lists the verbs"
run 2 lst
verdict "an unknown verb has a near one" err_is "sskit: error: there is no verb 'lst'
      = hint: did you mean 'list'?"
run 2 frobnicate
verdict "an unknown verb has none near" err_is "sskit: error: there is no verb 'frobnicate'
      = hint: 'sskit --help' lists the verbs"
run 2 --frobnicate list
verdict "an unknown option" err_has "--frobnicate" "sskit --help"
run 2 list --frobnicate
verdict "an unknown option of a verb" err_has "--frobnicate" "sskit list --help"
run 2 check
verdict "too few arguments" err_is "sskit: error: 'sskit check' needs more arguments
      = hint: usage: sskit check RECIPE [KEY=VALUE...]"
run 2 list transition emission
verdict "too many arguments" err_has "does not take the argument 'emission'"
run 2 list model.latent=2
verdict "an override where none belongs" err_has "does not take the override 'model.latent=2'"
run 2 list transitoin
verdict "an unknown kind" err_has "there is no kind 'transitoin'" "did you mean 'transition'?"

# ---- list ---------------------------------------------------------------------------------------

run 0 list
verdict "list names all kinds" test "$(grep -c '^[a-z]*$' out)" = 13
run 0 list transition
verdict "list KIND" out_has transition "  gaussian " "  diffusion "
verdict "list KIND names that kind only" test "$(grep -c '^[a-z]*$' out)" = 1
run 0 --json list transition
verdict "list --json before the verb" json '.components | length > 1 and all(.kind == "transition" and .file != "")'
run 0 list --json
verdict "list --json behind the verb" json '.refused == [] and ([.components[].kind] | unique | length == 13)'
if test -w /dev/full; then
  "$SSKIT" list >/dev/full 2>err
  status=$? wanted=6 said="sskit list >/dev/full"
  verdict "a full disk" err_has "cannot write standard output: No space left on device"
fi

# ---- describe -----------------------------------------------------------------------------------

run 0 describe transition diffusion
verdict "describe KIND NAME" out_has "transition diffusion - " Parameters "  levels: int in [" "default"
run 0 describe gru
verdict "describe NAME finds all kinds" out_has "summary gru - " "mixer gru - "
run 0 describe diffusion --json
verdict "describe --json" json '.[0] | .kind == "transition" and (.parameters[] | select(.name == "levels") | .type == "int" and .min <= (.default | tonumber) and .required == false)'
run 4 describe transition diffusoin
verdict "describe of an unknown name" err_is "sskit: error: there is no transition 'diffusoin'
      = hint: did you mean 'diffusion'?"
run 4 describe transition gru
verdict "describe of a name of another kind" err_has "there is no transition 'gru'" "'gru' is a"
run 2 describe transitoin gaussian
verdict "describe of an unknown kind" err_has "there is no kind 'transitoin'"
SSKIT_PLUGIN_PATH='' "$SSKIT" describe gaussian >out 2>err
status=$? wanted=4 said="sskit describe gaussian, without plugins"
verdict "no plugins at all" err_is "sskit: error: there is no component 'gaussian'
      = hint: no plugin provides a component: see --plugin-dir and SSKIT_PLUGIN_PATH"

# ---- check --------------------------------------------------------------------------------------

run 0 check good.yaml
verdict "check of a good recipe" test "$(cat out)" = "good.yaml: no errors"
run 0 check -q good.yaml
verdict "check -q says nothing" silent
run 3 check bad.yaml
verdict "check reports all errors, the first gives the status" err_has "bad.yaml:2:21: error: there is no transition 'gausian'" \
  "did you mean 'gaussian'?" "bad.yaml:2:30: error: unknown key 'latnt'"
run 3 check bad.yaml --json
verdict "check --json" json '.ok == false and .count == (.diagnostics | length) and (.diagnostics[0] | .file == "bad.yaml" and .line == 2)'
run 0 check good.yaml --json
verdict "check --json of a good recipe" json '.ok and .diagnostics == []'
run 3 check good.yaml training.steps=0
verdict "check of an override" err_has "training.steps=0" "'steps' must be an integer from 1"
run 3 check study.yaml
verdict "check of a study checks its rows" err_has "bad.yaml:2:21: error: there is no transition 'gausian'"
run 6 check none.yaml
verdict "check of a file that does not exist" err_has "none.yaml" "No such file or directory"
run 6 evaluate none
verdict "a run that does not exist" err_has "cannot read 'none': No such file or directory" \
  "a run directory or a checkpoint file is expected"

# ---- explain ------------------------------------------------------------------------------------

run 0 explain good.yaml training.steps training.steps=20
verdict "explain tells the origin and what it replaced" out_has "training.steps = 20" \
  "from override 'training.steps=20'" "replaced 50 from good.yaml:6" "replaced 100 from base.yaml:6" \
  "default 1000"
run 0 explain good.yaml model.order
verdict "explain of a default" out_has "model.order = 1" "from default"
run 0 explain good.yaml evaluate.metrics.0.level 'evaluate.metrics={use: coverage, level: 0.5}'
verdict "explain of one where a list may stand" out_has "evaluate.metrics.0.level = 0.5" "override"
run 0 explain good.yaml model.transition.use
verdict "explain of a component" out_has "model.transition = linear" "good.yaml:4"
run 0 explain good.yaml training --json
verdict "explain --json" json '(.[] | select(.key == "training.steps") | .value == 50 and .origin.file == "good.yaml" and .origin.line == 6 and .replaced[0].value == "100")'
run 0 explain good.yaml
verdict "explain of a whole recipe" out_has "name = good" "evaluate.metrics.0 = "
run 2 explain good.yaml training.stpes
verdict "explain of an unknown key" err_is "sskit: error: there is no key 'stpes' in 'training'
      = hint: did you mean 'steps'?"

# ---- colours ------------------------------------------------------------------------------------

if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then # there is a terminal to be had
  escape=$(printf '\033')
  said="sskit lst on a terminal" wanted=0
  TERM=xterm script -qec "'$SSKIT' lst" /dev/null >out 2>err </dev/null
  status=0
  verdict "colours on a terminal" grep -q "$escape\[1;31m" out
  NO_COLOR=1 TERM=xterm script -qec "'$SSKIT' lst" /dev/null >out 2>err </dev/null
  verdict "NO_COLOR switches them off" sh -c "grep -q 'there is no verb' out && ! grep -q '$escape' out"
  TERM=xterm script -qec "'$SSKIT' --no-colour lst" /dev/null >out 2>err </dev/null
  verdict "--no-colour switches them off" sh -c "grep -q 'there is no verb' out && ! grep -q '$escape' out"
fi
echo "1..$n"
