#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Same recipe, same bits: whatever the number of threads, and whether or not the run was killed,
# stopped or asked to save on the way. Compared are metrics.jsonl without its times, and both
# checkpoints byte by byte.
set -u
. "$top_srcdir/tests/support/tap.sh"
pid=
trap 'test -z "$pid" || kill -9 $pid 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
smoke=$top_srcdir/recipes/smoke

# The training under test: 300 steps, saved at every 7th.
fixed='training.steps=300 training.batch=12 training.shards=3 training.log_every=1
  training.validate_every=50 training.checkpoint_every=7'

# train DIR ARGUMENT...
train() {
  dir=$1
  shift
  "$SSKIT" train -q "$recipe" $fixed -o "$dir" "$@" >/dev/null
}

# start VERB ARGUMENT...: the same in the background, as process $pid
start() {
  "$SSKIT" "$@" >/dev/null 2>"$work/err" &
  pid=$!
}
figures() { sed 's/,"time_[^"]*":[^,}]*//g' "$1/metrics.jsonl"; }

# same A B [N]: two runs ended in the same figures, N validations (6) and as many looks at the health
# in them, and checkpoints
same() {
  figures "$1" >"$work/a" && figures "$2" >"$work/b" &&
    test "$(grep -c '"kind":"train"' "$work/a")" = 300 &&
    test "$(grep -c '"kind":"validation"' "$work/a")" = "${3-6}" &&
    test "$(grep -c '"kind":"health"' "$work/a")" = "${3-6}" &&
    test "$(cat "$1/status")" = done && test "$(cat "$2/status")" = done &&
    diff "$work/a" "$work/b" | head -n 4 | sed 's/^/# /' && cmp -s "$work/a" "$work/b" &&
    cmp "$1/checkpoints/last.safetensors" "$2/checkpoints/last.safetensors" &&
    cmp "$1/checkpoints/best.safetensors" "$2/checkpoints/best.safetensors"
}

# different A B: two runs ended, and not in the same figures
different() {
  figures "$1" >"$work/a" && figures "$2" >"$work/b" &&
    test "$(cat "$1/status")" = done && test "$(cat "$2/status")" = done &&
    ! cmp -s "$work/a" "$work/b"
}

random() { od -An -N2 -tu2 /dev/urandom | tr -d ' '; }

lines() { { wc -l <"$1/metrics.jsonl"; } 2>/dev/null || echo 0; }

# await DIR N: until there are N lines of metrics, or the training is over
await() {
  while test "$(lines "$1")" -lt "$2" && kill -0 $pid 2>/dev/null; do :; done
}

# end: the background training is over; its status is in $status
end() {
  wait $pid 2>>"$work/log"
  status=$?
  pid=
}

# signalled SIGNAL LINES DIR ARGUMENT...: a training that gets a signal once it has written so many
# lines; its status is in $status. Where it was over before the signal came, it is run again.
signalled() {
  signal=$1 after=$2 dir=$3
  shift 3
  for try in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$dir"
    start train -q "$recipe" $fixed -o "$dir" "$@"
    await "$dir" $after
    kill -$signal $pid 2>/dev/null
    end
    test "$(cat "$dir/status")" = done || break
  done
}

resume() { "$SSKIT" resume -q "$1" --threads "$2" >/dev/null; }

for name in transition_gaussian transition_diffusion; do
  recipe=$smoke/$name.yaml
  whole=$work/$name
  train "$whole" --threads 1
  train "$whole-2" --threads 2
  point "$name: 1 and 2 threads" same "$whole" "$whole-2"
  train "$whole-5" --threads 5
  point "$name: 1 and 5 threads" same "$whole" "$whole-5"
  train "$whole-seed" --seed 2
  point "$name: another seed gives other figures" different "$whole" "$whole-seed"

  # Killed at a random moment, twice, with other numbers of threads.
  at=$((10 + $(random) % 80))
  echo "# killed from line $at on"
  signalled KILL $at "$whole-killed" --threads 2
  point "$name: killed in time" test "$(cat "$whole-killed/status")" = running
  start resume -q "$whole-killed" --threads 1
  await "$whole-killed" $((at + 60))
  kill -9 $pid 2>/dev/null
  end
  resume "$whole-killed" 2
  point "$name: killed twice and resumed" same "$whole" "$whole-killed"
done

# Segments that are computed again on the way back: other sums than at once, the same each time.
train "$work/segments" training.segment=3 --threads 1
train "$work/segments-2" training.segment=3 --threads 2
point "in segments: 1 and 2 threads" same "$work/segments" "$work/segments-2"
train "$work/segments-5" training.segment=3 --threads 5
point "in segments: 1 and 5 threads" same "$work/segments" "$work/segments-5"

# What changes its mind on the way, or remembers from step to step: killed before and after a half.
for name in objective_geco objective_two_stage transition_handoff; do
  recipe=$smoke/$name.yaml
  whole=$work/$name
  train "$whole" --threads 1
  train "$whole-2" --threads 2
  point "$name: 1 and 2 threads" same "$whole" "$whole-2"
  for at in $((10 + $(random) % 80)) $((190 + $(random) % 80)); do
    echo "# killed from line $at on"
    signalled KILL $at "$whole-$at" --threads 2
    resume "$whole-$at" 1
    point "$name: killed and resumed" same "$whole" "$whole-$at"
  done
done

recipe=$smoke/transition_gaussian.yaml
whole=$work/transition_gaussian

# Without any checkpoint yet.
signalled KILL 5 "$work/early" training.checkpoint_every=0 training.validate_every=0
point "there is no checkpoint yet" test ! -e "$work/early/checkpoints/last.safetensors"
train "$work/early-whole" training.checkpoint_every=0 training.validate_every=0
resume "$work/early" 1
point "killed before the first checkpoint, and resumed" same "$work/early" "$work/early-whole" 1

# SIGTERM saves and stops; no checkpoint was due, and no line is lost.
signalled TERM 20 "$work/stopped" training.checkpoint_every=0
point "SIGTERM: status 9" test $status = 9
point "SIGTERM: the run says that it was interrupted" \
  test "$(cat "$work/stopped/status")" = interrupted
point "SIGTERM: the message says how to go on" grep -q "sskit resume $work/stopped" "$work/err"
before=$(lines "$work/stopped")
train "$work/unstopped" training.checkpoint_every=0
resume "$work/stopped" 2
point "stopped and resumed" same "$work/unstopped" "$work/stopped"
point "nothing was done twice" test "$before" -lt "$(lines "$work/stopped")"

# SIGUSR1 saves and goes on: the only reason for a checkpoint here, until SIGKILL comes.
for try in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf "$work/asked"
  start train -q "$recipe" $fixed -o "$work/asked" training.checkpoint_every=0
  await "$work/asked" 20
  kill -USR1 $pid 2>/dev/null
  while test ! -e "$work/asked/checkpoints/last.safetensors" && kill -0 $pid 2>/dev/null; do :; done
  asked=$(cat "$work/asked/status")
  saved=$(lines "$work/asked")
  while test "$(lines "$work/asked")" = "$saved" && kill -0 $pid 2>/dev/null; do :; done
  kill -9 $pid 2>/dev/null
  end
  test "$(cat "$work/asked/status")" = done || break
done
point "SIGUSR1: a checkpoint appears while the training goes on" test "$asked" = running
point "SIGUSR1: the training went on" test "$saved" -lt "$(lines "$work/asked")"
resume "$work/asked" 1
point "SIGUSR1 changes nothing" same "$work/unstopped" "$work/asked"

echo "1..$n"
