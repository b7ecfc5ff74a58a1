#!/usr/bin/env bash
#
# check_rules.sh ROOT: what etc/prometheus gives to Prometheus and Alertmanager is accepted by their
# own tools, the rules pass their unit tests, and alerts are routed to whom they are meant for.
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=tests/support/system.sh
. "$here/../support/system.sh"

for tool in promtool amtool; do
  if ! command -v "$tool" >/dev/null; then
    say "no $tool here (Debian: prometheus, prometheus-alertmanager)"
    exit 77
  fi
done

cd -- "$1/etc/prometheus"
failures=0

# quiet NAME COMMAND...: the output is shown only when it fails, with the file's name before it.
quiet() {
  local name="$1" out
  shift
  out="$("$@" 2>&1)" && return 0
  printf '%s: %s\n' "$name" "$out"
  failures=$((failures + 1))
}

for rules in *.rules.yml; do
  quiet "$rules" promtool check rules --lint=all --lint-fatal "$rules"
done
quiet prometheus.example.yml promtool check config prometheus.example.yml
quiet alertmanager.example.yml amtool check-config alertmanager.example.yml

# route RECEIVER LABEL=VALUE...
route() {
  local receiver="$1"
  shift
  quiet alertmanager.example.yml amtool config routes test --config.file=alertmanager.example.yml \
    --verify.receivers="$receiver" "$@"
}

route flink-office-hours alertname=AliyunFlinkJobFailed severity=warning
route flink-on-call alertname=AliyunFlinkJobFailing severity=critical
route flink-on-call alertname=AliyunFlinkStreamingDeploymentDown severity=critical
route flink-record alertname=AliyunFlinkJobCancelled severity=info
route flink-releases alertname=AliyunFlinkDeployTicketFailed severity=warning
route flink-office-hours alertname=AliyunFlinkTargetDown severity=warning
route exporter-on-call alertname=AliyunFlinkDataStale severity=critical
route exporter-on-call alertname=AliyunFlinkExporterAbsent severity=critical
route exporter-on-call alertname=AliyunFlinkCredentialsExpiring severity=critical
route default alertname=SomebodyElses severity=critical

[[ "$failures" -eq 0 ]] || exit 1

# Most of the time goes here, so what is broken anyway does not come this far.
declare -A running=()
log="$(mktemp -d)"
trap 'rm -rf "$log"' EXIT
for test in tests/*.yml; do
  [[ "$test" == *.rules.yml ]] && continue
  promtool test rules "$test" >"$log/${test##*/}" 2>&1 &
  running[$test]=$!
done
for test in "${!running[@]}"; do
  wait "${running[$test]}" && continue
  cat "$log/${test##*/}"
  failures=$((failures + 1))
done
echo "${#running[@]} files of tests, $failures failures"
[[ "$failures" -eq 0 && ${#running[@]} -gt 0 ]]
