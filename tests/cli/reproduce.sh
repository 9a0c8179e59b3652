#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit reproduce: pass and fail, of recipes and studies, and the status that says it.
set -u
. "$top_srcdir/tests/support/tap.sh"
smoke=$top_srcdir/recipes/smoke
cd "$work" || exit 99

cat >good.yaml <<END
base: $smoke/transition_gaussian.yaml
evaluate: {metrics: [crps, coverage]}
expect:
  - {metric: crps, definition: crps, value: 0, tolerance: 1000, source: "anything"}
  - {metric: coverage, definition: "coverage(level=0.9)", value: 1, tolerance: 0, sense: at_most, source: "a fraction"}
quick:
  set: [training.steps=1]
  expect:
    - {metric: crps, definition: crps, value: -1, tolerance: 0.5, source: "impossible"}
END
run 0 "what is reached passes" reproduce -q good.yaml -o a
point "... and is counted" grep -q '^good.yaml: 2 of 2 as expected$' out
point "... with its source" grep -q 'a fraction' out
point "the run is kept" test "$(cat a/status)" = done
point "... without what it expects" sh -c '! grep -q "expect\|quick" a/recipe.yaml'
run 1 "what is not reached is status 1" reproduce -q --quick good.yaml -o b
point "... and shown" grep -q '^  fail  crps  *-1.5 to -0.5 ' out
point "... and said" grep -q '1 figure was not reproduced' err
point "the quick version was trained" grep -q '^  steps: 1$' b/recipe.yaml
run 1 "the same as JSON" reproduce -q --quick --json good.yaml -o c
point "... with the result" grep -q '"result": "fail"' out
sed 's/definition: crps,/definition: "crps_quantile(levels=9,quantile=nearest)",/' good.yaml >other.yaml
run 3 "a figure of another definition is an error" reproduce -q other.yaml -o d
point "... at its place" grep -q '^other.yaml:4:' err
point "... with both" grep -q 'crps is another figure than the one expected, crps_quantile(levels=9,quantile=nearest)' err
point "... before anything is trained" test ! -e d
sed 's/value: 0, tolerance: 1000/value: -1, tolerance: 0/' good.yaml >missed.yaml
run 1 "several recipes: one that fails decides" reproduce -q good.yaml missed.yaml -o e
point "... each in its place" test -s e/1/recipe.yaml -a -s e/2/recipe.yaml
stamp=$(stat -c %i:%y e/2/checkpoints/last.safetensors)
run 1 "the same again in its directory" reproduce -q good.yaml missed.yaml -o e
point "... trains nothing anew" test "$(stat -c %i:%y e/2/checkpoints/last.safetensors)" = "$stamp"
run 3 "another recipe there is refused" reproduce -q --quick good.yaml -o a
point "... with what differs" grep -q "'steps: [0-9]*' there, 'steps: 1' here" err

cat >study.yaml <<END
name: study
compare: {rows: [oracle, $smoke/transition_gaussian.yaml], bootstrap: 20}
expect:
  - {row: oracle, metric: crps, definition: crps, value: 0, tolerance: 1000, source: "anything"}
END
run 0 "a study" reproduce -q study.yaml -o f
point "... leaves its table" test -s f/table.json
sed 's/row: oracle/row: oracel/' study.yaml >row.yaml
run 3 "a row that is not there" reproduce -q row.yaml -o g
point "... is said with the nearest" grep -q "did you mean 'oracle'" err
point "... before anything is trained" test ! -e g
run 3 "a recipe without expectations" reproduce -q "$smoke/transition_gaussian.yaml" -o h
sed 's/tolerance: 1000/tolerence: 1000/' good.yaml >typo.yaml
run 3 "a mistake in an expectation is found by check" check typo.yaml
point "... at its place" grep -q 'typo.yaml:4:' err

run 0 "the Kalman filter's likelihood, and a model beside it" reproduce -q --quick "$top_srcdir/recipes/lgssm/compare.yaml" -o i
point "... by its closed form" grep -q '^  pass  oracle elbo ' out
SSKIT_DATA=${SSKIT_DATA:-$work} # the data need not be there
export SSKIT_DATA
run 0 "the chorales' recipe is right" check "$top_srcdir/recipes/music/jsb_dmm.yaml"

echo "1..$n"
