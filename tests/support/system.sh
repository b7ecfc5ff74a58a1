# shellcheck shell=bash
#
# What etc/demo/run.sh and tests/run.sh share: messages, and getting the tools they need onto the
# machine. Sourced, never run.
#
# A need is one line, "PROBE PACKAGE...": how to see that it is there, and the Debian packages that
# bring it. Probing for the thing and not for the package keeps the scripts quiet on any system
# where somebody installed it another way.

# Written by the programs that source this file.
# shellcheck disable=SC2034
BUILD_NEEDS=(
  "cc gcc libc6-dev"
  "cmake:3.25 cmake"
  "command:ninja ninja-build"
  "command:pkg-config pkgconf"
  "pc:libcurl libcurl4-openssl-dev"
  "pc:libmicrohttpd libmicrohttpd-dev"
  "pc:libcjson libcjson-dev"
  "pc:libconfig libconfig-dev"
  "pc:libcrypto libssl-dev"
  "pc:zlib zlib1g-dev"
  "command:curl curl"
)

# shellcheck disable=SC2034
TEST_NEEDS=(
  "pc:cmocka libcmocka-dev"
  "python:sys python3"
  "python:prometheus_client python3-prometheus-client"
  "python:yaml python3-yaml"
  "command:promtool prometheus"
  "command:amtool prometheus-alertmanager"
  "command:faketime faketime"
  "clang-format:14 clang-format-14"
  "command:shellcheck shellcheck"
  "command:valgrind valgrind"
)

# What tests/bench/run.sh cannot do without, and the peers it measures beside.
# shellcheck disable=SC2034
BENCH_QUICK_NEEDS=(
  "python:sys python3"
  "command:valgrind valgrind"
)

# shellcheck disable=SC2034
BENCH_NEEDS=(
  "command:nginx nginx"
  "command:openssl openssl"
  "command:wrk wrk"
  "command:go golang-go"
  "go:github.com/prometheus/client_golang golang-github-prometheus-client-golang-dev"
  "command:c++ g++"
  "pc:simdjson libsimdjson-dev"
  "python:prometheus_client python3-prometheus-client"
  "command:prometheus prometheus"
  "command:prometheus-blackbox-exporter prometheus-blackbox-exporter"
  "command:prometheus-node-exporter prometheus-node-exporter"
)

# Debian starts these when they are installed; here only their programs are wanted.
SERVICES=(prometheus prometheus-alertmanager nginx prometheus-blackbox-exporter prometheus-node-exporter)

say() { printf '%s\n' "$*" >&2; }
die() {
  say "${0##*/}: $*"
  exit 1
}

# Prints "debian 12"; "unknown" where nothing tells.
system_name() {
  local ID="" VERSION_ID=""
  # shellcheck disable=SC1091
  [[ -r /etc/os-release ]] && . /etc/os-release
  printf '%s\n' "${ID:-unknown}${VERSION_ID:+ $VERSION_ID}"
}

version_at_least() { [[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" == "$1" ]]; }

has_cmake() {
  local found
  found="$(cmake --version 2>/dev/null | sed -n '1s/^cmake version //p')" || return 1
  [[ -n "$found" ]] && version_at_least "$1" "$found"
}

# The command that is clang-format of one major version: another one formats differently.
clang_format_command() {
  local name
  for name in "clang-format-$1" clang-format; do
    if "$name" --version 2>/dev/null | grep -q "version $1\."; then
      printf '%s\n' "$name"
      return 0
    fi
  done
  return 1
}

# Debian's own python3: its packages bring modules for that one, and another may come first in PATH.
system_python() {
  if [[ -x /usr/bin/python3 ]]; then
    printf '/usr/bin/python3\n'
  else
    command -v python3
  fi
}

is_there() {
  local what="${1#*:}"
  case "$1" in
    cc) printf '#include <stdio.h>\n' | cc -x c -fsyntax-only - 2>/dev/null ;;
    cmake:*) has_cmake "$what" ;;
    command:*) command -v "$what" >/dev/null ;;
    pc:*) pkg-config --exists "$what" 2>/dev/null ;;
    python:*) "$(system_python)" -c "import $what" 2>/dev/null ;;
    go:*) [[ -d "/usr/share/gocode/src/$what" ]] ;;
    clang-format:*) clang_format_command "$what" >/dev/null ;;
    *) die "is_there: no such probe: $1" ;;
  esac
}

# Prints those of the given needs that are not met, one a line.
unmet_needs() {
  local need
  for need in "$@"; do
    is_there "${need%% *}" || printf '%s\n' "$need"
  done
}

# "pc:libcurl libcurl4-openssl-dev" -> "libcurl (a library found by pkg-config; Debian: libcurl4-openssl-dev)"
explain_need() {
  local probe="${1%% *}" packages="${1#* }" what
  what="${probe#*:}"
  case "$probe" in
    cc) what="a C compiler with the C library's headers" ;;
    cmake:*) what="cmake $what or newer" ;;
    pc:*) what="library $what with its headers, as pkg-config names it" ;;
    python:sys) what="python3" ;;
    python:*) what="Python module $what for $(system_python || echo python3)" ;;
    go:*) what="Go package $what below /usr/share/gocode" ;;
    clang-format:*) what="clang-format $what, not another version" ;;
  esac
  printf '  %s  (Debian: %s)\n' "$what" "$packages"
}

can_be_root() { [[ "$EUID" -eq 0 ]] || command -v sudo >/dev/null; }

as_root() {
  if [[ "$EUID" -eq 0 ]]; then
    "$@"
  elif { : </dev/tty; } 2>/dev/null; then
    sudo "$@"
  else
    sudo -n "$@" # nobody is there to type a password
  fi
}

apt_install() {
  # --no-remove: whatever is on the machine stays. Recommended packages would bring services.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    --no-remove -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# The index may be missing (fresh container) or too old for the mirror; ask for it only then. A
# third-party source that cannot be reached is no reason to stop, so only the install decides.
apt_install_or_update() {
  apt_install "$@" && return 0
  as_root apt-get update -qq -o DPkg::Lock::Timeout=120 || true
  apt_install "$@"
}

# Debian's packages of servers would start them now and at every boot; only programs are wanted
# here. An existing policy-rc.d is somebody's decision and stays.
without_services() {
  local policy=/usr/sbin/policy-rc.d
  if [[ -e "$policy" ]]; then
    "$@"
    return
  fi
  (
    trap 'as_root rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    "$@"
  )
}

disable_service() {
  as_root deb-systemd-helper disable "$1.service" >/dev/null 2>&1 || true
  as_root update-rc.d "$1" disable >/dev/null 2>&1 || true
}

is_installed() {
  [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

install_packages() {
  local log service new_services=()
  log="$(mktemp)"
  for service in "${SERVICES[@]}"; do
    is_installed "$service" || new_services+=("$service")
  done
  say "installing: $*"
  if ! without_services apt_install_or_update "$@" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    say ""
    say "apt-get could not install these packages (last lines above). Without a network, install"
    say "them some other way and run this again with --no-install:"
    say "  apt-get install $*"
    return 1
  fi
  rm -f "$log"
  for service in "${new_services[@]}"; do
    ! is_installed "$service" || disable_service "$service"
  done
}

# Fails with a list of what is missing and what could be done about it.
refuse() {
  local reason="$1" need
  shift
  say "$reason Missing:"
  for need in "$@"; do
    explain_need "$need" >&2
  done
  return 1
}

# ensure_needs yes|no NEED...: installs what is missing (yes), or only says what is (no).
ensure_needs() {
  local may_install="$1" system missing packages
  shift
  system="$(system_name)"
  mapfile -t missing < <(unmet_needs "$@")
  [[ ${#missing[@]} -eq 0 ]] && return 0

  [[ "$may_install" == yes ]] || { refuse "Nothing is installed because of --no-install." "${missing[@]}"; return 1; }
  case "$system" in
    "debian 12") ;;
    "ubuntu 24.04") say "Ubuntu 24.04: its packages have the same names as Debian's, but this was not tried there." ;;
    *)
      refuse "This is $system; packages are installed on Debian 12 and Ubuntu 24.04 only. Install these yourself, then run this again." "${missing[@]}"
      return 1
      ;;
  esac
  can_be_root || { refuse "Installing packages needs root or sudo, and neither is here." "${missing[@]}"; return 1; }

  read -r -a packages <<<"$(printf '%s\n' "${missing[@]#* }" | tr '\n' ' ')"
  install_packages "${packages[@]}" || return 1
  mapfile -t missing < <(unmet_needs "$@")
  [[ ${#missing[@]} -eq 0 ]] || refuse "Installed, but still not found:" "${missing[@]}"
}
