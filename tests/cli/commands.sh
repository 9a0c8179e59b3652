#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every command of every document is run: those in boxes marked sh, in their order, and in the text those with a
# recipe of recipes/. Pages that a test of their own follows are left to it, but for their text. tests/support/not-run
# lists what no test can run. So that it takes seconds, trainings have two steps here, evaluations two series.
# What is but mentioned in the text (`sskit VERB --option`, bench/NAME) must be there.
set -u
if test -n "$SSKIT_SANITIZED"; then
  echo "1..0 # SKIP other tests have the same verbs under sanitizers"
  exit 0
fi
. "$top_srcdir/tests/support/tap.sh"
. "$top_srcdir/tests/support/postgres.sh"
. "$top_srcdir/tests/support/small.sh"
cd "$work" || exit 99
trap 'stop_postgres; rm -rf "$work"' EXIT
HOME=$work XDG_CACHE_HOME=$work/cache
export HOME XDG_CACHE_HOME
documents=$(cd "$top_srcdir" && ls README.md docs/*.md docs/results/*.md bench/README.md datasets/README.md)

# text PAGE: what stands outside of boxes, in one line
text() {
  awk '/^```/ { box = !box; next } !box' "$1" | tr '\n' ' '
}

# has_own_test DOCUMENT
has_own_test() {
  grep -qE "^[[:space:]]*(follow |page=|.*/outsider\.sh ).*/$1\"?\$" "$top_srcdir"/tests/cli/*.sh "$top_srcdir/Makefile.am"
}

# Lines that look like a command, but are in no box marked sh, nor in a named script for bash.
unmarked() {
  awk '/^`[^`]*`:$/ { named = 1 }
    /^```/ { marked = /^```sh$/ || (named && /^```bash$/); named = 0; box = !box; next }
    marked && box { next }
    /^    #!/ { script = 1 } # what a command prints
    script && /^(    |$)/ { next }
    { script = 0; line = $0 }
    !box && !sub(/^    /, "", line) { next }
    { sub(/^(\$ )?([A-Z_]+=[^ ]* +)*/, "", line) }
    line ~ /^(sskit|make|mpirun|srun|sbatch|sudo|apt-get|createdb|cd|export|(\.\.?|bench|scripts|SRC|BUILD)\/[^ ]*)( |$)/'
}

# Print what is wrong with mentions in a text on standard input, as "MENTION: WHAT".
wrong() {
  grep -oE '`[^`]+`' | tr -d '`' | sed -E 's,^([A-Z_]+=[^ ]* +)*(\./)?,,' >mentions
  grep -oE '^sskit [a-z]+( [^;|&<>]*)?' mentions | while read -r _ verb rest; do
    if ! test -s "$work/$verb.help"; then
      "$SSKIT" "$verb" --help >"$work/$verb.help" 2>/dev/null || { echo "sskit $verb: no such verb" && continue; }
    fi
    for word in $rest; do
      case $word in
      --*) grep -q -e "${word%%=*}\>" "$work/$verb.help" || echo "sskit $verb $rest: no option $word" ;;
      esac
    done
  done
  grep -oE '^(bench|scripts)/[a-z_]+( |$)' mentions | while read -r program; do
    test -x "$top_srcdir/$program" || test -x "$top_builddir/$program" || echo "$program: is not there"
  done
}

# missing COMMANDS: these need something that is not here, as `why` says
missing() {
  if grep -q 'sskit plot' "$1" && ! command -v gnuplot >/dev/null; then
    why="there is no gnuplot"
  elif grep -q 'bench/samplers' "$1" && ! command -v python3 >/dev/null; then
    why="there is no python3"
  else
    grep -q 'postgresql:' "$1" && ! have_server
  fi
}

# A server for sweeps; status 1 with the reason in `why` where there is none.
have_server() {
  why="this build has no PostgreSQL"
  "$SSKIT" --version | grep -q PostgreSQL && start_postgres || return 1
  SERVER=$server CREATEDB=$bin/createdb SWEEPS="postgresql://sskit@/sweeps?host=$server"
  export SERVER CREATEDB SWEEPS
}

# What a page takes to be there: the sources, a build folder, a recipe of a sweep, runs.
prepare() {
  ln -s "$top_srcdir/recipes" .
  mkdir bench
  ln -s "$top_srcdir"/bench/* bench
  rm -f bench/variance
  printf '#!/bin/sh\nexec "%s/bench/variance" "$1" 3\n' "$top_builddir" >bench/variance
  chmod +x bench/variance
  ln -s "$top_srcdir" SRC
  ln -s . BUILD
  ln -s "$top_builddir/plugins-stage" "$work/bin/sskit" .
  cat >sweep.yaml <<END
name: wave
sweep:
  recipe: recipes/smoke/transition_gaussian.yaml
  metric: crps
  trials: 2
  axes: {model.latent: {int: [1, 4]}}
END
  case $1 in
  docs/reports.md | bench/README.md) sskit train recipes/bimodal/ddssm.yaml -o runs/a ;;
  docs/runs.md) sskit train recipes/smoke/transition_gaussian.yaml -o runs/a ;;
  esac
  case $1 in
  docs/reports.md)
    sskit compare recipes/bimodal/compare.yaml -o study
    sskit sweep sweep.yaml -o runs/sweep
    ;;
  docs/runs.md)
    sskit train recipes/smoke/transition_gaussian.yaml model.latent=8 -o runs/b
    sskit train recipes/smoke/transition_gaussian.yaml model.latent=8 seed=2 -o runs/c
    ;;
  esac
}

# Public data are where SSKIT_DATA says: without it, commands that need them go into the file `unrun`, with those
# behind them in a box.
without_data() {
  if test -n "${SSKIT_DATA-}"; then
    cat
  else
    awk '/^```/ { rest = 0 } /^sskit .*recipes\/(music|forecasting)\// { rest = 1 } rest { print >"unrun"; next } 1'
  fi
}

# try DOCUMENT: a point of running its commands, in a folder of its own
try() {
  source=$top_srcdir/$1
  mkdir -p "$work/pages/$1" && cd "$work/pages/$1" || exit 99
  : >unrun
  (
    has_own_test "$1" || cat "$source"
    printf '\n```sh\n'
    text "$source" | grep -oE '`sskit [^`]* recipes/[^`]*`' | tr -d '`' | sort -u | while read -r command; do
      grep -qxE "$(printf %s "$command" | sed 's/[].[*^$\\]/\\&/g')( +#.*)?" "$source" || echo "$command"
    done
    printf '```\n'
  ) | without_data >page.md
  while read -r command; do
    skip "$1: ${command%% \#*}" "needs public data, and SSKIT_DATA is not set"
  done <unrun
  awk '/^```/ { box = /^```sh$/; next } box' page.md >wanted
  if test ! -s wanted; then
    : # a page without commands, or with a test of its own
  elif missing wanted; then
    skip "$1: its commands run" "$why"
  else
    prepare "$1" >prepared.log 2>&1
    walk page.md
    status=$?
    test $status = 0 || sed 's/^/# /' prepared.log commands.log
    point "$1: its commands run" test $status = 0
  fi
  cd "$work" || exit 99
}

make_small
PATH=$work/bin:$PATH
for document in $documents; do
  try "$document"
  unmarked <"$top_srcdir/$document" >found
  text "$top_srcdir/$document" | wrong >>found
  sed 's/^/# /' found
  point "$document: what it mentions is there" test ! -s found
done

# The list of what is not run names nothing that no document has.
for document in $documents; do
  awk '/^```/ { box = /^```sh$/; next } box' "$top_srcdir/$document" | sed -E 's/ +(# .*|\\)$//'
done | sort -u >commands
grep '^[^#]' "$top_srcdir/tests/support/not-run" | sort >listed
comm -13 commands listed >gone
sed 's/^/# in no document: /' gone
point "what is not run stands in a document" test -s listed -a ! -s gone

# What is wrong is found.
printf '```sh\nsskit list >kinds\nsskit check recipes/none.yaml\nsskit list >after\n```\n' >bad.md
walk bad.md
point "a command that fails is noticed" test $? != 0 -a -s kinds -a ! -e after
# reached METRIC: the status of reproducing a recipe that expects of it what no training reaches
reached() {
  cat >expects.yaml <<END
base: $top_srcdir/recipes/smoke/transition_gaussian.yaml
evaluate: {metrics: [$1]}
expect:
  - {metric: $1, definition: $1, value: -7, tolerance: 0, source: "nobody"}
END
  sskit reproduce -q expects.yaml -o "reproduced/$1" >reproduced.log 2>&1
}
point "what two steps do not reach is none" reached crps
reached kernel_wasserstein # its latents are not those of the data
point "... a figure that cannot be had is" test $? = 1
printf '    sskit list\n```sh\nsskit list\n```\n```\nA=1 bench/ops\n```\nmake it\n' | unmarked >found
printf '    sskit list\nA=1 bench/ops\n' >wanted
point "... one in no box of commands" cmp found wanted
printf '`sskit frobnicate`, `sskit train R --thread 2`, `sskit runs ls`, `bench/none 3` or `bench/run`' | wrong >found
printf 'sskit frobnicate: no such verb\nsskit train R --thread 2: no option --thread\nbench/none: is not there\n' >wanted
point "... a mention of what is not there" cmp found wanted

echo "1..$n"
