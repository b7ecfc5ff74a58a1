#!/usr/bin/env bash
#
# The demo: the exporter against a simulated control plane, on this machine alone; on request with a
# Prometheus that evaluates the shipped rules.
#
# Nothing outside the build folder, a private folder for the running demo and, where something is
# missing, the system's packages is touched. See --help.
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
# shellcheck source=tests/support/system.sh
. "$root/tests/support/system.sh"

usage() {
  cat <<'HELP'
usage: etc/demo/run.sh [--detach | --stop | --once] [--with-prometheus] [--listen HOST:PORT]
                       [--no-install]

Installs what is missing, builds, starts a simulated control plane and the exporter on it, shows
some metrics and where to look. Stays in the foreground until Ctrl-C.

  --detach            leave it running and return
  --stop              end what --detach left running
  --once              print one exposition to stdout (all else goes to stderr) and exit
  --with-prometheus   run a Prometheus, too, with the rules of etc/prometheus: the first alert fires
                      within two minutes. On 127.0.0.1:9090 or the next free port
  --listen HOST:PORT  where the exporter listens; default 127.0.0.1:10058, or the next free port
  --no-install        install no packages, only say what is missing
  --help              this text

With AFE_BIN_DIR set, the programs in that folder are used and nothing is built.
HELP
}

mode=foreground
may_install=yes
with_prometheus=no
listen=""

parse_arguments() {
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --detach | --stop | --once) mode="${1#--}" ;;
      --listen)
        [[ $# -ge 2 ]] || usage_error "--listen needs HOST:PORT"
        listen="$2"
        shift
        ;;
      --listen=*) listen="${1#*=}" ;;
      --with-prometheus) with_prometheus=yes ;;
      --no-install) may_install=no ;;
      --help | -h)
        usage
        exit 0
        ;;
      *) usage_error "unknown argument: $1" ;;
    esac
    shift
  done
  [[ -z "$listen" || "$listen" =~ :[0-9]+$ ]] || usage_error "--listen needs HOST:PORT, not $listen"
  [[ "$mode" != once || "$with_prometheus" == no ]] ||
    usage_error "--once has nothing for a Prometheus to watch: leave out --with-prometheus"
}

usage_error() {
  say "run.sh: $1 (see --help)"
  exit 2
}

# --- processes: a pid alone could by now be somebody else's, so its start time goes with it -------

# Prints a process's start time; fails if there is none or it is a zombie.
start_time_of() {
  local stat fields
  stat="$(cat "/proc/$1/stat" 2>/dev/null)" || return 1
  read -r -a fields <<<"${stat##*) }" # the name before may hold blanks and brackets
  [[ "${fields[0]}" != Z ]] && printf '%s\n' "${fields[19]}"
}

# is_running PID STARTED
is_running() { [[ -n "$1" && -n "$2" && "$(start_time_of "$1")" == "$2" ]]; }

# The programs promise to stop within 5 s.
stop_process() {
  local i
  is_running "$1" "$2" || return 0
  kill -TERM "$1" 2>/dev/null || return 0
  for ((i = 0; i < 60; i++)); do
    is_running "$1" "$2" || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}

stop_recorded() {
  local pid="" started=""
  [[ -r "$work/$1.pid" ]] || return 0
  read -r pid started <"$work/$1.pid" || true
  stop_process "$pid" "$started"
}

# From the top down, so that none logs that the one below is gone.
stop_all() {
  local name
  for name in prometheus exporter simulator; do
    stop_recorded "$name"
  done
}

recorded_is_running() {
  local pid="" started=""
  [[ -r "$work/$1.pid" ]] || return 1
  read -r pid started <"$work/$1.pid" || true
  is_running "$pid" "$started"
}

# launch NAME PROGRAM ARGUMENT...: in a session of its own, so that Ctrl-C reaches only this script,
# which then stops both in order. Not detached, it ends with this script, even after a kill -9.
launch() {
  local name="$1" pid
  local -a with=(setsid)
  shift
  if [[ "$mode" != detach ]] && setpriv --pdeathsig TERM true 2>/dev/null; then
    with=(setpriv --pdeathsig TERM setsid)
  fi
  : >"$work/$name.log" # readers may be faster than the new process
  (cd "$work" && exec "${with[@]}" "$@") </dev/null >"$work/$name.log" 2>&1 9<&- &
  pid=$!
  printf '%s %s\n' "$pid" "$(start_time_of "$pid")" >"$work/$name.pid"
}

# wait_for NAME SECONDS COMMAND...: until the command succeeds; fails when NAME ends before.
wait_for() {
  local name="$1" i tries=$(($2 * 10))
  shift 2
  for ((i = 0; i < tries; i++)); do
    "$@" && return 0
    recorded_is_running "$name" || break
    sleep 0.1
  done
  "$@" && return 0
  say "The $name did not start. The end of its log:"
  tail -n 20 "$work/$name.log" >&2
  return 1
}

# --- the folder of a running demo ---------------------------------------------------------------

state_dir() {
  local base="${XDG_RUNTIME_DIR:-}"
  # After su it may still be another user's.
  [[ -n "$base" && -O "$base" && -w "$base" ]] || base=/tmp
  printf '%s/aliyun-flink-demo-%s\n' "$base" "$UID"
}

# The name can be guessed and /tmp is everybody's: use the folder only if it is really ours.
claim_state_dir() {
  local dir
  dir="$(state_dir)"
  mkdir -m 700 "$dir" 2>/dev/null || true
  [[ -d "$dir" && ! -L "$dir" && -O "$dir" ]] || die "$dir is not a folder of this user"
  chmod 700 "$dir"
  exec 9<"$dir"
  flock -n 9 || die "another --detach or --stop is at work in $dir"
  work="$dir" # from here on clean_up stops what runs in it
}

remove_work() {
  [[ -n "$work" && -d "$work" ]] || return 0
  rm -f "$work"/{simulator,exporter,prometheus}.{pid,log} \
    "$work"/{exporter.cfg,prometheus.yml,aliyun_flink.rules.yml,secret,urls,exporter-url,metrics.txt,alerts.json} \
    "$work"/tickets/* "$work"/tickets/.[!.]*
  rm -rf "$work/prometheus-data"
  [[ ! -d "$work/tickets" ]] || rmdir "$work/tickets" 2>/dev/null || true
  rmdir "$work" 2>/dev/null || say "left behind: $work"
}

work=""
keep=no
told=no
began=0

clean_up() {
  local status=$?
  trap - EXIT INT TERM HUP
  if [[ -n "$work" && "$keep" == no ]]; then
    stop_all
    remove_work
  fi
  exit "$status"
}

# --- steps ----------------------------------------------------------------------------------------

show_log_and_die() {
  say "$1 The end of $2:"
  tail -n 30 "$2" >&2
  exit 1
}

cached_source_of() { sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$1/CMakeCache.txt" 2>/dev/null; }

# A build folder of its own: without tests it needs no test library.
build() {
  local dir="$root/build/demo" log
  if [[ -n "${AFE_BIN_DIR:-}" ]]; then
    bin="$(cd -- "$AFE_BIN_DIR" && pwd -P)" || die "AFE_BIN_DIR is no folder: $AFE_BIN_DIR"
    return
  fi
  mkdir -p "$dir" 2>/dev/null || true
  [[ -d "$dir" && -w "$dir" ]] ||
    die "cannot write to $dir; if an earlier run as root made it, run as root again or remove it"
  log="$dir/build.log"
  : >"$log"
  if [[ "$(cached_source_of "$dir")" != "$root" || ! -f "$dir/build.ninja" ]]; then
    rm -f "$dir/build.stamp"
    (cd "$root" && cmake --fresh --preset release -B "$dir" -DAFE_TESTS=OFF) >>"$log" 2>&1 ||
      show_log_and_die "Configuring failed." "$log"
  fi
  compile "$dir" "$log"
  bin="$dir"
}

# Ninja is always asked; only the notice that it takes a while depends on what changed.
compile() {
  local targets=(aliyun_flink_exporter aliyun_flink_simulator aliyun_flinkctl) stamp="$1/build.stamp" newer=all
  [[ ! -e "$stamp" ]] || newer="$(find "$root/src" "$root/include" -newer "$stamp" -print -quit)"
  [[ -z "$newer" ]] || say "building in build/demo (about a minute the first time)"
  cmake --build "$1" --target "${targets[@]}" >>"$2" 2>&1 || show_log_and_die "The build failed." "$2"
  touch "$stamp"
}

# Where below the build folder a program is, is the build's business.
program() {
  local found
  found="$(find "$bin" -type f -name "$1" -perm -u+x -print -quit)"
  [[ -n "$found" ]] || die "there is no $1 in $bin"
  printf '%s\n' "$found"
}

# Is anybody listening (state 0A) on this port, at whatever address?
port_is_taken() {
  local hex
  printf -v hex '%04X' "$1"
  grep -qs "^ *[0-9]*: [0-9A-F]*:$hex [0-9A-F:]* 0A " /proc/net/tcp /proc/net/tcp6
}

# choose_port FIRST NAME: sets port to the first free one of a hundred.
choose_port() {
  for ((port = $1; port < $1 + 100; port++)); do
    if ! port_is_taken "$port"; then
      [[ "$port" -eq "$1" ]] || say "port $1 is taken; $2 takes $port"
      return 0
    fi
  done
  die "no free port between $1 and $(($1 + 99)) for $2"
}

choose_exporter_address() {
  local port
  [[ -z "$listen" ]] || return 0
  choose_port 10058 "the exporter"
  listen="127.0.0.1:$port"
}

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

key_id=demo-access-key
workspace=a14bd5d90a4f4e

simulator_is_up() {
  simulator_url="$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$work/simulator.log" | head -n 1)"
  [[ -n "$simulator_url" ]]
}

start_simulator() {
  local address=127.0.0.1:18080 secret program
  program="$(program aliyun_flink_simulator)"
  port_is_taken 18080 && address=127.0.0.1:0
  # --churn: jobs fail, finish and are purged while it runs, so that the numbers move.
  secret="$(random_hex 15)"
  (umask 077 && printf '%s\n' "$secret" >"$work/secret")
  launch simulator "$program" --listen "$address" --workspace "$workspace" \
    --namespaces default-namespace,staging --deployments 40 --drafts 20 --profile typical --churn 1 \
    --access-key-id "$key_id" --access-key-secret "$secret"
  wait_for simulator 20 simulator_is_up
}

# A libconfig string: a temporary folder's name may hold anything.
quoted() {
  local s="${1//\\/\\\\}"
  printf '"%s"' "${s//\"/\\\"}"
}

write_configuration() {
  mkdir -p "$work/tickets"
  cat >"$work/exporter.cfg" <<CONFIG
# Made by etc/demo/run.sh. Much shorter times than a real control plane and a real Prometheus need.
defaults = { interval = "5s"; timeout = "4s"; deadline = "10s"; max_staleness = "30s"; };
state = { hold = "15s"; };

credentials = (
  { name = "demo"; provider = "static"; access_key_id = "$key_id";
    access_key_secret_file = $(quoted "$work/secret"); }
);

targets = (
  { name = "demo"; endpoint = "$simulator_url"; workspace = "$workspace";
    namespaces = [ "default-namespace", "staging" ]; credentials = "demo"; proxy_url = "none";
    collectors = [ "deployments", "drafts", "tickets" ]; ticket_dir = $(quoted "$work/tickets"); }
);
CONFIG
}

get() { curl --fail --silent --noproxy '*' --max-time 5 "$@"; }

exporter_is_ready() { get -o /dev/null "$exporter_url/-/ready"; }

start_exporter() {
  local program host
  program="$(program aliyun_flink_exporter)"
  choose_exporter_address
  host="${listen%:*}"
  case "$host" in "" | 0.0.0.0 | "[::]") host=127.0.0.1 ;; esac
  exporter_url="http://$host:${listen##*:}"
  launch exporter "$program" --config.file "$work/exporter.cfg" --web.listen-address "$listen"
  wait_for exporter 30 exporter_is_ready
  printf '%s\n' "$exporter_url" >"$work/exporter-url"
}

# --- Prometheus -----------------------------------------------------------------------------------

# Scraped and evaluated often enough that a counter is seen at its old value within the exporter's
# state.hold. The name of the job is what AliyunFlinkExporterDown looks for.
write_prometheus_configuration() {
  # Linked and named relatively: rule_files takes patterns, and a path may hold anything.
  ln -sfn "$root/etc/prometheus/aliyun_flink.rules.yml" "$work/aliyun_flink.rules.yml"
  cat >"$work/prometheus.yml" <<CONFIG
# Made by etc/demo/run.sh; etc/prometheus/prometheus.example.yml is for real use.
global: {scrape_interval: 5s, scrape_timeout: 4s, evaluation_interval: 5s}
rule_files: [aliyun_flink.rules.yml]
scrape_configs:
- job_name: aliyun-flink-exporter
  static_configs: [{targets: ['${exporter_url#http://}']}]
CONFIG
}

prometheus_is_ready() { get -o /dev/null "$prometheus_url/-/ready"; }

start_prometheus() {
  local port
  write_prometheus_configuration
  choose_port 9090 Prometheus
  prometheus_url="http://127.0.0.1:$port"
  launch prometheus prometheus --config.file=prometheus.yml \
    --storage.tsdb.path=prometheus-data --storage.tsdb.retention.time=6h \
    --web.listen-address="127.0.0.1:$port"
  wait_for prometheus 30 prometheus_is_ready
  # Debian's has the old pages only.
  prometheus_pages="$prometheus_url"
  get -o /dev/null "$prometheus_pages/alerts" || prometheus_pages+=/classic
}

# Prints the description of the first AliyunFlinkJobFailed that fires; fails while none does. One
# object a line is JSON enough for grep: the API sorts the members.
first_alert() {
  get -o "$work/alerts.json" "$prometheus_url/api/v1/alerts" || return 1
  sed 's/{"labels":/\n&/g' "$work/alerts.json" | grep '"alertname":"AliyunFlinkJobFailed"' |
    grep '"state":"firing"' | sed -n '1s/.*"description":"\(\([^"\\]\|\\.\)*\)".*/\1/p' | grep .
}

# Once, when it happens.
tell_first_alert() {
  local description
  [[ "$with_prometheus" == yes && "$told" == no ]] || return 0
  description="$(first_alert)" || return 0
  told=yes
  say "firing after $((SECONDS - began)) s: AliyunFlinkJobFailed: $description"
}

show_family() {
  grep "^$1{" "$work/metrics.txt" | sed -n "1,${2}p" >&2 || true
}

show_metrics() {
  get -o "$work/metrics.txt" "$exporter_url/metrics" || die "no answer from $exporter_url/metrics"
  say ""
  show_family aliyun_flink_up 4
  show_family aliyun_flink_namespace_deployments 4
  show_family aliyun_flink_namespace_jobs 12
  show_family aliyun_flink_deployment_jobs 6
  say "... $(grep -vc '^#' "$work/metrics.txt" || true) series in all"
  if ! grep -q '^aliyun_flink_up{.*} 1$' "$work/metrics.txt"; then
    say "The exporter could not read the simulator. The end of its log:"
    tail -n 10 "$work/exporter.log" >&2
  fi
}

where_to_look() {
  cat <<URLS
  $exporter_url/           status page
  $exporter_url/metrics    what Prometheus scrapes
  $simulator_url/_sim       what the simulated control plane was asked
  $work/    configuration and logs
  $(program aliyun_flinkctl) --config.file $work/exporter.cfg --namespace staging drafts
                            the operator's tool
URLS
  [[ "$with_prometheus" == yes ]] || return 0
  cat <<URLS
  $prometheus_pages/alerts  what fires: AliyunFlinkJobFailed within two minutes
  $prometheus_pages/graph   to ask Prometheus
                            For dashboards: in a Grafana of your own add $prometheus_url as a
                            Prometheus data source and import etc/grafana/*.json
URLS
}

show_where_to_look() {
  where_to_look >"$work/urls"
  say ""
  cat "$work/urls" >&2
  say ""
}

start_all() {
  began=$SECONDS
  start_simulator
  write_configuration
  start_exporter
  [[ "$with_prometheus" == no ]] || start_prometheus
  show_metrics
  say "The counters of failures (..._job_failures_total) stay 0 for the first 15 seconds, so that"
  say "Prometheus has seen the 0 before they move (state.hold; two minutes by default)."
  show_where_to_look
}

# --- modes ----------------------------------------------------------------------------------------

prepare() {
  local needs=("${BUILD_NEEDS[@]}")
  [[ "$with_prometheus" == no ]] || needs+=("command:prometheus prometheus")
  ensure_needs "$may_install" "${needs[@]}" || exit 1
  build
}

private_work() {
  work="$(mktemp -d "${TMPDIR:-/tmp}/aliyun-flink-demo.XXXXXX")"
  chmod 700 "$work"
}

run_once() {
  local program
  private_work
  start_simulator
  write_configuration
  program="$(program aliyun_flink_exporter)"
  "$program" --once --config.file "$work/exporter.cfg"
}

all_are_running() {
  local name
  for name in "$@"; do
    recorded_is_running "$name" || return 1
  done
}

run_foreground() {
  local parts=(simulator exporter) name
  private_work
  start_all
  [[ "$with_prometheus" == no ]] || parts+=(prometheus)
  trap 'say ""; say "stopping"; exit 0' INT TERM HUP
  say "Numbers move every few seconds. Ctrl-C ends the demo."
  while all_are_running "${parts[@]}"; do
    tell_first_alert
    sleep 1
  done
  say "One of the programs ended by itself. The ends of their logs:"
  for name in "${parts[@]}"; do
    tail -n 10 "$work/$name.log" >&2
  done
  exit 1
}

# A Prometheus for a demo that was started without one.
add_prometheus() {
  exporter_url="$(cat "$work/exporter-url")"
  simulator_is_up
  start_prometheus
  show_where_to_look
  say "The demo has a Prometheus now; --stop ends all of it."
}

run_detached() {
  claim_state_dir
  if all_are_running simulator exporter; then
    keep=yes
    say "The demo is already running; --stop ends it."
    if [[ "$with_prometheus" == yes ]] && ! recorded_is_running prometheus; then
      add_prometheus
    else
      cat "$work/urls" >&2
    fi
    return
  fi
  stop_all # half of an earlier demo
  start_all
  keep=yes
  say "The demo goes on in the background; --stop ends it."
}

stop_detached() {
  if [[ ! -d "$(state_dir)" ]]; then
    say "The demo is not running."
    return
  fi
  claim_state_dir
  say "stopping" # clean_up does it
}

main() {
  parse_arguments "$@"
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  [[ "$mode" == stop ]] || prepare
  case "$mode" in
    foreground) run_foreground ;;
    detach) run_detached ;;
    stop) stop_detached ;;
    once) run_once ;;
  esac
}

main "$@"
