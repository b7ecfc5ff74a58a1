#!/usr/bin/env bash
#
# Fuzzes the decoding of replies with libFuzzer: tests/fuzz/fuzz.sh [SECONDS]
#
# Needs clang and its runtime (libclang-rt-14-dev). New inputs gather in build/fuzz/corpus, and what
# breaks is left in build/fuzz as crash-*; replay it with build/fuzz/fuzz_page FILE.
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
seconds="${1:-60}"
[[ "$seconds" =~ ^[0-9]+$ ]] || {
  echo "usage: tests/fuzz/fuzz.sh [SECONDS]" >&2
  exit 2
}

mkdir -p "$root/build/fuzz/corpus"
cd "$root/build/fuzz"

# A seed is a byte that says in what pieces the body arrives, and the body.
for seed in "$root"/tests/fixtures/pages/*.json; do
  { printf '\3'; cat "$seed"; } >"corpus/seed-$(basename "$seed")"
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
END

api=(deployment_shape json json_scan json_skip json_string json_values labels page_deployment page_reader
  page_values refusal retry text)
base=(arena cleanup err glob quantity strbuf utf8)
sources=()
for name in "${api[@]}"; do sources+=("$root/src/api/$name.c"); done
for name in "${base[@]}"; do sources+=("$root/src/base/$name.c"); done
clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE \
  -I"$root/include" -I"$root/src/api" -I"$root/tests/support" -I/usr/include/cjson \
  "$root/tests/fuzz/fuzz_page.c" "$root/tests/support/page_oracle.c" \
  "${sources[@]}" "$root"/src/model/*.c \
  -lcjson -lm -o fuzz_page
exec ./fuzz_page -max_total_time="$seconds" -max_len=4000 -timeout=10 -dict=dictionary corpus
