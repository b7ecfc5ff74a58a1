#!/usr/bin/env bash
#
# check_python.sh ROOT: every Python file compiles.
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=tests/support/system.sh
. "$here/../support/system.sh"

mapfile -t files < <(bash "$here/list_files.sh" "$1" '*.py')
[[ ${#files[@]} -gt 0 ]] || die "no Python files below $1"
cache="$(mktemp -d)"
trap 'rm -rf "$cache"' EXIT
cd -- "$1"
PYTHONPYCACHEPREFIX="$cache" "$(system_python)" -W error -m py_compile "${files[@]}"
echo "${#files[@]} files"
