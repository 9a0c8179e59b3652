#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit runs: list, show, tell apart, remove; and that nothing but runs is ever removed.
set -u
. "$top_srcdir/tests/support/tap.sh"
recipe=$top_srcdir/recipes/smoke/transition_gaussian.yaml
cd "$work" || exit 99

run 0 "no runs, no lines" runs ls
point "... at all" test ! -s out
"$SSKIT" train -q "$recipe" -o runs/a >out 2>err && "$SSKIT" train -q "$recipe" seed=2 -o runs/b >out 2>err &&
  "$SSKIT" train -q "$recipe" model.latent=3 -o runs/study/c >out 2>err
point "three runs" test $? = 0
run 0 "ls" runs ls
point "... finds them, also in folders" test "$(grep -c ' done ' out)" = 3
point "... with their steps" grep -q '^runs/study/c  *done  *3 ' out
run 0 "ls --json" runs ls --json
point "... has the bound" grep -q '"bound_per_step": [-0-9]' out
run 0 "show" runs show runs/a
point "... has the resolved recipe" grep -q '^  model.latent: 2$' out
point "... and the command" grep -q "^  command  *sskit train -q $recipe -o runs/a$" out
run 0 "diff" runs diff runs/a runs/study/c
point "... has the key that differs" grep -q '^model.latent$' out
point "... and no other" test "$(grep -vc '^  ' out)" = 1
run 0 "diff of runs that differ in the seed" runs diff runs/a runs/b --json
point "... says so" grep -q '"seed"' out
run 2 "diff of one run" runs diff runs/a
run 6 "a folder that is not there" runs ls nowhere
point "... is said" grep -q "there is no folder 'nowhere'" err
run 6 "a recipe is no run" evaluate "$recipe"
point "... and how to get one" grep -q "which 'sskit train' makes of it" err
run 2 "an unknown action" runs lss
point "... with the nearest" grep -q "did you mean 'ls'" err

# A run that is stopped between two lines of its log is at the step that it goes on from.
"$SSKIT" train -q "$recipe" training.steps=1000000 training.log_every=1000000 training.validate_every=0 \
  training.checkpoint_every=1000 -o stopped/a >out 2>err &
train=$!
await test -s stopped/a/checkpoints/last.safetensors
kill -TERM $train
wait $train
step=$(head -c 20000 stopped/a/checkpoints/last.safetensors | grep -ao '"step": *"[0-9]*"' | tr -dc 0-9)
TZ=UTC touch -t 203001020304.05 stopped/a/status
run 0 "ls of a run that was stopped" runs ls stopped
point "... has the step of its checkpoint, and when it was stopped" \
  grep -q "^stopped/a  *interrupted  *$step  *-  .*Z  2030-01-02T03:04:05Z$" out
run 0 "watch of it" watch --once stopped
point "... has both" grep -q "^stopped/a: interrupted, step $step/1000000, .*, since 2030-01-02T03:04:05Z$" out
echo running >stopped/a/status
echo gone >stopped/a/checkpoints/last.safetensors
run 0 "ls of one with a damaged checkpoint" runs ls stopped
point "... has the last step of its log" grep -q "^stopped/a  *stopped  *1 " out
rm -r stopped

run 0 "compare of runs" compare -q runs/a runs/b runs/study/c
point "... makes seeds one row" grep -q '^smoke  ' out
point "... and tells rows apart by their keys" grep -q '^model.latent: smoke 2, smoke-2 3$' out
for seed in 1 2; do
  "$SSKIT" train -q "$recipe" seed=$seed evaluate.particles=77 -o same/$seed >out 2>err || sed 's/^/# /' err
done
run 0 "compare of runs in another order" compare -q --format csv runs/a runs/b same/2 same/1
point "... pairs them by their seeds" test "$(grep '"smoke-2",elbo,' out | cut -d, -f10)" = 0
cp -r runs/a copy
run 2 "one training twice" compare -q runs/a runs/b copy
point "... is refused" grep -q "two of the runs are one training: 'smoke' with the seed 1" err
rm -r same copy
for form in markdown latex html csv json; do
  run 0 "as $form" compare -q --format $form runs/a runs/b runs/study/c
  mv out out.$form
done
point "Markdown has the keys" grep -q '^|  | model.latent | ' out.markdown
point "LaTeX has them" grep -q '^ & model.latent & elbo' out.latex
point "HTML has them" grep -q '<th>model.latent</th><th>elbo</th>' out.html
point "... on a page of its own" grep -q '</html>' out.html
point "CSV has two seeds" grep -q '^"smoke",crps,[^,]*,[^,]*,2,2,' out.csv
point "JSON has the settings" grep -q '"model.latent": "3"' out.json
run 0 "some of them" compare -q --where model.latent=3 --format csv runs/a runs/b runs/study/c
point "... are the others left out" test "$(grep -c ',crps,' out)" = 1
run 2 "... a filter is for runs" compare -q --where model.latent=3 "$recipe"
run 0 "with a directory" compare -q runs/a runs/b -o both
point "... the table is in it" test -s both/table.tex -a -s both/table.json -a -s both/table.html
run 2 "none of them" compare -q --where model.latent=9 runs/a
run 0 "sorted" compare -q --sort crps --format csv runs/a runs/b runs/study/c
best=$(sed -n 's/^"\([^"]*\)",crps,.*/\1/p' out | head -n 1)
point "... the best first" test "$(sed -n 's/^"\([^"]*\)",crps,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,1,.*/\1/p' out)" = "$best"
run 2 "by what is not there" compare -q --sort crsp runs/a
point "... with the nearest" grep -q "did you mean 'crps'" err
point "... beside the table" grep -q '^smoke ' out
mkdir taken
run 6 "into a folder that is there" compare -q runs/a -o taken
point "... before anything is evaluated" test ! -s out
"$SSKIT" train -q "$recipe" data.noise=0.7 -o other >out 2>err
run 2 "runs of other data are refused" compare -q runs/a other
point "... and what differs is said" grep -q "they differ in 'data.noise'" err
"$SSKIT" train -q "$recipe" evaluate.samples=9 -o samples >out 2>err
run 2 "runs that define a metric otherwise are refused" compare -q runs/a samples
point "... and the metric is said" grep -q "defines crps otherwise" err
run 0 "with an override they agree" compare -q runs/a samples evaluate.samples=8

events=$top_srcdir/tests/support/read_events.py
run 0 "events for TensorBoard" runs tensorboard runs/b runs/study
point "... of each" test "$(grep -c '^runs/.*/events.out.tfevents.*: [1-9][0-9]* events$' out)" = 2
if python3 -c '' 2>/dev/null; then
  point "... hold the scalars of metrics.jsonl" python3 "$events" runs/b
  cp runs/b/events.out.tfevents.* all
  head -c 1000 all >seen && cp seen runs/b/events.out.tfevents.*
  ln runs/b/events.out.tfevents.* reader
  run 0 "what was seen stays" runs tensorboard runs/b
  point "... and the rest is appended" cmp all reader
  cp seen runs/b/events.out.tfevents.* && printf x >>"$(echo runs/b/events.out.tfevents.*)"
  run 0 "watch does the same" watch --once --tensorboard runs/b
  point "... and replaces what is of another course" cmp all runs/b/events.out.tfevents.*
else
  skip "the events of a run" "there is no python3"
fi

mkdir plain
echo kept >plain/file
run 6 "rm does not touch what is no run" runs rm runs/a plain
point "... nor the runs beside it" test -s runs/a/recipe.yaml -a -s plain/file
ln -s a runs/link
run 6 "rm does not follow links" runs rm runs/link
run 6 "... nor with a slash" runs rm runs/link/
run 0 "rm" runs rm runs/a
point "... removes" test ! -e runs/a

# A process number that is not in use: the largest is smaller.
mkdir "runs/x.new999999999" runs/unborn
echo 'name: unborn' >runs/unborn/recipe.yaml
echo running >runs/unborn/status
run 0 "gc lists" runs gc
point "... what a process left" grep -q '^runs/x.new999999999 (unfinished)$' out
point "... and what has no checkpoint" grep -q '^runs/unborn (no checkpoint)$' out
point "... but keeps it" test -d runs/unborn -a -d runs/x.new999999999
run 0 "gc --yes" runs gc --yes
point "... removes it" test ! -e runs/unborn -a ! -e runs/x.new999999999
point "... and nothing else" test -s runs/b/recipe.yaml -a -s runs/study/c/recipe.yaml

echo "1..$n"
