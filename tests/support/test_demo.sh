#!/usr/bin/env bash
#
# test_demo.sh BUILD_DIR: etc/demo/run.sh with the programs of that build, in all its modes. Without
# a Prometheus on the machine it says so and tries the rest.
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

expect_no_line() {
  if grep -qE -- "$2" "$1"; then
    fail "$1 has a line like $2"
  fi
}

test_usage() {
  local status=0
  demo --once --with-prometheus >usage.out 2>usage.err || status=$?
  [[ "$status" -eq 2 ]] || fail "--once --with-prometheus ended with $status, not 2"
  expect_line usage.err 'leave out --with-prometheus \(see --help\)$'
  expect_nothing_left
}

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
  [[ "$has_prometheus" == no ]] || expect_prometheus_joins "$url"
  demo --stop >stop.out 2>stop.err || fail "--stop ended with $?"
  if get -o /dev/null "$url/-/healthy"; then
    fail "the exporter still answers after --stop"
  fi
  [[ -z "$joined" ]] || expect_no_alerts_page "$joined"
  expect_nothing_left
  demo --stop >stop.out 2>stop.err || fail "a second --stop ended with $?"
}

# The page with the alerts, as the demo says.
alerts_page() { sed -n 's,^ *\(http://[^ ]*/alerts\) .*,\1,p' "$1" | head -n 1; }

# expect_answer PAGE PATH PATTERN: PAGE is there, and the Prometheus behind it says such a thing.
expect_answer() {
  local base="${1%/alerts}"
  get -o /dev/null "$1" || fail "no answer from $1"
  get -o answer.json "${base%/classic}$2" || fail "no answer from ${base%/classic}$2"
  grep -qE -- "$3" answer.json || fail "${base%/classic}$2 does not say $3"
}

expect_no_alerts_page() {
  if get -o /dev/null "$1"; then
    fail "$1 still answers after the end of the demo"
  fi
}

# A demo that runs without a Prometheus gets one, once.
expect_prometheus_joins() {
  demo --detach --with-prometheus >join.out 2>join.err || fail "--detach --with-prometheus ended with $?"
  expect_line join.err 'has a Prometheus now'
  [[ "$(exporter_url join.err)" == "$1" ]] || fail "--detach --with-prometheus started another exporter"
  joined="$(alerts_page join.err)"
  expect_answer "$joined" '/api/v1/rules' '"name":"AliyunFlinkJobFailed"'
  demo --detach --with-prometheus >rejoin.out 2>rejoin.err || fail "the second --with-prometheus ended with $?"
  expect_no_line rejoin.err 'has a Prometheus now'
  [[ "$(alerts_page rejoin.err)" == "$joined" ]] || fail "the second --with-prometheus started another"
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

# wait_line SECONDS PATTERN: until foreground.err has such a line.
wait_line() {
  local i
  for ((i = 0; i < $1 * 10; i++)); do
    grep -qE -- "$2" foreground.err && return 0
    sleep 0.1
  done
  cat foreground.err
  fail "no line like $2 within $1 s"
}

test_foreground() {
  local page="" flags=() began
  [[ "$has_prometheus" == no ]] || flags=(--with-prometheus)
  # Not demo(), which would be a shell of its own: the signal is for the script.
  "$root/etc/demo/run.sh" --no-install "${flags[@]}" >foreground.out 2>foreground.err &
  foreground_pid=$!
  wait_line 60 'Ctrl-C ends the demo'
  if [[ "$has_prometheus" == yes ]]; then
    wait_line 120 '^firing after [0-9]+ s: AliyunFlinkJobFailed: Deployment .* new failed job'
    page="$(alerts_page foreground.err)"
    expect_answer "$page" '/api/v1/alerts' '"state":"firing"'
  fi
  began=$SECONDS
  kill -TERM "$foreground_pid" # a background job does not get SIGINT
  wait "$foreground_pid" || fail "the demo in the foreground ended with $?"
  foreground_pid=""
  [[ $((SECONDS - began)) -le 15 ]] || fail "the demo took $((SECONDS - began)) s to stop"
  [[ -z "$page" ]] || expect_no_alerts_page "$page"
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

has_prometheus=no
joined=""
command -v prometheus >/dev/null && has_prometheus=yes
test_usage
test_once
test_detach
test_foreground
[[ "$has_prometheus" == yes ]] || echo "without a Prometheus: there is none on this machine"
echo "the demo works once, detached and in the foreground"
