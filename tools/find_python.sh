#!/bin/sh
# Prints the first interpreter that will do: it starts, is 3.11 or newer, and can make a virtual environment.
# An interpreter named by the caller (make PYTHON=...) is the only candidate then.
good='import sys; sys.exit(sys.version_info < (3, 11))'
able='import venv, ensurepip'
recent=
for candidate in ${1:-python3.13 python3.12 python3.11 python3}; do
    "$candidate" -c "$good" >/dev/null 2>&1 || continue
    recent=$candidate
    "$candidate" -c "$able" >/dev/null 2>&1 || continue
    command -v "$candidate"
    exit 0
done
if [ -n "$recent" ]; then
    echo "$recent cannot make a virtual environment: install its venv module (on Debian and Ubuntu: apt install python3-venv), then run make again." >&2
else
    echo "${1:-python3.13, 3.12, 3.11 and python3} did not start or is older than 3.11: install Python 3.11 to 3.13, or name one with make PYTHON=/path/to/python." >&2
fi
exit 1
