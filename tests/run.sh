#!/usr/bin/env bash
#
# Installs the test tools, builds, runs every test. The last line is "N passed, N failed".
#
# What runs where is the table STAGES: a CMake preset and the CTest labels run on that build.
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=tests/support/system.sh
. "$root/tests/support/system.sh"

STAGES=(
  "lint lint"
  "asan unit integration e2e fuzz"
  "tsan unit integration threads"
  "release e2e bench delivery"
)
QUICK_STAGES=("${STAGES[@]:0:2}")
# threads are those of e2e in which threads of the exporter meet; the others would show nothing new.
# bench is run in its short form, which counts instructions; times show in its output alone.
KNOWN_LABELS="lint|unit|integration|e2e|threads|fuzz|bench|delivery"

usage() {
  cat <<'HELP'
usage: tests/run.sh [--quick] [--only LABEL] [--no-install]

Installs the tools it needs, builds with sanitizers and as released, runs every test.

  --quick        lint, and one build with AddressSanitizer; no ThreadSanitizer, no release build
  --only LABEL   only tests with this label: lint, unit, integration, e2e, threads (those of e2e
                 that run under ThreadSanitizer), fuzz, bench or delivery
  --no-install   install no packages, only say what is missing
  --help         this text

JOBS sets how many compilers and tests run at once; default: the number of processors.
HELP
}

only=""
may_install=yes
stages=("${STAGES[@]}")
jobs="${JOBS:-$(nproc 2>/dev/null || echo 2)}"

passed=0
failed=0
skipped=0
labels_checked=no

usage_error() {
  say "run.sh: $1 (see --help)"
  exit 2
}

parse_arguments() {
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --quick) stages=("${QUICK_STAGES[@]}") ;;
      --only)
        [[ $# -ge 2 ]] || usage_error "--only needs a label"
        only="$2"
        shift
        ;;
      --only=*) only="${1#*=}" ;;
      --no-install) may_install=no ;;
      --help | -h)
        usage
        exit 0
        ;;
      *) usage_error "unknown argument: $1" ;;
    esac
    shift
  done
  [[ -z "$only" || "$only" =~ ^($KNOWN_LABELS)$ ]] || usage_error "no such label: $only"
}

# A step that is not a test of its own: it only shows in the sum when it fails.
step_failed() {
  echo "FAILED: $1"
  failed=$((failed + 1))
}

summary() {
  echo
  if [[ "$skipped" -gt 0 ]]; then
    echo "$skipped skipped; see \"Skipped\" and \"Disabled\" above for which"
  fi
  echo "$passed passed, $failed failed"
  [[ "$failed" -eq 0 && "$passed" -gt 0 ]]
}

# logged LOG COMMAND...: silent, but the end of the log is shown when it fails.
logged() {
  local log="$1"
  shift
  "$@" >"$log" 2>&1 && return 0
  tail -n 60 "$log"
  return 1
}

configure() {
  local dir="build/$1"
  local -a options=(-DAFE_WERROR=ON -DAFE_TESTS=ON)
  mkdir -p "$dir"
  # A tree that was moved or copied brings a cache that CMake refuses.
  [[ "$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$dir/CMakeCache.txt" 2>/dev/null)" == "$root" ]] ||
    options+=(--fresh)
  logged "$dir/configure.log" cmake --preset "$1" "${options[@]}"
}

build() { logged "build/$1/build.log" cmake --build "build/$1" --parallel "$jobs"; }

# Some kernels place memory where a sanitizer's runtime cannot be (vm.mmap_rnd_bits above 28), now
# and then or always. Prints the command that tests have to be run under, if any.
sanitizer_wrapper() {
  local kind="$1" dir status=0
  dir="$(mktemp -d)"
  printf 'int main(void) { return 0; }\n' >"$dir/probe.c"
  if ! cc "-fsanitize=$kind" -o "$dir/probe" "$dir/probe.c" >&2; then
    say "cc cannot build with -fsanitize=$kind"
    status=1
  elif runs_reliably "$dir/probe"; then
    :
  elif runs_reliably setarch "$(uname -m)" -R "$dir/probe"; then
    say "this kernel's address randomization is too much for -fsanitize=$kind: tests run without it"
    echo "setarch $(uname -m) -R"
  else
    "$dir/probe" >&2 || true
    say "programs built with -fsanitize=$kind do not run here; as root, sysctl vm.mmap_rnd_bits=28 may help"
    status=1
  fi
  rm -rf "$dir"
  return "$status"
}

runs_reliably() {
  local i
  for ((i = 0; i < 10; i++)); do
    "$@" >/dev/null 2>&1 || return 1
  done
}

# A test with a label that no stage runs would rot unseen. Every build has the same tests, or nearly.
check_labels() {
  local stray
  [[ "$labels_checked" == no ]] || return 0
  labels_checked=yes
  stray="$(ctest --test-dir "build/$1" -N -LE "^($KNOWN_LABELS)\$" | grep 'Test *#' || true)"
  [[ -z "$stray" ]] || step_failed "no stage runs these tests, for want of a known label:"$'\n'"$stray"
}

# Prints "passed failed skipped". CTest calls "skipped" what it could not start as well; here only
# what says so itself is.
count_results() {
  awk '
    /^[[:space:]]*<testcase / {
      if (match($0, /status="[a-z]*"/)) status = substr($0, RSTART + 8, RLENGTH - 9)
      if (status == "run") passed++
      else if (status == "disabled") skipped++
      else if (status != "notrun") failed++
    }
    /^[[:space:]]*<skipped / && status == "notrun" {
      if (/message="SKIP_/) skipped++
      else failed++
    }
    END { print passed + 0, failed + 0, skipped + 0 }
  ' "$1"
}

# run_tests PRESET LABEL-REGEX [WRAPPER...]
run_tests() {
  local preset="$1" labels="$2" junit="$root/build/$1/junit.xml" status=0 good=0 bad=0 absent=0
  local at_once="$jobs"
  shift 2
  rm -f "$junit"
  # What is left there mostly waits; with sanitizers two at once keep two processors busy.
  [[ "$preset" != release ]] || at_once=$((2 * jobs))
  "$@" ctest --preset "$preset" -L "^($labels)\$" --parallel "$at_once" --timeout 120 \
    --output-junit "$junit" || status=$?
  if [[ -s "$junit" ]]; then
    read -r good bad absent < <(count_results "$junit")
  fi
  passed=$((passed + good))
  failed=$((failed + bad))
  skipped=$((skipped + absent))
  # E.g. ctest itself ended early: then the file is missing or tells of no failure.
  if [[ "$status" -ne 0 && "$bad" -eq 0 ]]; then
    step_failed "ctest --preset $preset ended with status $status"
  fi
}

# The labels of a stage that were asked for, as "unit|e2e"; nothing if none.
wanted_labels() {
  local label list=""
  for label in "$@"; do
    [[ -z "$only" || "$label" == "$only" ]] && list="${list:+$list|}$label"
  done
  printf '%s\n' "$list"
}

run_stage() {
  local preset="$1" labels wrapper="" began=$SECONDS
  shift
  labels="$(wanted_labels "$@")"
  [[ -n "$labels" ]] || return 0
  echo
  echo "=== $preset: ${labels//|/, } ==="
  configure "$preset" || { step_failed "configuring $preset"; return 0; }
  check_labels "$preset"
  case "$preset" in
    lint) ;;
    *) build "$preset" || { step_failed "building $preset"; return 0; } ;;
  esac
  echo "built after $((SECONDS - began)) s"
  case "$preset" in
    asan) wrapper="$(sanitizer_wrapper address,undefined)" || { step_failed "AddressSanitizer"; return 0; } ;;
    tsan) wrapper="$(sanitizer_wrapper thread)" || { step_failed "ThreadSanitizer"; return 0; } ;;
  esac
  # shellcheck disable=SC2086
  run_tests "$preset" "$labels" $wrapper
  echo "=== $preset took $((SECONDS - began)) s ==="
}

main() {
  local stage
  parse_arguments "$@"
  cd "$root"
  ulimit -c 0 # a sanitizer's abort would leave a core file per failure
  if ensure_needs "$may_install" "${BUILD_NEEDS[@]}" "${TEST_NEEDS[@]}"; then
    for stage in "${stages[@]}"; do
      # shellcheck disable=SC2086
      run_stage $stage
    done
  else
    step_failed "getting the tools"
  fi
  summary
}

main "$@"
