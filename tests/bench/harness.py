"""What all measurements share: processor time of processes, servers, load, and taking turns.

Nothing here knows a goal. Everything runs on loopback in one temporary directory and is gone when
the benchmark ends.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))

GO_PATH = "/usr/share/gocode"


class Skip(Exception):
    """This cannot be measured here, or not in this form; says why."""


class Broken(Exception):
    """A measurement that means nothing: peers that differ, a process that died."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def need(program, package):
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Skip(f"no {program} here (Debian: {package})")
    return path


# --- processes ------------------------------------------------------------------------------------

def cpu_seconds(*pids):
    """Processor time of whole processes, user and system, threads that ended included.

    The clock of another process, as clock_getcpuclockid(3) makes its number: what /proc/PID/stat
    has in hundredths, in nanoseconds.
    """
    try:
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)
    except OSError as e:
        raise Broken(f"a process died while it was measured: {e}") from e


def status_bytes(pid, field):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        return int(re.search(field + r":\s+(\d+)", f.read()).group(1)) * 1024


def resident(pid):
    return status_bytes(pid, "VmRSS")


def peak(pid):
    return status_bytes(pid, "VmHWM")


def available_memory():
    with open("/proc/meminfo", encoding="ascii") as f:
        return int(re.search(r"MemAvailable:\s+(\d+)", f.read()).group(1)) * 1024


def settle(*pids, quiet=0.1, seconds=60.0):
    """Waits until the processes rest, so that what one call began is in its own account."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = cpu_seconds(*pids)
        time.sleep(quiet)
        if cpu_seconds(*pids) - before < 0.001 * quiet / 0.1:
            return
    raise Broken("a process does not come to rest")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def wait_port(port, process, what):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Broken(f"{what} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise Broken(f"{what} does not listen")


def stop(process):
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


class Talking:
    """A peer that does one piece of work for every line it reads, and answers with a line."""

    def __init__(self, argv, has_port=False):
        self.argv = argv
        self.popen = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.popen.pid
        self.port = int(self._line("listening")) if has_port else None

    def _line(self, word):
        line = self.popen.stdout.readline().split()
        if len(line) != 2 or line[0] != word:
            raise Broken(f"{self.argv[0]} said {line!r} and not {word}")
        return line[1]

    def work(self):
        """Processor seconds of one piece of work; the first one has the start in it."""
        before = 0 if not hasattr(self, "worked") else cpu_seconds(self.pid)
        self.worked = True
        self.popen.stdin.write("go\n")
        self.popen.stdin.flush()
        self.answer = self._line("done")
        settle(self.pid)
        return cpu_seconds(self.pid) - before

    def end_input(self):
        self.popen.stdin.close()
        if self.popen.wait(120) != 0:
            raise Broken(f"{self.argv[0]} ended with {self.popen.returncode}")
        self.popen.stdout.close()

    def stop(self):
        if self.popen.poll() is None:
            stop(self.popen)


def run_json(argv, **kwargs):
    """Runs a program that prints one JSON object."""
    done = subprocess.run(argv, capture_output=True, text=True, **kwargs)
    try:
        if done.returncode == 0:
            return json.loads(done.stdout)
    except ValueError:
        pass
    raise Broken(f"{' '.join(argv)}: status {done.returncode}\n{done.stdout[-500:]}{done.stderr[-500:]}")


# --- nginx ----------------------------------------------------------------------------------------

class Nginx:
    """A server of files with as many workers as the exporter has threads for its readers."""

    def __init__(self, directory, http, workers=2):
        path = os.path.join(directory, "nginx.conf")
        temp = "".join(f"    {kind}_temp_path {directory}/temp;\n" for kind in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"{'user root;' if os.geteuid() == 0 else ''}\n"
                    f"worker_processes {workers};\ndaemon off;\npid {directory}/nginx.pid;\n"
                    f"error_log {directory}/error.log warn;\n"
                    "events { worker_connections 768; }\n"
                    "http {\n    sendfile on;\n    tcp_nopush on;\n    keepalive_requests 100000000;\n"
                    f"    default_type text/plain;\n    access_log off;\n{temp}{http}}}\n")
        self.directory = directory
        self.popen = subprocess.Popen([need("nginx", "nginx"), "-p", directory, "-c", path],
                                      stderr=subprocess.DEVNULL)

    def wait(self, port):
        try:
            wait_port(port, self.popen, "nginx")
        except Broken as e:
            with open(os.path.join(self.directory, "error.log"), encoding="utf-8") as f:
                raise Broken(f"{e}: {f.read()[-500:]}") from e
        return self

    @property
    def pids(self):
        with open(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children", encoding="ascii") as f:
            return [self.popen.pid, *map(int, f.read().split())]

    def stop(self):
        stop(self.popen)


# --- load -----------------------------------------------------------------------------------------

def wrk(url, connections, seconds, pids=(), gzip=False, threads=1):
    """What wrk counts, and the processor seconds a request costs the servers."""
    argv = [need("wrk", "wrk"), f"-t{min(threads, connections)}", f"-c{connections}",
            f"-d{seconds:g}s", "--timeout", "60s", "-s", os.path.join(HERE, "peers", "wrk.lua")]
    if gzip:
        argv += ["-H", "Accept-Encoding: gzip"]
    before = cpu_seconds(*pids)
    done = subprocess.run(argv + [url], capture_output=True, text=True)
    cpu = cpu_seconds(*pids) - before
    line = next((x for x in done.stdout.splitlines() if x.startswith("{")), None)
    if done.returncode != 0 or not line:
        raise Broken(f"wrk: {done.stdout}{done.stderr}")
    got = json.loads(line)
    if got["errors"] or not got["requests"]:
        raise Broken(f"wrk on {url}: {line}")
    got["rate"] = got["requests"] / got["seconds"]
    got["cpu"] = cpu / got["requests"]
    got["size"] = got["bytes"] / got["requests"]
    return got


# --- taking turns ---------------------------------------------------------------------------------

def turns(n, *arms):
    """Runs the arms in turn, n times over; for each the list of its results."""
    results = [[] for _ in arms]
    for _ in range(n):
        for result, arm in zip(results, arms):
            result.append(arm())
    return results


def pick(results, key):
    return [r[key] for r in results]


def ratio(ours, peer):
    """The median of the ratios within each pair, and their least and largest."""
    pairs = sorted(a / b for a, b in zip(ours, peer) if b)
    if not pairs:
        raise Broken("the peer took no time at all")
    return statistics.median(pairs), pairs[0], pairs[-1]


class Bench:
    """The settings of a run and what several measurements use; close() ends it all."""

    def __init__(self, build, quick, pairs):
        self.build, self.quick = os.path.abspath(build), quick
        self.pairs = pairs or (1 if quick else 5)
        self.seconds = 1 if quick else 4  # of load, for each arm of a pair
        self.stack = contextlib.ExitStack()
        self.dir = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="afe-bench-"))
        self.made = {}

    def close(self):
        self.stack.close()

    def once(self, key, make):
        """make() the first time, the same thing or the same failure later."""
        if key not in self.made:
            try:
                self.made[key] = make(), None
            except (Skip, Broken) as e:
                self.made[key] = None, e
        value, failure = self.made[key]
        if failure:
            raise failure
        return value

    def subdir(self, name):
        path = os.path.join(self.dir, name)
        os.makedirs(path, exist_ok=True)
        return path

    def program(self, name):
        path = os.path.join(self.build, "tests", name)
        if not os.access(path, os.X_OK):
            raise Broken(f"{path} is not built")
        return path

    def full_only(self, what):
        if self.quick:
            raise Skip(f"{what}: in the full form only")

    # Peers in other languages are built once per build folder, where compilers find their caches.

    def built_peer(self, name, argv, sources, env=None):
        out = os.path.join(self.build, "bench", name)
        os.makedirs(os.path.dirname(out), exist_ok=True)
        newest = max(os.path.getmtime(s) for s in sources)
        if not os.path.exists(out) or os.path.getmtime(out) < newest:
            say(f"building {name}")
            done = subprocess.run([a if a != "OUT" else out for a in argv], capture_output=True,
                                  text=True, env=dict(os.environ, **(env or {})),
                                  cwd=os.path.dirname(sources[0]))
            if done.returncode != 0:
                raise Broken(f"building {name}:\n{done.stderr[-2000:]}")
        return out

    def go_peer(self):
        self.full_only("the Go peer")
        if not os.path.isdir(GO_PATH + "/src/github.com/prometheus/client_golang"):
            raise Skip("no client_golang here (Debian: golang-github-prometheus-client-golang-dev)")
        folder = os.path.join(HERE, "peers", "go")
        sources = sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".go"))
        return self.once("go", lambda: self.built_peer(
            "go_peer", [need("go", "golang-go"), "build", "-o", "OUT", "."], sources,
            {"GO111MODULE": "off", "GOPATH": GO_PATH, "GOFLAGS": "",
             "GOCACHE": os.path.join(self.build, "bench", "go-cache")}))

    def simdjson_peer(self):
        self.full_only("the simdjson peer")
        compiler = need("c++", "g++")
        if subprocess.run([need("pkg-config", "pkgconf"), "--exists", "simdjson"]).returncode != 0:
            raise Skip("no simdjson here (Debian: libsimdjson-dev)")
        peers = os.path.join(HERE, "peers")
        pages = self.once("pages.o", lambda: self.built_peer(
            "pages.o", ["cc", "-O2", "-c", "-I", HERE, os.path.join(HERE, "pages.c"), "-o", "OUT"],
            [os.path.join(HERE, name) for name in ("pages.c", "pages.h")]))
        sources = [os.path.join(peers, "decode_simdjson.cpp"), os.path.join(HERE, "fields.h"), pages]
        return self.once("simdjson", lambda: self.built_peer(
            "decode_simdjson", [compiler, "-std=c++17", "-O3", "-DNDEBUG", "-I", HERE, sources[0],
                                pages, "-o", "OUT", "-lsimdjson"], sources))
