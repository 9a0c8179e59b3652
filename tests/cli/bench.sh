#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit bench: what its table and its JSON hold, and how their parts hang together. No speed is tested.
set -u
. "$top_srcdir/tests/support/tap.sh"
smoke=$top_srcdir/recipes/smoke
cd "$work" || exit 99

# json NAME FILTER: the filter holds on the output
json() {
  if command -v jq >/dev/null; then
    point "$1" jq -e "$2" out
  else
    skip "$1" "there is no jq"
  fi
}

run 0 "a diffusion model" bench "$smoke/denoiser_csdi.yaml" --threads 1 --steps 2
for component in data summary encoder emission initial transition transition.denoiser \
  transition.denoiser.time objective reduction optimiser sum; do
  point "... has the component $component" grep -Eq "^$component +[0-9. ]+\$" out
done
point "... has operations of the kernel" grep -Eq '^  linear +[0-9]+ +[0-9.]+ +[0-9.]+ ' out
point "... and of plugins, by their names" grep -Eq '^  diffusion_noise +[0-9]+ ' out
point "... compares with OpenBLAS" grep -q 'GFLOP/s of OpenBLAS on one thread' out
point "... and leaves nothing" test "$(find . -type f | sort | tr '\n' ' ')" = "./err ./out "

run 0 "two threads, as JSON" bench "$smoke/denoiser_csdi.yaml" --threads 2 --steps 3 --json
json "... it says what was measured" '.threads == 2 and .steps == 3 and .weights > 0 and .tape_bytes > 0'
json "... all components have operations" '[.components[].operations | length > 0] | all'
json "... the parts of components are their operations" \
  '[.components[] | (.seconds - ([.operations[] | .forward.seconds + .backward.seconds] | add)) | fabs < 1e-9] | all'
json "... the shares add up to the whole" '([.components[].share] | add) - 1 | fabs < 1e-9'
json "... products are counted" \
  '.product_flop as $all | [.components[].operations[] | .forward.flop + .backward.flop] | add - $all | fabs < 1'
json "... on the way back twice what they need forward, at most" \
  '[.components[].operations[] | select(.name == "linear") | .forward.flop > 0 and .backward.flop <= 2 * .forward.flop] | all'
json "... adding moves data and multiplies no matrices" \
  '[.components[].operations[] | select(.name == "add") | .forward.bytes > 0 and .forward.flop == 0] | all'
cp out plain
run 0 "shapes told apart" bench "$smoke/denoiser_csdi.yaml" --threads 1 --steps 2 --shapes --json
json "... what is booked on one thread adds up to the processor time of the steps, about" \
  '.booked_seconds > 0.5 * .profiled_processor_seconds.min and .booked_seconds < 1.1 * .profiled_processor_seconds.max'
json "... in each operation" '[.components[].operations[] | select(.forward.flop > 0) | .shape | test("^[0-9]+ -> ")] | all'
json "... without changing what there is to compute" ".product_flop - $(jq .product_flop plain || echo 0) | fabs < 1"

run 0 "a Gaussian transition has no denoiser" bench "$smoke/transition_gaussian.yaml" --threads 1 --steps 2
grep -q denoiser out
point "... in its table" test $? = 1
run 6 "a recipe that does not exist" bench nowhere.yaml
point "... is named" grep -q "nowhere.yaml" err
for options in "--after 2" "--forecasts 2"; do
  run 2 "$options says nothing alone" bench "$smoke/transition_gaussian.yaml" $options
done
run 2 "too few steps" bench "$smoke/transition_gaussian.yaml" --steps 1
point "... are refused" grep -q 'steps must be an integer from 2' err

run 0 "seconds alone" bench "$smoke/transition_gaussian.yaml" --times --steps 4 --forecasts 2 --json
json "... of each step and forecast" \
  '(.step_seconds + .forecast_seconds | length == 6 and (map(. > 0) | all)) and (.step_seconds | length == 4)'
run 0 "a step for others" bench "$smoke/denoiser_csdi.yaml" --export step --after 2
point "... with weights and gradients" grep -aq '"gradients/transition.denoiser.out2.W"' step
point "... the batch" grep -aq '"data/mask"' step
point "... its random draws" grep -aq '"draws/model.transition/levels/0"' step
point "... and what came of them" grep -aq '"bound/transition"' step
run 0 "the same step again" bench "$smoke/denoiser_csdi.yaml" --export again --after 2 --threads 2
point "... has the same bits" cmp step again

# ---- the operations by themselves ---------------------------------------------------------------

"$top_builddir/bench/ops" --json add linear >out 2>err
point "bench/ops measures the operations that are named" test $? = 0
json "... forward and back" \
  '[.cases[] | .forward.seconds > 0 and .backward.seconds > 0 and .backward.bytes > 0] | length > 2 and all'
json "... products beside a product by OpenBLAS" \
  '[.cases[] | select(.operation == "linear") | .openblas_flop_per_second > 0 and .backward.flop == 2 * .forward.flop] | all'
json "... and what the machine reaches" '.roofline.openblas_flop_per_second > 0 and (.roofline.copy | length) == 4'
json "... with a case for each" '.no_case == []'

# ---- how noisy the gradients are -----------------------------------------------------------------

run 0 "a diffusion to look at" train "$smoke/transition_diffusion_esm.yaml" -q -o diffusion
"$top_builddir/bench/variance" --json diffusion 3 >out 2>err
point "bench/variance measures it" test $? = 0
json "... at each of its levels" '[.levels[] | .sigma > 0 and .discrete.psi > 0 and .dsm.phi > 0 and .esm.phi > 0] | length == 8 and all'
json "... for all proposals and draw modes" \
  '[.totals[] | [.discrete, .dsm, .esm] | map(.psi > 0 and .phi > 0) | all] | length == 9 and all'
cp out before
"$top_builddir/bench/variance" --json diffusion 3 >out 2>err
point "... and again, to the same bits" cmp before out
run 0 "a Gaussian transition" train "$smoke/transition_gaussian.yaml" -q -o gaussian
"$top_builddir/bench/variance" gaussian >out 2>err
point "... is refused" grep -q "the run's transition is 'gaussian', no diffusion" err
echo "1..$n"
