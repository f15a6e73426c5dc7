#!/usr/bin/env bash
# Writes constraints.txt anew: one resolution for Python 3.11 to 3.13 on every platform, from pyproject.toml.
# Versions already pinned are kept where they still fit; delete a line first to move it. Needs `uv` on the path.
set -euo pipefail
cd "$(dirname "$0")/.."
pins=$(mktemp) && torch=$(mktemp)
trap 'rm -f "$pins" "$torch"' EXIT
echo "torch==2.13.0" >"$torch"
[ -f constraints.txt ] && grep -v '^#' constraints.txt >"$pins"
uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --no-annotate --no-header \
    --all-extras \
    --constraint "$torch" --output-file "$pins" pyproject.toml
{
    echo "# Every version of one resolution, with markers, for Python 3.11 to 3.13. Written by tools/pin.sh."
    echo "# Constraints bind only what is installed: a CPU build of torch brings none of the CUDA lines."
    cat "$pins"
} >constraints.txt
