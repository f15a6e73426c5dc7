#!/bin/sh
# Prints the first interpreter that will do: it starts, is 3.11 or newer, and can make a virtual environment.
# An interpreter named by the caller (make PYTHON=...) is the only candidate then.
candidates=${1:-python3.13 python3.12 python3.11 python3}
recent=
for candidate in $candidates; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
    recent=$candidate
    "$candidate" -c 'import venv, ensurepip' >/dev/null 2>&1 || continue
    command -v "$candidate"
    exit 0
done
if [ -n "$recent" ]; then
    echo "$recent cannot make a virtual environment: install its venv module (Debian and Ubuntu: apt install $recent-venv), then run make again." >&2
else
    echo "No Python 3.11 or newer starts as any of: $candidates; install one of 3.11 to 3.13, or name it with make PYTHON=/path/to/python." >&2
fi
exit 1
