#!/bin/sh
# Makes a virtual environment that has pip: tools/venv.sh DIRECTORY
# Debian ships Python without ensurepip (package python3-venv), hence the ways around.
set -eu
directory=$1

fail() {
    echo "$1" >&2
    exit 2
}

python=
for name in python3.11 python3 python3.12 python3.13 python3.14; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done
[ -n "$python" ] || fail "No Python 3.11 or newer on the path; install one (Debian 12: apt-get install python3) and run make again"

has_ensurepip() {
    "$python" -c 'import ensurepip' 2>/dev/null
}

if ! has_ensurepip && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Debian's python3-venv"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv >/dev/null ||
        echo "apt-get could not install python3-venv; looking for another way" >&2
fi

if has_ensurepip; then
    "$python" -m venv --clear "$directory"
elif "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --clear --without-pip "$directory"
    "$python" -m pip --python "$directory/bin/python" install --quiet pip
else
    fail "$python cannot make a virtual environment with pip; install what is missing (Debian, Ubuntu: apt-get install python3-venv) and run make again"
fi
