#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The studies of recipes/scoreboard in small, and transitions on the latents of a frozen encoder.
set -u
. "$top_srcdir/tests/support/tap.sh"
recipes=$top_srcdir/recipes
cd "$work" || exit 99

# small STUDY FOLDER ARGUMENT...
small() {
  study=$1
  folder=$2
  shift 2
  "$SSKIT" compare "$recipes/scoreboard/$study.yaml" -q -o "$folder" "$@" compare.seeds=1 \
    compare.bootstrap=50 training.steps=3 evaluate.series=4 evaluate.kernel_draws=64 >out 2>err
}

# has FOLDER ROW METRIC: is there a figure?
has() {
  grep -q "^\"$2\",$3,[-0-9]" "$1/table.csv"
}
hasnt() {
  grep -q "^\"$2\",$3,," "$1/table.csv"
}

for study in lift lift_mv wells; do
  point "$study runs" small $study $study
  for row in oracle gaussian mixture diffusion diffusion_esm; do
    point "$study: $row has a distance" has $study $row kernel_wasserstein
  done
done
point "the exact kernel has a divergence" has lift_mv diffusion kernel_jsd
point "and an entropy" has lift_mv oracle kernel_nll
point "without a cdf there is no divergence" hasnt wells diffusion kernel_jsd
point "without a density of the kernel the model still has its own" has wells diffusion kernel_nll
point "it runs on two threads" small lift two --threads 2
point "threads leave no trace" cmp lift/table.txt two/table.txt

cat >mixture.yaml <<END
base: $recipes/smoke/transition_mixture.yaml
name: mixture
END
cat >frozen.yaml <<END
name: frozen
compare:
  start: $recipes/smoke/transition_gaussian.yaml
  freeze: [encoder, emission]
  rows: [$recipes/smoke/transition_gaussian.yaml, mixture.yaml]
set: ["evaluate.metrics=[kernel_nll, kernel_wasserstein]", training.steps=3]
END
"$SSKIT" compare frozen.yaml -q -o frozen >out 2>err
point "rows on a frozen encoder run" test $? = 0
point "the start is a run of its own" test -s frozen/start-1/checkpoints/last.safetensors
point "its rows say where their weights are from" grep -q 'start: .*/frozen/start-1' \
  frozen/mixture-1/recipe.yaml
point "transitions are scored on the encoder's paths" has frozen mixture kernel_nll
point "but not against a kernel in other coordinates" hasnt frozen mixture kernel_wasserstein

echo "1..$n"
