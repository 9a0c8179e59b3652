# SPDX-License-Identifier: GPL-3.0-or-later
# small.sh - what documents command, in a fraction of a second: stand-ins in $work/bin for the program, which lessen its
# work and pass all else on, and for what is not on every machine. To be sourced after tap.sh.

# stand_in NAME: a script of that name, of what is on standard input
stand_in() {
  mkdir -p "$work/bin"
  cat >"$work/bin/$1" && chmod +x "$work/bin/$1"
}

make_small() {
  # Two steps, two series, and a test's server, $SWEEPS, for that of the documents. `reproduce` takes no overrides:
  # it gets recipes on top of those named, which expect any figure, as two steps reach none; but a figure, so that one
  # that cannot be had is not reproduced.
  { printf '#!/bin/sh\nprogram="%s"\n' "$SSKIT" && cat <<'END'; } | stand_in sskit
train="training.steps=2 training.batch=8 training.shards=4 training.validate_every=0"
evaluate="evaluate.series=2 evaluate.samples=4"
study="compare.seeds=[1] compare.bootstrap=10"
verb=$1 quick=
for word; do
  shift
  case $verb,$word in
  *,postgresql://me@db/sweeps) word=$SWEEPS ;;
  reproduce,--quick) quick=yes ;;
  reproduce,*.yaml)
    list=$(echo "$train $evaluate $study" | sed 's/ /, /g; s/\(compare[^ ]*\]\)/"\1"/')
    folder=small/$(dirname "$word")
    mkdir -p "$folder"
    ln -sf "$PWD/${folder#small/}"/* "$folder"
    rm "small/$word"
    sed 's/tolerance: [0-9.e+-]*/tolerance: 1e300/' "$word" >"small/$word.base"
    echo "base: ${word##*/}.base" >"small/$word"
    if test -n "$quick"; then
      grep -q '^compare:' "$word" || list=${list%, *compare.seeds*}
      echo "quick: {set+: [$list]}"
    elif grep -q '^compare:' "$word"; then
      echo "set: [${list%, *compare.seeds*}]"
      echo "compare: {seeds: [1], bootstrap: 10}"
    else
      echo "$train" | sed 's/training\.//g; s/ /, /g; s/=/: /g; s/.*/training: {&}/'
      echo "$evaluate" | sed 's/evaluate\.//g; s/ /, /g; s/=/: /g; s/.*/evaluate: {&}/'
    fi >>"small/$word"
    word=small/$word
    ;;
  esac
  set -- "$@" "$word"
done
case $verb in
train | sweep | bench) exec "$program" "$@" $train $evaluate ;;
evaluate | forecast | sample) exec "$program" "$@" $evaluate ;;
compare)
  case $2 in
  *.yaml) exec "$program" "$@" $train $evaluate $study ;;
  esac
  exec "$program" "$@" $evaluate
  ;;
esac
exec "$program" "$@"
END

  # Slurm: a job is one task here.
  stand_in srun <<'END'
#!/bin/sh
while test "${1#-}" != "$1"; do shift; done
exec "$@"
END
  stand_in sbatch <<'END'
#!/bin/sh
while test "${1#-}" != "$1"; do shift; done
SLURM_JOB_ID=1 SLURM_NTASKS=1 SLURM_PROCID=0 SLURM_CPUS_PER_TASK=1 exec bash "$@"
END

  # MPI: as many ranks as there are said to be, wherever they fit; one process where it was not built in.
  {
    printf '#!/bin/sh\nOMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1\n'
    printf 'export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM\n'
    "$SSKIT" --version | grep -q 'without MPI' || echo "real='$(command -v mpirun)'"
    cat <<'END'
while test "${1#-}" != "$1"; do
  test "$1" != -n || ranks=$2
  shift 2
done
test -z "$real" || exec "$real" -n "$ranks" --oversubscribe "$@"
exec "$@"
END
  } | stand_in mpirun

  # The database of a test's server.
  stand_in createdb <<'END'
#!/bin/sh
while test $# -gt 1; do shift; done
exec "$CREATEDB" -h "$SERVER" -U sskit "$1"
END
}
