#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Skeletons of plugins: of each kind one is written, built, checked and trained with, as whoever wrote it
# would; and what is wrong with a plugin is found.
# With SSKIT_INSTALLED set to a prefix, all that with the package that is installed there.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99
if test -n "${SSKIT_INSTALLED:-}"; then
  SSKIT=$SSKIT_INSTALLED/bin/sskit
  LD_LIBRARY_PATH=$SSKIT_INSTALLED/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  PKG_CONFIG_PATH=$SSKIT_INSTALLED/lib/pkgconfig
  export LD_LIBRARY_PATH
else
  PKG_CONFIG_PATH=$top_builddir
fi
export PKG_CONFIG_PATH
make_it() { # make_it TARGET...: in the folder of a skeleton, with every warning an error
  MAKEFLAGS= make -s CC="${CC:-cc}" CFLAGS='-g -O2 -Wall -Wextra -Werror' PKG_CONFIG="${PKG_CONFIG:-pkg-config}" \
    SSKIT="$SSKIT" "$@" >../log 2>../err
}

kinds=$("$SSKIT" list | grep -o '^[a-z]*$')
point "there are all kinds" test "$(echo "$kinds" | wc -l)" -ge 13
for kind in $kinds; do
  run 0 "$kind: a skeleton" plugin new "$kind" "my_$kind" -o "$kind"
  (cd "$kind" && test "$(wc -l <"my_$kind.c")" -lt 100 && ! grep -l 'example\|@KIND@' ./*) >err 2>&1
  point "$kind: under 100 lines, its name everywhere" test $? = 0
  (cd "$kind" && make_it)
  point "$kind: it is built" test $? = 0
  (cd "$kind" && make_it check)
  point "$kind: it passes its checks" test $? = 0
  point "$kind: ... of which none fails" sh -c 'grep -q "^ok .*: gradient: " log && ! grep -q "^failed" log'
  (cd "$kind" && make_it train)
  point "$kind: its recipe is trained" grep -q '^done' "$kind/runs/my_$kind/status"
done
point "draws of a transition are held against its density" sh -c \
  'cd transition && "$0" plugin check plugins | grep -q "^ok .*: density: 4096 draws"' "$SSKIT"

# A run tells which of its plugins have changed: another build is none, another constant is one.
"$SSKIT" train -q transition/my_transition.yaml --plugin-dir transition/plugins -o runs/then >out 2>err
again() { # again SED: the transition, built again
  rm -rf again
  cp -r transition again
  { echo '/* once more */'; sed "$1" transition/my_transition.c; } >again/my_transition.c
  (cd again && make_it && strip plugins/transition/my_transition.so)
}
again ''
run 0 "a plugin that was built again" evaluate runs/then --plugin-dir again/plugins
point "... from the same source is none that has changed" sh -c '! cmp -s "$0" "$1" && ! grep -q warning err' \
  transition/plugins/transition/my_transition.so again/plugins/transition/my_transition.so
again 's/= ssk_add(ctx->tape, newest, p.mean)/= ssk_add(ctx->tape, newest, ssk_affine(ctx->tape, p.mean, (ssk_real)0.5, 0))/'
run 0 "from another source" evaluate runs/then --plugin-dir again/plugins
changed="sskit: warning: plugins have changed since 'runs/then' was trained: transition my_transition"
point "... evaluate says so" grep -qxF "$changed" err
point "... in one line" test "$(wc -l <err)" = 1
echo interrupted >runs/then/status
run 0 "resume goes on with it" resume runs/then --plugin-dir again/plugins
point "... and says so" grep -qxF "$changed" err

run 0 "as JSON" plugin check transition --json
point "... one object a check" sh -c 'test "$(grep -c \"outcome\" out)" -ge 10'
run 2 "no kind" plugin new transitoin mine
point "... with the nearest" grep -q "did you mean 'transition'" err
run 2 "a name that recipes cannot use" plugin new transition Mine-2
run 2 "a name that is taken" plugin new transition gaussian
run 6 "a folder with files" plugin new transition my_transition -o encoder
point "... is left as it was" test ! -e encoder/my_transition.c
point "... and nothing beside it" sh -c '! ls -d ./*.new.* 2>/dev/null'
mkdir -p here/.git
(cd here && "$SSKIT" plugin new metric here -o .) >out 2>err
point "into the working folder, where there are but hidden files" test $? = 0
point "... all of it" sh -c 'ls here | tr "\n" " " | grep -q "^Makefile README.md here.c here.yaml $"'
point "... and there is no folder to go to" grep -q '^next: make && ' out
(cd here && "$SSKIT" plugin new metric there -o .) >out 2>err
point "... but not again" test $? = 6
point "... which says why" grep -q "cannot write into '.': it holds files, and none is replaced" err
run 2 "a limit for a skeleton" plugin new metric mine --limit 3
run 4 "no plugin there" plugin check runs
run 2 "neither action" plugin make

# break_it NAME CHECK SED STATUS [OPTION...]: the transition, changed so that this check must fail
break_it() {
  cp -r transition "broken_$1"
  sed "$3" transition/my_transition.c >"broken_$1/my_transition.c"
  (cd "broken_$1" && make_it)
  broken=$1 check=$2 status_wanted=$4
  shift 4
  run "$status_wanted" "found: $broken" plugin check "broken_$broken" "$@"
  point "... by the check $check" grep -q "^failed .*$check: " out
}
break_it "a gradient that is cut off" gradient 's/= ssk_add(ctx->tape, newest, p.mean)/= ssk_add(ctx->tape, newest, ssk_stop(ctx->tape, p.mean))/' 1
break_it "a shape that is promised otherwise" loss 's/  p.mean = ssk_add(ctx->tape, newest, p.mean);/&\n  p.logvar = ssk_cols(ctx->tape, p.logvar, 0, 1);\n  p.mean = ssk_reshape(ctx->tape, p.mean, SSK_SHAPE(1, rows->n, d));/' 1
point "... is named" grep -q "my_transition\|in 'transition'" out
break_it "draws that chance alone decides" draws 's/^static const struct ssk_param params.*/static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows) {\n  static uint32_t calls;\n  (void)self;\n  return ssk_ctx_normal(ctx, "sample", rows->index + calls++, SSK_SHAPE(rows->n, ctx->dims->d));\n}\n&/; s/.moments = moments}/&,/; s/\.build = build, .moments = moments},/.build = build, .moments = moments, .sample = sample}/' 1
break_it "a process that is ended" recipe 's/^static int init(void \*self, ssk_err \*err) {/#include <stdlib.h>\n&\n  exit(0);/' 1
break_it "a loop without an end" recipe 's/^static int init(void \*self, ssk_err \*err) {/&\n  static volatile int on = 1;\n  while (on) {\n  }/' 1 --limit 1
point "... with the time that it had" grep -q "^failed .*recipe: it has not ended after 1 s (--limit)" out
run 1 "found: a recipe without it" plugin check transition --recipe encoder/my_encoder.yaml --plugin-dir encoder/plugins
point "... by the check recipe" grep -q "^failed .*recipe: .* without 'my_transition'" out
sed 's/^\( *\)latent:/\1latnet:/' transition/my_transition.yaml >misspelt.yaml
run 1 "found: a recipe that is wrong" plugin check transition --recipe misspelt.yaml
point "... and its place in it" sh -c \
  'grep -q "^failed .*recipe: misspelt.yaml:$(grep -n latnet: misspelt.yaml | cut -d: -f 1):[0-9]*: .*latnet" out'
cp -r schedule broken_setting
sed 's|1 / s->curve)|s->curve > 5 ? 1 : 1 / s->curve)|' schedule/my_schedule.c >broken_setting/my_schedule.c
(cd broken_setting && make_it)
run 0 "a schedule that is inverted" plugin check broken_setting model.transition.schedule.curve=4
run 1 "found: one that is not, as it is set" plugin check broken_setting model.transition.schedule.curve=8
point "... by the check schedule" grep -q "^failed .*schedule: sigma increases; time(sigma(u)) is off" out
break_it "a write to self" threads 's/  const struct own \*s = self;/  struct own *s = (void *)self;/; s/^static struct ssk_gaussian moments.*/#include <unistd.h>\n&/; s/  p.mean = ssk_add(ctx->tape, newest, p.mean);/  s->variance.logvar_min = ctx->T == 1 ? -10 : s->variance.logvar_min + 1;\n&/' 1
# Sanitizers count no memory that way, and report the crash as one of their own.
if test -z "${SSKIT_SANITIZED:-}"; then
  break_it "memory that is left" memory 's/  const struct own \*s = self;\n  return/&/; s/^static int init(void \*self, ssk_err \*err) {/#include <stdlib.h>\nvoid *volatile kept;\n&\n  kept = malloc(4096);/' 1
  break_it "a crash" recipe 's/^static int init(void \*self, ssk_err \*err) {/#include <signal.h>\n&\n  raise(SIGSEGV);/' 1
else
  skip "memory that is left, and a crash" "this build has sanitizers"
fi
break_it "another ABI" load 's/^SSK_PLUGIN/#undef SSK_ABI\n#define SSK_ABI 1u\nSSK_PLUGIN/' 4
cp -r emission broken_density
sed 's/e, ssk_affine(tape, tail, 2, 0)/e, ssk_affine(tape, tail, (ssk_real)1.5, 0)/' emission/my_emission.c >broken_density/my_emission.c
(cd broken_density && make_it)
run 1 "found: a density that is not that of the draws" plugin check broken_density
point "... by the check density" grep -q '^failed .*density: ' out
cp -r emission broken_mask
sed 's/, mask)/, ssk_full(ctx->tape, mask->ndim, mask->shape, 1))/' emission/my_emission.c >broken_mask/my_emission.c
(cd broken_mask && make_it)
run 1 "found: an emission that sees what is missing" plugin check broken_mask
point "... by the check mask" grep -q '^failed .*mask: ' out

echo "1..$n"
