#!/usr/bin/env bash
#
# Proves that each check can fail: in a small tree it is content with, every violation it exists
# for is planted in turn, and it has to name the file. A check that cannot run here is reported.
set -euo pipefail
shopt -s lastpipe # "... | refuses" counts in this shell

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
root="$(cd -- "$here/../.." && pwd -P)"
# shellcheck source=tests/support/system.sh
. "$here/../support/system.sh"

python="$(system_python)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
tree="$work/tree"
failures=0
plants=0
declare -A skipped=()

run_check() {
  local script
  script="$(printf '%s\n' "$here/check_$1".*)"
  case "$script" in
    *.py) "$python" -B "$script" "$tree" ;;
    *) bash "$script" "$tree" ;;
  esac
}

# put FILE: standard input becomes that file of the tree.
put() {
  mkdir -p "$tree/$(dirname "$1")"
  cat >"$tree/$1"
}

# A tree that every check accepts.
fresh_tree() {
  rm -rf "$tree"
  mkdir -p "$tree"
  cp "$root/.clang-format" "$tree/"
  mkdir -p "$tree/systemd"
  cp "$root"/systemd/*.service "$tree/systemd/"
  mkdir -p "$tree/etc" "$tree/tests/fixtures"
  cp -R "$root/etc/exporter.cfg" "$root/etc/prometheus" "$root/etc/grafana" "$tree/etc/"
  cp -R "$root/docs" "$tree/"
  cp -R "$root/tests/fixtures/prometheus" "$tree/tests/fixtures/"
  put include/base/thing.h <<<'int thing(void);'
  put include/model/record.h <<<'int record(void);'
  put src/base/thing.c <<'C'
/* strcpy( and "curl/curl.h" in a comment are nobody's business. */
#include "base/thing.h"

int thing(void)
{
    return 0;
}
C
  put script.sh <<<$'#!/bin/sh\necho "$1"'
  put tool.py <<<'print("hello")'
}

accepts() {
  local out status=0
  fresh_tree
  out="$(run_check "$1" 2>&1)" || status=$?
  case "$status" in
    0) ;;
    77)
      skipped[$1]=1
      echo "$1: $out"
      ;;
    *)
      echo "$1: refuses the clean tree:"
      printf '%s\n' "$out"
      failures=$((failures + 1))
      ;;
  esac
}

# refuses CHECK FILE: with that file, made from standard input, the check fails and names it.
refuses() {
  local out status=0
  fresh_tree
  put "$2"
  [[ -z "${skipped[$1]:-}" ]] || return 0
  plants=$((plants + 1))
  out="$(run_check "$1" 2>&1)" || status=$?
  if [[ "$status" -eq 0 || "$status" -eq 77 ]]; then
    echo "$1: accepts $2 with:"
    sed -n 1,5p "$tree/$2"
    failures=$((failures + 1))
  elif ! grep -qF "${2##*/}" <<<"$out"; then
    echo "$1: fails, but does not name $2:"
    printf '%s\n' "$out"
    failures=$((failures + 1))
  fi
}

lines() { for ((i = 0; i < $1; i++)); do printf '%s\n' "$2"; done; }

plant_layers() {
  refuses layers include/base/up.h <<<'#include "model/record.h"'
  refuses layers src/model/side.c <<<'#include "metrics/expo.h"'
  refuses layers src/http/deep.c <<<'#include "inventory/inventory.h"'
  refuses layers src/simulator/shared.c <<<'#include "model/record.h"'
  refuses layers src/model/missing.c <<<'#include "base/private.h"'
  refuses layers src/model/private.c <<<'#include "other.h"'
  refuses layers src/model/path.c <<<'#include "../base/thing.h"'
  refuses layers src/stranger/new.c <<<'int x;'
  refuses layers src/api/client.c <<<'#include <curl/curl.h>'
  refuses layers src/daemon/build.c <<<'const char *v(void) { return curl_version(); }'
  refuses layers src/daemon/info.c <<<'void *v(void) { return curl_version_info(CURLVERSION_NOW); }'
  refuses layers src/api/page.c <<<'#include <cjson/cJSON.h>'
  refuses layers src/conf/conf.c <<<'#include <libconfig.h>'
  refuses layers src/http/routes.c <<<'#include <microhttpd.h>'
  refuses layers src/daemon/mhd.c <<<'const char *v(void) { return MHD_get_version(); }'
  refuses layers src/http/gzip.c <<<'#include <zlib.h>'
}

plant_banned() {
  local name
  for name in strcpy strcat strncpy sprintf strtok gets setlocale localtime gmtime; do
    refuses banned "tests/unit/$name.c" <<<"char *f(void) { return (char *)$name(0); }"
  done
}

plant_sizes() {
  lines 701 '/* a line */' | refuses sizes src/base/long_file.c
  { printf 'int f(void)\n{\n'; lines 100 '    g();'; printf '}\n'; } | refuses sizes src/base/long.c
}

plant_words() {
  local word
  for word in "TO""DO" "FIX""ME" "X""XX" "HA""CK"; do
    refuses words notes.md <<<"$word: later"
  done
  for word in "/wo""rk/tree" "/ho""me/somebody/tree" "/ro""ot/tree" "the work""place"; do
    refuses words docs/page.md <<<"see $word"
  done
}

plant_unit() {
  refuses unit systemd/bare.service <<<$'[Service]\nExecStart=/usr/bin/bare'
  sed 's/^PrivateUsers=.*/PrivateUsrs=yes/' "$root/systemd/aliyun_flink_exporter.service" |
    refuses unit systemd/misspelt.service
  sed 's/^SystemCallFilter=@.*//' "$root/systemd/aliyun_flink_exporter.service" |
    refuses unit systemd/loose.service
}

# edited FILE SED-SCRIPT: that file of the real tree, changed.
edited() { sed "$2" "$root/$1"; }

plant_monitoring() {
  local rules=etc/prometheus/aliyun_flink.rules.yml
  edited "$rules" 's/expr: absent(/expr: absent((/' | refuses rules "$rules"
  edited etc/prometheus/tests/releases.yml 's/eval_time: 16m/eval_time: 13m/' |
    refuses rules etc/prometheus/tests/releases.yml
  # shellcheck disable=SC2016
  edited "$rules" 's/had {{ $value | printf "%.0f" }}/had {{ $value }}/' | refuses runbooks "$rules"
  edited "$rules" 's/alert: AliyunFlinkDataStale$/alert: AliyunFlinkDataOld/' | refuses runbooks "$rules"
  edited etc/prometheus/alertmanager.example.yml 's/severity="info"/severity="inform"/' |
    refuses rules etc/prometheus/alertmanager.example.yml
  refuses runbooks docs/runbooks/AliyunFlinkNobody.md <<<'# AliyunFlinkNobody'
  refuses families docs/page.md <<<'Look at aliyun_flink_deployment_jubs.'
  edited etc/prometheus/prometheus.example.yml 's/^global/# aliyun_flink_nothing\n&/' |
    refuses families etc/prometheus/prometheus.example.yml
  local sample=tests/fixtures/prometheus/sample.prom
  edited "$sample" 's/^\(# TYPE aliyun_flink_up\) gauge/\1 counter/' | refuses families "$sample"
  edited "$sample" 's/^\(# HELP aliyun_flink_up\) 1 if/\1 One if/' | refuses families "$sample"
  edited "$sample" 's/^\(aliyun_flink_up{workspace="[^"]*"\),flink_namespace="[^"]*"/\1/' | refuses families "$sample"
  edited "$sample" 's/collector="deployments"/collector="deploymints"/' | refuses families "$sample"
  edited "$sample" '/aliyun_flink_data_withheld/d' | refuses families "$sample"
  # shellcheck disable=SC2016
  edited docs/metrics.md 's/^Labels, Flink conf/`draft_dirfted`: &/' | refuses families docs/metrics.md
  edited docs/metrics.md 's/^\(| .aliyun_flink_draft_locked.*\) STABLE/\1 EXPERIMENTAL/' |
    refuses families docs/metrics.md
  edited docs/metrics.md '/^| .aliyun_flink_data_withheld/d' | refuses families docs/metrics.md
  edited etc/grafana/fleet.json 's/"noValue": "[^"]*"/"noValue": ""/' | refuses dashboards etc/grafana/fleet.json
}

plant_links() {
  refuses links docs/page.md <<<'See [there](nowhere.md).'
  refuses links docs/page.md <<<'See [there](metrics.md#no-such-heading).'
  refuses links docs/page.md <<<'See [here](#below).'
  refuses links docs/page.md <<<'![picture](img/none.png)'
  refuses links docs/page.md <<<$'[there]: ../etc/nothing.cfg'
  refuses links docs/page.md <<<'See [there](../../elsewhere.md).'
  refuses links etc/thing.cfg <<<"# docs/""no-such-page.md says more."
}

# What size-ok says is left alone.
check_size_exceptions() {
  fresh_tree
  { echo '/* size-ok(file): a table */'; lines 700 '/* a line */'; } | put src/base/table.c
  { printf '/* size-ok(function): a flat switch */\nint f(void)\n{\n'; lines 100 '    g();'; printf '}\n'; } |
    put src/base/switch.c
  run_check sizes >/dev/null || {
    echo "sizes: size-ok is not heeded"
    failures=$((failures + 1))
  }
}

for check in "$here"/check_*; do
  check="${check##*/check_}"
  accepts "${check%.*}"
done

plant_layers
plant_banned
plant_sizes
check_size_exceptions
plant_words
plant_unit
plant_monitoring
plant_links
refuses format src/base/ugly.c <<<'int  x ;'
refuses headers include/base/incomplete.h <<<'size_t length(void);'
refuses headers src/base/unguarded.h <<<'struct twice { int x; };'
# shellcheck disable=SC2016
refuses shell bad.sh <<<$'#!/bin/sh\nrm $1'
# shellcheck disable=SC2016
refuses shell .ci/run <<<$'#!/usr/bin/env bash\nrm $1'
refuses python tests/bad.py <<<'def f(:'

echo "$plants violations planted, $failures not found"
[[ "$failures" -eq 0 && "$plants" -gt 0 ]]
