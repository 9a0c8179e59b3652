#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit compare --sequential: series are added until the differences are decided.
set -u
. "$top_srcdir/tests/support/tap.sh"
smoke=$top_srcdir/recipes/smoke
cd "$work" || exit 99

cat >model.yaml <<END
base: $smoke/transition_gaussian.yaml
name: model
data: {test: 200}
evaluate: {series: 0, metrics: [coverage, crps]}
END
cat >study.yaml <<END
name: study
compare: {rows: [oracle, persistence, model.yaml], bootstrap: 20, look: 20, decide: coverage}
END
run 0 "it runs" compare -q --sequential study.yaml -o early
point "it says that it stopped" grep -q 'stopped after [0-9]* of 200 series: the difference in coverage is' early/table.txt
point "before the last series" test "$(sed -n 's/.*stopped after \([0-9]*\) of.*/\1/p' early/table.txt)" -lt 200
point "intervals are of the right kind" grep -q '"intervals": "anytime"' early/table.json
run 0 "without it" compare -q study.yaml -o whole
point "... all series are taken" grep -q '200 series' whole/table.txt
point "... with bootstrap intervals" grep -q '"intervals": "bootstrap"' whole/table.json
point "... and the test of Diebold and Mariano" grep -q '"p": [0-9]' whole/table.json
run 3 "a metric that is not there is an error" compare -q --sequential study.yaml compare.decide=crsp -o wrong
point "... before anything is trained" test ! -e wrong
point "... with the nearest" grep -q "did you mean 'crps'" err

echo "1..$n"
