#!/usr/bin/env bash
#
# check_format.sh ROOT: every C file is as clang-format 14 would write it.
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=tests/support/system.sh
. "$here/../support/system.sh"

if ! clang_format="$(clang_format_command 14)"; then
  echo "skipped: no clang-format 14 on this machine"
  exit 77
fi

mapfile -t files < <(bash "$here/list_files.sh" "$1" '*.c' '*.h')
[[ ${#files[@]} -gt 0 ]] || die "no C files below $1"
cd -- "$1"
"$clang_format" --style=file --dry-run -Werror "${files[@]}"
echo "${#files[@]} files"
