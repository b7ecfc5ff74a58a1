#!/usr/bin/env bash
#
# grafana_schema.sh ROOT: the dashboards against Grafana's own types (@grafana/schema), their queries
# against Prometheus' own grammar (@prometheus-io/lezer-promql).
#
# The packages come from the npm registry into a temporary folder, nothing of them stays. Without npm
# or the registry this is skipped. At the end two dashboards are broken to see that it would notice.
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
root="$(cd -- "$1" && pwd -P)"
# shellcheck source=tests/support/system.sh
. "$here/../support/system.sh"

PACKAGES=(@grafana/schema@13.2.3 @prometheus-io/lezer-promql@0.315.0 typescript@5.9.3)

for tool in node npm; do
  if ! command -v "$tool" >/dev/null; then
    say "no $tool here: dashboards are not compared with Grafana's types"
    exit 77
  fi
done

dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd -- "$dir"
printf '{ "private": true, "type": "module" }\n' >package.json
if ! timeout 90 npm install --no-audit --no-fund --ignore-scripts --loglevel=error "${PACKAGES[@]}" >npm.log 2>&1; then
  tail -n 5 npm.log >&2
  say "npm could not install ${PACKAGES[*]}: dashboards are not compared with Grafana's types"
  exit 77
fi
cp "$here/grafana.mjs" .

# check FILE...: writes check.ts and compiles it.
check() {
  node grafana.mjs "$@" &&
    node node_modules/typescript/bin/tsc --noEmit --strict --skipLibCheck --target es2022 \
      --module esnext --moduleResolution bundler check.ts
}

check "$root"/etc/grafana/*.json

# refuses EXPRESSION: what sed makes of a dashboard is not accepted.
refuses() {
  sed "$1" "$root/etc/grafana/fleet.json" >broken.json
  if cmp -s broken.json "$root/etc/grafana/fleet.json" || check broken.json >broken.log 2>&1; then
    say "accepts a dashboard that was broken with: $1"
    exit 1
  fi
}

refuses 's/"expr": "sum(/"expr": "sum((/'
refuses 's/"displayMode": "list"/"displayMode": "listing"/'
