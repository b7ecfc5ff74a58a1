#!/usr/bin/env bash
#
# Measures the goals of docs/performance.md, each beside its peer; see --help.
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
# shellcheck source=tests/support/system.sh
. "$root/tests/support/system.sh"

usage() {
  cat <<'HELP'
usage: tests/bench/run.sh [--quick] [--only GOALS] [--pairs N] [--build DIR] [--no-install]
                          [--write | --no-write]

Measures the goals of docs/performance.md side by side with their peers (nginx, Go, Python, cJSON,
simdjson, libcurl, memcpy, Debian's exporters): ours, peer, ours, peer, and medians of the ratios
within the pairs. Prints one table. The whole takes about half an hour; leave the machine alone
meanwhile.

  --quick         counts instructions for G4 and G6 and fails where there are too many; all else in
                  one short turn, or not at all: without Go, simdjson and what takes minutes.
                  Under two minutes; writes nothing
  --only GOALS    some of them: G1,G5,memory,prometheus
  --pairs N       how many turns; default 5, with --quick 1
  --build DIR     measure what is built there, do not build
  --no-install    install no packages; what is not there is left out or, if nothing goes without
                  it, said
  --write         write the results into docs/performance.md: the default for a whole run.
                  With --only, rows of other goals stay
  --no-write      do not
  --help          this text

Ends with 1 where instructions are too many, pages in flight do not overlap, memory follows the
listing, peers serve or extract something else, or a process dies: a missed ratio is told and no
more, for other work on the machine decides it, too.
HELP
}

usage_error() {
  say "run.sh: $1 (see --help)"
  exit 2
}

quick=no
only=""
pairs=""
build=""
may_install=yes
write=""

parse_arguments() {
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --quick) quick=yes ;;
      --only | --pairs | --build)
        [[ $# -ge 2 ]] || usage_error "$1 needs a value"
        printf -v "${1#--}" '%s' "$2"
        shift
        ;;
      --no-install) may_install=no ;;
      --write) write=yes ;;
      --no-write) write=no ;;
      --help | -h)
        usage
        exit 0
        ;;
      *) usage_error "unknown argument: $1" ;;
    esac
    shift
  done
  [[ -z "$pairs" || "$pairs" =~ ^[1-9][0-9]*$ ]] || usage_error "--pairs needs a number"
  if [[ -z "$write" ]]; then
    [[ "$quick" == yes || -n "$only" ]] && write=no || write=yes
  fi
}

# The short form goes without peers that are not here; the whole one wants them all.
get_tools() {
  local -a needs=("${BENCH_QUICK_NEEDS[@]}")
  [[ -n "$build" ]] || needs+=("${BUILD_NEEDS[@]}" "pc:cmocka libcmocka-dev")
  [[ "$quick" == yes ]] || needs+=("${BENCH_NEEDS[@]}")
  if [[ "$quick" == no && "$may_install" == no ]]; then
    ensure_needs no "${needs[@]}" || say "What needs these is left out."
  else
    ensure_needs "$may_install" "${needs[@]}"
  fi
}

build_release() {
  build="$root/build/release"
  say "building $build"
  (cd "$root" && cmake --preset release >/dev/null && cmake --build --preset release >/dev/null) ||
    die "the release build failed: cmake --build --preset release"
}

main() {
  local -a arguments
  parse_arguments "$@"
  PATH="$PATH:/usr/sbin:/sbin"
  get_tools || exit 1
  [[ -n "$build" ]] || build_release
  arguments=(--build "$build")
  [[ "$quick" == no ]] || arguments+=(--quick)
  [[ -z "$only" ]] || arguments+=(--only "$only")
  [[ -z "$pairs" ]] || arguments+=(--pairs "$pairs")
  [[ "$write" == no ]] || arguments+=(--write "$root/docs/performance.md")
  PYTHONDONTWRITEBYTECODE=1 exec "$(system_python)" "$root/tests/bench/measure.py" "${arguments[@]}"
}

main "$@"
