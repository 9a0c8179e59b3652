# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by scripts/quickstart and scripts/check: the packages and the configured build. Nothing is
# done twice; everything that is done is said. The caller is in the source folder.

say() { printf '\n== %s\n' "$*"; }
die() {
  printf '\nerror: %s\n' "$*" >&2
  exit 1
}

jobs=$(nproc 2>/dev/null || echo 2)

# What the build needs; criterion for the unit tests, gnuplot for figures, SQLite and libpq for sweeps.
packages="autoconf automake libtool pkg-config gcc libc6-dev make libyaml-dev libgsl-dev
  libopenblas-pthread-dev librandom123-dev libjansson-dev zlib1g-dev libzip-dev libcriterion-dev
  gnuplot-nox libsqlite3-dev libpq-dev"
# Faster small products; Debian has it for this architecture alone.
test "$(dpkg --print-architecture 2>/dev/null)" != amd64 || packages="$packages libxsmm-dev"

# install_packages NAME...: with apt, those that are missing
install_packages() {
  command -v dpkg-query >/dev/null || die "this script installs Debian packages; elsewhere see README.md, 'By hand'"
  missing=
  for package in "$@"; do
    test "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ||
      missing="$missing $package"
  done
  if test -z "$missing"; then
    say "all Debian packages are there"
    return
  fi
  if test "$(id -u)" = 0; then
    as_root=
  elif command -v sudo >/dev/null; then
    as_root=sudo
  else
    die "not root and no sudo; as root: apt-get install$missing"
  fi
  say "installing with apt:$missing"
  # shellcheck disable=SC2086
  $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing ||
    die "apt could not install$missing"
}

# make_configure: ./configure, where it is missing; make keeps it up to date afterwards
make_configure() {
  test -x configure && test -f Makefile.in && return
  say "making configure (autogen.sh)"
  log=$(./autogen.sh 2>&1) || {
    echo "$log"
    die "autogen.sh failed"
  }
}

# configure_in FOLDER OPTION...: unless it was configured so already
configure_in() {
  folder=$1
  shift
  mkdir -p "$folder"
  if test -f "$folder/Makefile" && test "$(cat "$folder/configured-with" 2>/dev/null)" = "$*"; then
    return
  fi
  say "configuring $folder: $*"
  source=$PWD
  (cd "$folder" && "$source/configure" --silent "$@") || die "configure failed: see $folder/config.log"
  echo "$*" >"$folder/configured-with"
}
