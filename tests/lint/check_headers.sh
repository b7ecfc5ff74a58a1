#!/usr/bin/env bash
#
# check_headers.sh ROOT: every header, public or private, compiles alone and without a warning.
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
mapfile -t headers < <(bash "$here/list_files.sh" "$1" '*.h' | grep -E '^(include|src)/')
cd -- "$1"

failed=0
for header in "${headers[@]}"; do
  # Included twice as well: a missing guard shows as a redefinition.
  if ! printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
    "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -I. -Iinclude -Wall -Wextra -Werror -fsyntax-only -x c -; then
    echo "$header: does not compile alone"
    failed=1
  fi
done
echo "${#headers[@]} headers"
[[ ${#headers[@]} -gt 0 && "$failed" -eq 0 ]]
