# shellcheck shell=bash
# Sourced by start and check. Functions that install packages and build the tree. The caller sets SOURCE, the root
# of the source tree.

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 1; }

# need_packages KIND...: install the missing packages of these kinds in scripts/packages.
need_packages() {
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || {
        say "No apt here: assuming that everything in scripts/packages is installed."
        return 0
    }
    local kind wanted=() missing=() package present
    # A package may be provided by another one, as npm by some nodejs packages.
    present=$(dpkg-query -W -f '${db:Status-Status} ${Package}, ${Provides}\n' | sed -n 's/^installed //p' |
        sed 's/ ([^)]*)//g; s/, */\n/g')
    for kind in "$@"; do
        read -r -a wanted -d '' < <(sed -n "s/^$kind //p" "$SOURCE/scripts/packages") || true
        for package in "${wanted[@]}"; do
            grep -qxF "$package" <<<"$present" || missing+=("$package")
        done
    done
    ((${#missing[@]})) || return 0
    say "Installing Debian packages: ${missing[*]}"
    local root=()
    if ((EUID)); then
        command -v sudo >/dev/null ||
            die "root or sudo is needed to install: apt-get install ${missing[*]}"
        root=(sudo)
    fi
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive bash -s "${missing[@]}" >&2 <<'EOF_ROOT' ||
        # Keep the services of these packages from starting: we run private ones.
        if [[ ! -e /usr/sbin/policy-rc.d ]]; then
            trap 'rm -f /usr/sbin/policy-rc.d' EXIT
            printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
            chmod 755 /usr/sbin/policy-rc.d
        fi
        install() { apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" </dev/null; }
        install "$@" || { apt-get -q update </dev/null && install "$@"; }
EOF_ROOT
        die "apt-get could not install: ${missing[*]}"
}

# need_configure DIR: create SOURCE/configure if it is missing. If the source tree is read-only, copy it to DIR and
# set SOURCE to the copy.
need_configure() {
    local copy=$1
    [[ -x $SOURCE/configure ]] && return 0
    if [[ ! -w $SOURCE ]]; then
        mkdir -p "$copy"
        (cd "$SOURCE" && find . -mindepth 1 -maxdepth 1 ! -name '.git' ! -name 'build*' ! -name var \
            -exec cp -R --preserve=mode,timestamps -t "$copy" {} +)
        chmod -R u+w "$copy"
        SOURCE=$copy
        [[ ! -x $SOURCE/configure ]] || return 0
    fi
    say "Preparing configure (autoreconf)"
    (cd "$SOURCE" && autoreconf -fi >&2) || die "autoreconf failed in $SOURCE"
}

# build_tree DIR [configure option...]: configure DIR if needed, and build everything.
build_tree() {
    local build=$1 lock
    shift
    mkdir -p "$build"
    # Concurrent builds in one directory, or concurrent autoreconfs, would corrupt each other.
    exec {lock}<"$SOURCE/configure.ac"
    flock "$lock"
    need_configure "$build/source"
    if [[ ! -f $build/Makefile ]]; then
        say "Configuring in $build"
        (cd "$build" && "$SOURCE/configure" --quiet "$@" >&2) ||
            die "configure failed: see $build/config.log"
    fi
    say "Building in $build"
    make -C "$build" --no-print-directory -j "$(nproc)" all >&2 || die "the build failed"
    exec {lock}<&-
}
