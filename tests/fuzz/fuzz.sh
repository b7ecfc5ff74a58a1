#!/usr/bin/env bash
#
# Fuzzes the decoding of replies with libFuzzer: tests/fuzz/fuzz.sh [SECONDS [page|objects]]
#
# Needs clang and its runtime (libclang-rt-14-dev). New inputs gather in build/fuzz/corpus-TARGET, and what
# breaks is left in build/fuzz as crash-*; replay it with build/fuzz/fuzz_TARGET FILE.
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
seconds="${1:-60}"
target="${2:-page}"
[[ "$seconds" =~ ^[0-9]+$ && "$target" =~ ^(page|objects)$ ]] || {
  echo "usage: tests/fuzz/fuzz.sh [SECONDS [page|objects]]" >&2
  exit 2
}

corpus="corpus-$target"
mkdir -p "$root/build/fuzz/$corpus"
cd "$root/build/fuzz"

# A seed is a byte that says in what pieces the body arrives, and the body.
for seed in "$root"/tests/fixtures/{pages,objects}/*.json; do
  { printf '\3'; cat "$seed"; } >"$corpus/seed-$(basename "$seed")"
done

cat >dictionary <<'END'
"\\ud83d"
"\\ude00"
"\\u00"
"\"data\":["
"\"deploymentId\":\"a\""
"{\"success\":true,\"data\":["
"\\\\"
"\\\""
"\xef\xbb\xbf"
"true"
"null"
"\"labels\":{"
"\"jobSummary\":{\"failed\":1}"
"1e5"
"\"deploymentDraftId\":\"a\""
"\"lock\":{\"holderId\":"
"\"sqlArtifact\":{\"sqlScript\":\""
"\"ticketStatus\":\"FINISHED\""
"\"errorDetails\":"
END

api=(deployment_shape json json_exact json_scan json_skip json_string json_values json_wanted json_write
  labels page_deployment page_draft page_reader page_values refusal retry text ticket_reader)
base=(arena cleanup err glob quantity strbuf utf8)
sources=()
for name in "${api[@]}"; do sources+=("$root/src/api/$name.c"); done
for name in "${base[@]}"; do sources+=("$root/src/base/$name.c"); done
clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE \
  -I"$root/include" -I"$root/src/api" -I"$root/tests/support" -I/usr/include/cjson \
  "$root/tests/fuzz/fuzz_$target.c" "$root/tests/support/page_oracle.c" \
  "${sources[@]}" "$root"/src/model/*.c \
  -lcjson -lm -o "fuzz_$target"
exec "./fuzz_$target" -max_total_time="$seconds" -max_len=4000 -timeout=10 -dict=dictionary "$corpus"
