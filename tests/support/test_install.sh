#!/usr/bin/env bash
#
# test_install.sh BUILD_DIR: what "cmake --install" puts where, and that it runs from there.
set -euo pipefail

build="$1"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
stage="$work/stage area"

fail() {
  echo "FAILED: $*"
  exit 1
}

install_to() {
  DESTDIR="$stage" cmake --install "$build" --prefix "$1" >"$work/log" 2>&1 ||
    { cat "$work/log"; fail "cmake --install --prefix $1"; }
}

# expect_file PATH PATTERN: it is there and has a line that matches.
expect_file() {
  [[ -f "$stage$1" ]] || { cat "$work/log"; fail "$1 was not installed"; }
  grep -qE -- "$2" "$stage$1" || { cat "$stage$1"; fail "$1 has no line like $2"; }
}

expect_version() {
  local first
  first="$("$stage$1" --version | head -n 1)" || fail "$1 --version"
  [[ "$first" =~ ^"${1##*/}, version "[0-9]+\.[0-9]+\.[0-9]+ ]] || fail "$1 --version says: $first"
}

expect_good_config() {
  "$stage/usr/bin/aliyun_flink_exporter" --config.check --config.file="$stage$1" >"$work/check" 2>&1 ||
    { cat "$work/check"; fail "$1 is refused"; }
}

install_to /usr
for program in aliyun_flink_exporter aliyun_flink_simulator aliyun_flinkctl; do
  [[ -x "$stage/usr/bin/$program" ]] || fail "$program was not installed"
  expect_version "/usr/bin/$program"
done

confdir=/etc/aliyun_flink_exporter
for config in exporter.cfg exporter-minimal.cfg; do
  expect_file "$confdir/$config" .
  expect_good_config "$confdir/$config"
done

unit=/lib/systemd/system/aliyun_flink_exporter.service
expect_file "/usr$unit" "^ExecStart=/usr/bin/aliyun_flink_exporter .*$confdir/exporter.cfg$"

echo '# edited' >>"$stage$confdir/exporter.cfg"
install_to /usr
grep -q '^# edited$' "$stage$confdir/exporter.cfg" || fail "installing again overwrote exporter.cfg"

share=/usr/share/aliyun_flink_exporter
expect_file "$share/prometheus/aliyun_flink.rules.yml" 'alert: AliyunFlinkJobFailed$'
expect_file "$share/prometheus/alertmanager.example.yml" '^route:'
expect_file "$share/prometheus/prometheus.example.yml" '^rule_files:'
expect_file "$share/grafana/fleet.json" '"title"'
if [[ -n "$(find "$stage$share" -name '*.py' -o -name '__pycache__')" ]]; then
  fail "what writes the dashboards was installed with them"
fi
if command -v promtool >/dev/null; then
  promtool test rules "$stage$share"/prometheus/tests/deployments.yml >"$work/check" 2>&1 ||
    { cat "$work/check"; fail "the installed rules do not pass their installed tests"; }
fi

# expect_links FILE: what it links to was installed, too.
expect_links() {
  local link
  while read -r link; do
    [[ -e "$stage${1%/*}/$link" ]] || fail "$1 links to $link, which was not installed"
  done < <(sed -n 's/.*](\([^)#:]*\)[)#].*/\1/p' "$stage$1")
}

doc=/usr/share/doc/aliyun_flink_exporter
expect_file "$doc/docs/runbooks/AliyunFlinkJobFailed.md" '^Severity: warning$'
for document in README.md docs/alerting.md; do
  expect_file "$doc/$document" '^# '
  expect_links "$doc/$document"
done

install_to /opt/afe
expect_file /opt/afe/share/aliyun_flink_exporter/prometheus/aliyun_flink.rules.yml '^groups:'
expect_file "/opt/afe/etc/aliyun_flink_exporter/exporter.cfg" .
expect_file "/opt/afe$unit" \
  '^ExecStart=/opt/afe/bin/aliyun_flink_exporter .*/opt/afe/etc/aliyun_flink_exporter/exporter.cfg$'

echo "installed programs, configuration, unit, rules, dashboards and documents are good"
