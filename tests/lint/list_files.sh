#!/usr/bin/env bash
#
# list_files.sh ROOT PATTERN...: the files below ROOT whose names match a glob, one a line.
#
# In a checkout these are the tracked files and the new ones that are not ignored; elsewhere (an
# unpacked archive) everything but build folders.
set -euo pipefail

cd -- "$1"
shift

is_checkout() {
  local top
  top="$(git rev-parse --show-toplevel 2>/dev/null)" && [[ "$top" == "$(pwd -P)" ]]
}

all_files() {
  if is_checkout; then
    git -c core.quotePath=off ls-files --cached --others --exclude-standard
  else
    find . \( -path ./build -o -name .git -o -name __pycache__ \) -prune -o -type f -print |
      sed 's,^\./,,'
  fi
}

matches() {
  local name="${1##*/}" pattern
  shift
  for pattern in "$@"; do
    # shellcheck disable=SC2053
    [[ "$name" == $pattern ]] && return 0
  done
  return 1
}

all_files | sort | while IFS= read -r file; do
  # A file that was just removed is still in the index.
  if [[ -f "$file" ]] && matches "$file" "$@"; then
    printf '%s\n' "$file"
  fi
done
