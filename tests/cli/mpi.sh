#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A training on several ranks: the same bits as in one process whatever the numbers of ranks, threads
# and shards, also when it is stopped, killed and resumed with other numbers; errors and signals on one
# rank end or reach all of them. Without MPI, that several processes are noticed.
set -u
. "$top_srcdir/tests/support/tap.sh"
pid=
trap 'test -z "$pid" || kill $pid 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
recipe=$top_srcdir/recipes/smoke/transition_diffusion.yaml # its statistics travel with the gradient

# errors WANTED PATTERN: that many error messages of ours, the first of which matches
errors() {
  test "$(grep -c '^sskit: error: ' "$work/err")" = "$1" &&
    grep '^sskit: error: ' "$work/err" | head -n 1 | grep -q "$2"
}

if "$SSKIT" --version | grep -q 'without MPI'; then
  # What mpirun -n 2 tells its processes.
  as_rank() {
    OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=$1 "$SSKIT" train -q "$recipe" -o "$work/run" 2>"$work/err"
  }
  as_rank 0
  point "without MPI, one of several processes: status 2" test $? = 2
  point "... and says why" errors 1 '2 processes were started, but this sskit was built without MPI'
  as_rank 1
  point "... the others leave that to it" test $? = 0 -a ! -s "$work/err"
  point "... and none of them trains" test ! -e "$work/run"
  echo "ok $((n + 1)) - ranks # SKIP built without MPI"
  echo "1..$((n + 1))"
  exit
fi

OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM

# Starts rank 0 on $SSKIT with the arguments, and the others likewise, but with their own last argument
# when $other is set; leaves the ids of the processes in files.
cat >"$work/rank" <<'END'
#!/bin/sh
echo $$ >"$work/pid.$OMPI_COMM_WORLD_RANK"
test -z "${other-}" || test "$OMPI_COMM_WORLD_RANK" = 0 || set -- "$@" "$other"
exec "$SSKIT" "$@"
END
chmod +x "$work/rank"
export work

# ranks N ARGUMENT...: the program on N ranks; its status is in $status
ranks() {
  count=$1
  shift
  mpirun -n "$count" --oversubscribe "$work/rank" "$@" >"$work/out" 2>"$work/err"
  status=$?
}

# start N ARGUMENT...: the same in the background, as process $pid of mpirun
start() {
  count=$1
  shift
  rm -f "$work"/pid.*
  mpirun -n "$count" --oversubscribe "$work/rank" "$@" >"$work/out" 2>"$work/err" &
  pid=$!
}
end() {
  wait $pid 2>/dev/null
  status=$?
  pid=
}

fixed='training.steps=60 training.log_every=1 training.validate_every=25 training.checkpoint_every=7'
shards7='training.batch=14 training.shards=7'
shards3='training.batch=6 training.shards=3'

figures() { sed 's/,"time_[^"]*":[^,}]*//g' "$1/metrics.jsonl"; }

# same A B [STEPS]: two runs ended in the same figures and checkpoints
same() {
  figures "$1" >"$work/a" && figures "$2" >"$work/b" &&
    test "$(grep -c '"kind":"train"' "$work/a")" = "${3-60}" &&
    grep -q '"kind":"validation"' "$work/a" &&
    test "$(cat "$1/status")" = done && test "$(cat "$2/status")" = done &&
    cmp "$work/a" "$work/b" &&
    cmp "$1/checkpoints/last.safetensors" "$2/checkpoints/last.safetensors" &&
    cmp "$1/checkpoints/best.safetensors" "$2/checkpoints/best.safetensors"
}

# ---- the same bits ---------------------------------------------------------------------------------
"$SSKIT" train -q "$recipe" $fixed $shards7 -o "$work/seven" --threads 1 >"$work/alone"
"$SSKIT" train -q "$recipe" $fixed $shards3 -o "$work/three" --threads 1 >"$work/alone"
for how in '2 1' '2 2' '3 1' '4 2'; do
  set -- $how
  ranks $1 train -q "$recipe" $fixed $shards7 -o "$work/r$1-$2" --threads $2
  point "7 shards on $1 ranks, threads of each: $2" same "$work/seven" "$work/r$1-$2"
done
ranks 4 train -q "$recipe" $fixed $shards3 -o "$work/idle"
point "3 shards on 4 ranks, one of them idle" same "$work/three" "$work/idle"
point "the end is told once" test "$(grep -c '^run ' "$work/out")" = 1
point "the environment tells of the ranks" grep -q '"ranks": 4' "$work/idle/environment.json"
ranks 1 train -q "$recipe" $fixed $shards3 -o "$work/single"
point "mpirun with one rank" same "$work/three" "$work/single"
ranks 2 train "$recipe" $fixed $shards3 -o "$work/shown"
point "progress is shown once" test "$(grep -c '^step 60/60 ' "$work/err")" = 1

# ---- stopped, killed, resumed with other numbers ------------------------------------------------------
long='training.log_every=1 training.validate_every=0 training.checkpoint_every=50 training.steps=400'
"$SSKIT" train -q "$recipe" $long $shards3 -o "$work/long" --threads 1 >"$work/alone"

lines() { { wc -l <"$1/metrics.jsonl"; } 2>/dev/null || echo 0; }

# signalled SIGNAL RANK LINES DIR N ARGUMENT...: a training on N ranks, of which one gets a signal after
# so many lines of metrics; again where it was over before
signalled() {
  signal=$1 rank=$2 after=$3 dir=$4 many=$5
  shift 5
  for try in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$dir"
    start "$many" train -q "$recipe" $long $shards3 -o "$dir" "$@"
    while test "$(lines "$dir")" -lt "$after" && kill -0 $pid 2>/dev/null; do :; done
    kill -$signal "$(cat "$work/pid.$rank")" 2>/dev/null
    test $signal != USR1 || return
    end
    test "$(cat "$dir/status")" = done || break
  done
}

signalled TERM 2 60 "$work/stopped" 3 --threads 1
point "SIGTERM on rank 2 of 3: status 9" test $status = 9
point "... is told once" errors 1 'stopped by a signal after step'
point "... the run says that it was interrupted" test "$(cat "$work/stopped/status")" = interrupted
"$SSKIT" resume -q "$work/stopped" >"$work/out" 2>"$work/err"
point "... resumed by one process" same "$work/long" "$work/stopped" 400

signalled KILL 1 60 "$work/killed" 2 --threads 2
point "SIGKILL on rank 1 of 2 ends the run" test $status != 0 -a "$(cat "$work/killed/status")" = running
point "... no process is left in it" flock -n "$work/killed" true
ranks 4 resume -q "$work/killed"
point "... resumed on 4 ranks" same "$work/long" "$work/killed" 400

# One process stops, ranks go on.
"$SSKIT" train -q "$recipe" $long $shards3 -o "$work/back" >"$work/out" 2>"$work/err" &
pid=$!
while test "$(lines "$work/back")" -lt 60 && kill -0 $pid 2>/dev/null; do :; done
kill -TERM $pid 2>/dev/null
end
ranks 2 resume -q "$work/back"
point "stopped in one process, resumed on 2 ranks" same "$work/long" "$work/back" 400
ranks 2 resume -q "$work/back"
point "resuming a finished run on 2 ranks tells of it once" \
  test $status = 0 -a "$(grep -c '^run ' "$work/out")" = 1

signalled USR1 1 60 "$work/asked" 2 training.checkpoint_every=0
while test ! -e "$work/asked/checkpoints/last.safetensors" && kill -0 $pid 2>/dev/null; do :; done
asked=$(cat "$work/asked/status")
end
point "SIGUSR1 on rank 1: a checkpoint appears while the training goes on" test "$asked" = running
point "... to its end" test $status = 0 -a "$(cat "$work/asked/status")" = done

# ---- errors ------------------------------------------------------------------------------------------
# fails STATUS PATTERN: the last command ended so, with one message
fails() { test $status = "$1" && errors 1 "$2"; }

other=data.nonsense=1
export other
ranks 3 train -q "$recipe" $fixed $shards3 -o "$work/e1"
point "a rank that cannot read its recipe ends all" fails 3 "^sskit: error: rank 1: .*nonsense"
other=seed=3
ranks 3 train -q "$recipe" $fixed $shards3 -o "$work/e2"
point "ranks with different recipes" fails 1 'rank 1: the recipe differs from that of rank 0'
point "... make no directory" test ! -e "$work/e1" -a ! -e "$work/e2"
unset other

ranks 2 train -q "$recipe" $fixed $shards3 -o "$work/three"
point "a run is not overwritten" fails 6 'exists already'
ranks 2 resume -q "$work/nowhere"
point "no run to resume" fails 6 "cannot open the run '$work/nowhere'"
ranks 2 train -q "$recipe" nonsense=1 -o "$work/e3"
point "a wrong recipe is told once" test $status = 3 -a "$(grep -c "unknown key 'nonsense'" "$work/err")" = 1
ranks 2 list
point "a verb for one process" fails 2 "'sskit list' is the work of one process, and 2 were started"
ranks 2 train --nonsense
point "a wrong option is told once" test $status = 2 -a "$(grep -c 'nonsense' "$work/err")" = 1

# The leader alone cannot save.
start 3 train -q "$recipe" $long $shards3 training.checkpoint_every=0 -o "$work/full"
while test "$(lines "$work/full")" -lt 5 && kill -0 $pid 2>/dev/null; do :; done
rmdir "$work/full/checkpoints"
end
point "a checkpoint that cannot be written ends all" fails 6 'cannot .*checkpoints/'
point "... and the run says why" grep -q '^failed: cannot ' "$work/full/status"

awk 'BEGIN { print "series,x"; for (s = 0; s < 12; s++) for (t = 0; t < 8; t++)
  print s "," (t % 2 ? "1e300" : "-1e300") }' >"$work/huge.csv"
cat >"$work/huge.yaml" <<END
base: $top_srcdir/recipes/smoke/transition_gaussian.yaml
data:
  use: csv
  path: huge.csv
  columns: x
  series: series
  split: [1, 0, 0]
END
ranks 2 train -q "$work/huge.yaml" standardise=false training.steps=40 training.skip_limit=4 -o "$work/bad"
point "a training whose gradient is never finite" fails 7 "4 steps in a row were not finite: .* of '"

echo "1..$n"
