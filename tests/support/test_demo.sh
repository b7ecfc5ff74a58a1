#!/usr/bin/env bash
#
# test_demo.sh BUILD_DIR: etc/demo/run.sh with the programs of that build, in all its modes.
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
export AFE_BIN_DIR="$1"

work="$(mktemp -d)"
# Its own place for state, so that somebody's running demo is left alone.
export XDG_RUNTIME_DIR="$work" TMPDIR="$work/a \"b"
mkdir "$TMPDIR"
cd "$work"

demo() { "$root/etc/demo/run.sh" --no-install "$@"; }

foreground_pid=""

finish() {
  [[ -z "$foreground_pid" ]] || kill "$foreground_pid" 2>/dev/null || true
  demo --stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

fail() {
  echo "FAILED: $*"
  tail -n 12 ./*.out ./*.err 2>/dev/null || true
  exit 1
}

expect_line() { grep -qE -- "$2" "$1" || fail "$1 has no line like $2"; }

test_once() {
  demo --once >once.out 2>once.err || fail "--once ended with $?"
  expect_line once.out '^aliyun_flink_up\{.*\} 1$'
  expect_line once.out '^aliyun_flink_deployment_jobs\{'
  if grep -q '^process_' once.out; then
    fail "--once prints process_ metrics"
  fi
  if command -v promtool >/dev/null; then
    promtool check metrics <once.out >promtool.out 2>&1 || fail "promtool refuses what --once prints"
  fi
  expect_nothing_left
}

# The address it says the exporter has.
exporter_url() { sed -n 's,^ *\(http://[^ ]*\)/metrics .*,\1,p' "$1" | head -n 1; }

get() { curl --fail --silent --noproxy '*' --max-time 5 "$@"; }

test_detach() {
  local url
  demo --detach >detach.out 2>detach.err || fail "--detach ended with $?"
  expect_line detach.err '^aliyun_flink_namespace_jobs\{'
  url="$(exporter_url detach.err)"
  [[ -n "$url" ]] || fail "--detach does not say where to look"
  demo --detach >again.out 2>again.err || fail "the second --detach ended with $?"
  expect_line again.err 'already running'
  [[ "$(exporter_url again.err)" == "$url" ]] || fail "the second --detach started another"
  expect_movement "$url"
  demo --stop >stop.out 2>stop.err || fail "--stop ended with $?"
  if get -o /dev/null "$url/-/healthy"; then
    fail "the exporter still answers after --stop"
  fi
  expect_nothing_left
  demo --stop >stop.out 2>stop.err || fail "a second --stop ended with $?"
}

job_counts() { get "$1/metrics" | grep '^aliyun_flink_deployment_jobs{'; }

# The demo would be dull if its numbers stood still.
expect_movement() {
  local before i
  before="$(job_counts "$1")" || fail "no job counts at $1/metrics"
  for ((i = 0; i < 45; i++)); do
    sleep 1
    [[ "$(job_counts "$1")" == "$before" ]] || return 0
  done
  fail "no job count changed within 45 s"
}

test_foreground() {
  local i
  # Not demo(), which would be a shell of its own: the signal is for the script.
  "$root/etc/demo/run.sh" --no-install >foreground.out 2>foreground.err &
  foreground_pid=$!
  for ((i = 0; i < 300; i++)); do
    grep -q 'Ctrl-C ends the demo' foreground.err && break
    sleep 0.1
  done
  [[ "$i" -lt 300 ]] || fail "the demo does not come up in the foreground"
  kill -TERM "$foreground_pid" # a background job does not get SIGINT
  wait "$foreground_pid" || fail "the demo in the foreground ended with $?"
  foreground_pid=""
  expect_nothing_left
}

expect_nothing_left() {
  local left
  left="$(find "$TMPDIR" "$work" -mindepth 1 -name 'aliyun-flink-demo*')"
  [[ -z "$left" ]] || fail "left behind: $left"
  # Every program of the demo has this folder in its arguments or in its working directory.
  left="$(find /proc/[0-9]*/cwd -maxdepth 0 -lname "$work/*demo*" 2>/dev/null || true)"
  [[ -z "$left" ]] || fail "still running: $left"
}

test_once
test_detach
test_foreground
echo "the demo works once, detached and in the foreground"
