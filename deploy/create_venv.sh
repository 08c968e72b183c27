#!/bin/sh
# create_venv.sh FOLDER: a virtual environment from the first Python that is new enough, with the pip
# that came with it. An environment that is there and works is kept.
set -eu

folder=$1

say() { printf '%s\n' "$*" >&2; }

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

can_create() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_venv_module() {
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if command -v apt-get >/dev/null && as_root true 2>/dev/null; then
        say "Installing python$version-venv, which this Python needs for virtual environments ..."
        as_root apt-get update -qq >/dev/null 2>&1 || true
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            "python$version-venv" </dev/null >/dev/null 2>&1 || true
    fi
}

create() {
    python=$(find_python)
    if [ -z "$python" ]; then
        say "Forebay needs Python 3.11 or newer: install it, or name it: make PYTHON=python3.12 ..."
        exit 1
    fi
    can_create "$python" || install_venv_module "$python"
    if ! can_create "$python"; then
        say "$python cannot create virtual environments: install the package python3-venv."
        exit 1
    fi
    say "Creating $folder with $("$python" --version) ..."
    "$python" -m venv --clear "$folder"
}

is_new_enough "$folder/bin/python" || create
"$folder/bin/python" -m pip --version >/dev/null 2>&1 || "$folder/bin/python" -m ensurepip >/dev/null
