#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Run directories: what is in them, that they are never overwritten, and what is said when a training
# cannot be resumed or goes wrong.
set -u
. "$top_srcdir/tests/support/tap.sh"
recipe=$top_srcdir/recipes/smoke/transition_gaussian.yaml
cd "$work" || exit 99

run 0 "a training succeeds" train "$recipe" -o a/b/
for file in recipe.yaml command.txt environment.json metrics.jsonl status \
  checkpoints/last.safetensors checkpoints/best.safetensors; do
  point "it leaves $file" test -s "a/b/$file"
done
point "it leaves nothing else" test "$(find a -type f | wc -l)" = 7
point "it says where the run is" grep -q '^run a/b: 3 steps' out
point "it says the validation bound" grep -q '^validation bound [-0-9.e]* +- ' out
point "progress goes to standard error, a line at a time" grep -q '^step 2/3 .* bound ' err
point "the command is kept" test "$(cat a/b/command.txt)" = "sskit train $recipe -o a/b/"
run 0 "the kept recipe is a recipe" check a/b/recipe.yaml

cp -R a before
run 6 "a run is not overwritten" train "$recipe" -o a/b
point "... and the message names it" grep -q "'a/b' exists already" err
run 0 "resuming a finished run" resume a/b
point "... says the bound again" grep -q '^validation bound ' out
point "neither changed anything" diff -r a before

run 0 "without -o, the run is named by recipe and seed" train -q "$recipe" name=x/y --seed 7
point "... in runs/" test "$(cat runs/x_y-7/status)" = done
run 0 "the next one gets a number" train -q "$recipe" name=x/y seed=7
point "... behind the name" test "$(cat runs/x_y-7-2/status)" = done
cmp -s runs/x_y-7/checkpoints/last.safetensors runs/x_y-7-2/checkpoints/last.safetensors
point "--seed is the override seed=" test $? = 0

run 0 "the result as JSON" train -q --json "$recipe" -o json
point "... has the validation bound" grep -q '"bound": [-0-9.]' out

run 3 "a batch that shards do not divide" train "$recipe" training.batch=7 -o c
point "... is explained" grep -q 'training.batch (7) is not a multiple of training.shards (2)' err
point "... before a directory is made" test ! -e c
run 2 "no number of threads" train "$recipe" --threads 0 -o c
run 6 "no run to resume" resume nowhere
mkdir empty
run 6 "a folder that is no run" resume empty
point "... is called so" grep -q "'empty' is no run directory" err

echo running >a/b/status
sed 's/^seed: 1$/seed: 2/' before/b/recipe.yaml >a/b/recipe.yaml
run 3 "a run whose recipe was changed" resume a/b
point "... is not resumed" grep -q 'is not the recipe that' err
cp before/b/recipe.yaml a/b/recipe.yaml
head -c 1000 before/b/checkpoints/last.safetensors >a/b/checkpoints/last.safetensors
run 5 "a run with a damaged checkpoint" resume a/b
point "... is not resumed either" grep -q 'last.safetensors' err

# A prior of whole paths has no bound: what it is trained by has a name of its own everywhere.
run 0 "a prior of whole paths" train "$top_srcdir/recipes/smoke/transition_path_diffusion.yaml" -o paths
point "... tells its loss" grep -q '^validation path_loss [-0-9.]* +- [0-9.]* a sequence' out
point "... also on the way" grep -q 'validation path_loss [-0-9.]* +- ' err
point "... and logs it" grep -q '"kind":"validation".*"path_loss":[-0-9.]*,"path_loss_se":' paths/metrics.jsonl
point "... never as a bound" sh -c '! grep bound out err paths/metrics.jsonl'
run 0 "... nor when it is done" resume paths
point "... by the same words" grep -q '^validation path_loss ' out
run 0 "... nor when it is evaluated" evaluate paths
point "... where the heading says so" grep -q '^path_loss, no bound  *a sequence  *a step$' out
point "... instead of the ELBO" sh -c '! grep -q ELBO out'
run 0 "... nor when it is looked at" runs show paths
point "... with its loss" grep -q '^  validation  path_loss [-0-9.]* +- ' out

# Values whose squares are not finite in either precision.
awk 'BEGIN { print "series,x"; for (s = 0; s < 12; s++) for (t = 0; t < 8; t++)
  print s "," (t % 2 ? "1e300" : "-1e300") }' >huge.csv
cat >huge.yaml <<EOF
base: $recipe
data:
  use: csv
  path: huge.csv
  columns: x
  series: series
  split: [1, 0, 0]
EOF
run 7 "a training whose gradient is never finite" train -q huge.yaml standardise=false \
  training.steps=40 training.skip_limit=4 -o bad
point "... names the first weights" grep -q "4 steps in a row were not finite: .* of '" err
point "... and its directory says why it failed" grep -q '^failed: 4 steps' bad/status

echo "1..$n"
