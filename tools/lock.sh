#!/bin/sh
# Writes both locks from pyproject.toml: tools/lock.sh UV [--upgrade-package NAME …]
# Hashes pin the very files; no index address is written, so any mirror serves them.
set -eu
uv=$1
shift

compile() {
    output=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header --output-file "$output" "$@" pyproject.toml
}

compile requirements/runtime.txt --group build "$@"
# dev.txt holds all of runtime.txt in the same versions, so that one installation is enough.
compile requirements/dev.txt --group dev --constraints requirements/runtime.txt "$@"
