#!/bin/sh
# Installs what `make test-adapters` drives and Debian carries: OpenFOAM, CalculiX, a Fortran and a C compiler.
# Nothing is done where all of it is there. Needs root, or sudo that asks nothing.
set -eu
missing=
for command in simpleFoam ccx gfortran gcc mpirun; do
    command -v "$command" >/dev/null 2>&1 || missing="$missing $command"
done
[ -z "$missing" ] && exit 0
echo "installing, for$missing: openfoam calculix-ccx gfortran gcc libc6-dev openmpi-bin"
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "There is no$missing here, and installing needs root: ask for the Debian packages openfoam, calculix-ccx, gfortran, gcc, libc6-dev and openmpi-bin." >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
$as_root apt-get install -y -qq --no-install-recommends openfoam calculix-ccx gfortran gcc libc6-dev openmpi-bin >/dev/null
