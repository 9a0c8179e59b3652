#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The index of runs is a cache: whatever happens to the runs or to it, what is printed is what the
# directories hold. That it is used at all is in tests/unit/test_runs_index.c.
set -u
. "$top_srcdir/tests/support/tap.sh"
recipe=$top_srcdir/recipes/smoke/transition_gaussian.yaml
cd "$work" || exit 99
XDG_CACHE_HOME=$work/cache
export XDG_CACHE_HOME
index=cache/sskit/runs.sqlite

# same NAME: with and without the index all is the same, byte by byte
same() {
  status=0
  for what in "ls" "ls runs/study runs --json" "show runs/a1 runs/b2 runs/c3"; do
    # shellcheck disable=SC2086
    "$SSKIT" runs $what >with 2>err && "$SSKIT" runs $what --no-index >without 2>>err &&
      cmp with without >>err && test -s with || status=1
  done
  point "$1" test $status = 0
}

# settle: until files are so old that they are kept
settle() {
  sleep 2.2
}

"$SSKIT" train -q "$recipe" -o a >out 2>err && "$SSKIT" train -q "$recipe" seed=2 name=other -o b >out 2>err &&
  "$SSKIT" train -q "$recipe" model.latent=3 -o c >out 2>err
point "three runs" test $? = 0
mkdir -p runs/study
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
  cp -R a runs/a$i && cp -R b runs/b$i && cp -R c runs/c$i || exit 99
done
mv runs/b1? runs/study
run 0 "without an index" runs ls --no-index
point "... there are all of them" test "$(grep -c ' done ' out)" = 36
point "... and none is made" test ! -e cache
same "runs that were made just now"
settle
same "runs that are read for the first time"
same "... and for the second"
run 0 "watch" watch --json
XDG_CACHE_HOME=/dev/null "$SSKIT" watch --json >without 2>err
point "... is the same without an index" cmp out without

if "$SSKIT" --version | grep -q "SQLite"; then
  point "the index is a file in the cache" test -s $index
  point "... for its owner alone" test "$(stat -c %a $index)" = 600
  point "... with all runs" test "$(grep -ac "$work/runs/study/b12" $index)" -ge 1
  point "... and nothing is left beside it" test "$(ls cache/sskit)" = runs.sqlite
else
  skip "the file of the index" "this build has no SQLite"
fi

echo '{"kind": "validation", "step": 9, "bound": 1, "bound_se": 1, "bound_per_step": 7.25}' >>runs/a1/metrics.jsonl
same "a longer log"
"$SSKIT" runs ls >out 2>err
point "... is noticed with its last line" grep -q '^runs/a1  *done  *9  *7.25 ' out
# As many bytes, and the time of the old ones: the time of the change cannot be set.
touch -r runs/a2/status time
printf 'gone\n' >runs/a2/status
touch -r time runs/a2/status
same "a status in place of another"
"$SSKIT" runs ls >out 2>err
point "... is noticed" grep -q '^runs/a2  *gone ' out
cp runs/a3/recipe.yaml new.yaml && sed -i 's/^name: .*/name: renamed/' new.yaml && mv new.yaml runs/a3/recipe.yaml
same "a file in place of another"
cp -R runs/a1 runs/added
same "one run more"
rm -r runs/a4
same "one run less"
mv runs/a5 runs/moved && mv runs/c5 runs/a5 && mv runs/moved runs/c5
same "two that change places"
rm runs/a6/environment.json runs/a7/metrics.jsonl
same "files that are gone"
settle
same "all of it later"
same "... and again"
printf 'late\n' >runs/a2/status
same "a status that changes after it was kept"
"$SSKIT" runs ls >out 2>err
point "... is noticed" grep -q '^runs/a2  *late ' out
printf 'name: based\n' >base.yaml
printf 'base: ../../base.yaml\n' >runs/a8/recipe.yaml
settle
same "a recipe with a base"
same "... read again"
printf 'name: otherwise\n' >base.yaml
same "... when the base changes"
"$SSKIT" runs ls runs/a8 --json >out 2>err
point "... is noticed" grep -q '"name": "otherwise"' out
printf 'name: [\n' >runs/a9/recipe.yaml
"$SSKIT" runs ls >out 2>err
status=$?
"$SSKIT" runs ls --no-index >out2 2>err2
point "a recipe that cannot be read is said alike" test $status = $? -a $status != 0 -a "$(cat err)" = "$(cat err2)"
rm -r runs/a9
settle
same "the rest"

# damage NAME COMMAND: the index is damaged so; what is printed stays, and the file is made good
damage() {
  eval "$2" >out 2>err
  same "an index that $1"
  same "... the next time"
  point "... is made anew" test "$(head -c 15 $index)" = 'SQLite format 3' -a "$(stat -c %s $index)" -ge "$whole"
}
if test -e $index; then
  whole=$(($(stat -c %s $index) / 2))
  damage "is cut short" "truncate -s 9000 $index"
  damage "is empty" ": >$index"
  damage "is something else" "yes nothing | head -c 50000 >$index"
  cp $index good
  damage "has other bytes in it" "tr '2' '3' <good | tail -c +4097 | dd of=$index bs=4096 seek=1 conv=notrunc"
  damage "has a hole" "dd if=/dev/zero of=$index bs=4096 seek=3 count=20 conv=notrunc"
  damage "lost its table" "dd if=/dev/zero of=$index bs=1 seek=100 count=3996 conv=notrunc"
  damage "is of another version" "printf '\\377' | dd of=$index bs=1 seek=63 conv=notrunc"
  damage "has a foreign journal" "head -c 3000 good >$index-journal"
  damage "is gone" "rm $index"
  rm $index && mkdir $index
  same "a folder in place of the index"
  rmdir $index
  XDG_CACHE_HOME=/dev/null
  same "a cache that cannot be written"
  XDG_CACHE_HOME=$work/cache
  (unset XDG_CACHE_HOME HOME && "$SSKIT" runs ls >with 2>err)
  "$SSKIT" runs ls >out 2>err
  point "no home" cmp out with
  (unset XDG_CACHE_HOME && HOME=$work/home "$SSKIT" runs ls >with 2>err)
  point "the cache in a home" test -s home/.cache/sskit/runs.sqlite
  point "... of the same runs" cmp out with

  rm $index
  for i in 1 2 3 4; do
    "$SSKIT" runs ls >out$i 2>err$i &
  done
  wait
  point "four at a time" sh -c 'for i in 1 2 3 4; do cmp out out$i || exit 1; done; ! cat err? | grep .'
  if python3 -c 'import sqlite3' 2>/dev/null; then
    python3 - "$index" "$SSKIT" >with 2>err <<'EOF'
import sqlite3, subprocess, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
sys.exit(subprocess.call([sys.argv[2], "runs", "ls"]))
EOF
    point "an index that another holds" test $? = 0
    point "... is not waited for" cmp out with
  else
    skip "an index that another holds" "there is no sqlite3 in Python"
  fi
else
  skip "damage" "there is no index"
fi

echo "1..$n"
