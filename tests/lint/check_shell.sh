#!/usr/bin/env bash
#
# check_shell.sh ROOT: shellcheck over the shell scripts, those without a .sh in their name included.
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"

if ! command -v shellcheck >/dev/null; then
  echo "skipped: no shellcheck on this machine"
  exit 77
fi

is_shell_script() {
  local first=""
  [[ "$1" == *.sh ]] && return 0
  IFS= read -r first 2>/dev/null <"$1" || true
  [[ "$first" =~ ^\#!.*(/|env )(ba|da)?sh( |$) ]]
}

mapfile -t files < <(bash "$here/list_files.sh" "$1" '*')
cd -- "$1"
scripts=()
for file in "${files[@]}"; do
  # Names with a dot and another ending are data; reading them all would be slow.
  if [[ "$file" == *.sh || "${file##*/}" != *.* ]] && is_shell_script "$file"; then
    scripts+=("$file")
  fi
done
[[ ${#scripts[@]} -gt 0 ]] || { echo "no scripts below $1"; exit 1; }
shellcheck --external-sources "${scripts[@]}"
echo "${#scripts[@]} scripts"
