#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The health of a training from end to end: a posterior that has collapsed and a transition that
# lacks modes are noticed, once; a healthy training is not mentioned.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99

# The paper's series, small. The encoder copies what it sees.
cat >gaussian.yaml <<'YAML'
data: {use: bimodal, sequences: 256, valid: 64, test: 8, length: 16, noise: 0.2}
model:
  latent: 1
  summary: {use: gru, hidden: 4}
  encoder:
    {use: gaussian, innovation: true, logvar_start: -5, network: {use: mlp, hidden: 16, layers: 1}}
  emission: {use: gaussian, logvar_start: -5, floor_start: 0.1, floor_end: 0.005}
  initial: gaussian
  transition: {use: gaussian, network: {use: mlp, hidden: 16, layers: 1}}
objective: {use: elbo, schedule: constant, end: 1}
training:
  steps: 600
  batch: 32
  learning_rate: {encoder: 4e-3, emission: 4e-3, transition: 4e-3, initial: 4e-3}
  validate_every: 200
health: {conditionings: 128, samples: 128}
evaluate: {context: 8, horizon: 1, samples: 8, bound_paths: 4, metrics: [crps]}
YAML

cat >mixture.yaml <<'YAML'
base: gaussian.yaml
model:
  transition:
    {use: mixture, components: 4, frame: free, network: {use: mlp, hidden: 16, layers: 1}}
YAML

cat >handoff.yaml <<'YAML'
base: gaussian.yaml
model:
  transition:
    use: handoff
    at: 0.5
    first: {use: gaussian, network: {use: mlp, hidden: 4, layers: 1}}
    then: {use: mixture, components: 2, frame: free, network: {use: mlp, hidden: 4, layers: 1}}
training: {steps: 4, validate_every: 2}
health: {conditionings: 8, samples: 8}
YAML

# train NAME RECIPE OVERRIDE...: into the folder NAME, what it says into NAME.err
train() {
  name=$1 recipe=$2.yaml
  shift 2
  "$SSKIT" train "$recipe" -o "$name" "$@" >/dev/null 2>"$name.err" || sed 's/^/# /' "$name.err"
  grep '"kind":"health"' "$name/metrics.jsonl" >"$name.health"
}
warnings() { grep -c "warning: ${2-}" "$1.err"; }
ends_with() { tail -n 1 "$1.health" | grep -q "\"alarms\":\[$2\]"; }

train mixture mixture
point "a look at each validation" test "$(wc -l <mixture.health)" = 3
point "a mixture has the modes" ends_with mixture ''
point "... and nothing is said" test "$(warnings mixture)" = 0
point "... its unit is active" grep -q '"active_units":1,' mixture.health
point "... and it tells of its components" grep -q '"transition_effective_components":' mixture.health

train handoff handoff
components() { sed -n "$1p" handoff.health | grep -c '"transition_effective_components":'; }
point "a handoff has the figures of the transition in use: of the first, none" test "$(components 1)" = 0
point "... then those of the second" test "$(components 2)" = 1

train gaussian gaussian
point "a Gaussian lacks them" ends_with gaussian '"modes"'
point "... which is said once" test "$(warnings gaussian 'the transition lacks modes')" = 1
point "... and nothing else" test "$(warnings gaussian)" = 1

train collapsed gaussian objective.end=100 model.emission.logvar_start=-2
point "a rate that weighs 100 times: the posterior collapses" ends_with collapsed '"posterior"'
point "... which is said once" test "$(warnings collapsed 'the posterior has collapsed')" = 1

train never gaussian training.steps=2 health.every=0
point "every: 0 looks at nothing" test ! -s never.health
train second gaussian training.steps=2 training.validate_every=1 health.every=2
point "every: 2 looks at every second validation" test "$(wc -l <second.health)" = 1
point "... of which it says the step" grep -q '"step":2,' second.health

# With each line of training: the norms of the parts.
line=$(grep -m 1 '"kind":"train"' gaussian/metrics.jsonl)
norm() { echo "$line" | sed "s/.*\"gradient_norm$1\":\([^,]*\),.*/\1/"; }
point "the squares of the parts' norms add up" awk -v n="$(norm '')" -v a="$(norm _encoder)" \
  -v b="$(norm _emission)" -v c="$(norm _initial)" -v d="$(norm _transition)" 'BEGIN {
    rest = n * n - (a * a + b * b + c * c + d * d)
    exit !(n > 0 && a > 0 && b > 0 && c > 0 && d > 0 && rest * rest < 1e-16 * n * n * n * n) }'

"$SSKIT" evaluate gaussian --health >out
point "evaluate --health" grep -q '^  alarm: the transition lacks modes' out
"$SSKIT" evaluate gaussian --health --json >out
point "... as JSON" grep -q '"innovation_dip"' out
"$SSKIT" evaluate gaussian >out
point "without it, no word" test "$(grep -c -i health out)" = 0

echo "1..$n"
