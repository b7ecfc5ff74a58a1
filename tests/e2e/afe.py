"""What the end-to-end tests share: the programs as processes, HTTP, and a strict exposition parser.

Everything runs on loopback, in a private temporary directory, and is gone when the test ends. The
binaries under test come from AFE_BIN_DIR. Python standard library only.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

BIN_DIR = os.environ.get("AFE_BIN_DIR", "build/dev/bin")
SOURCE_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEY_ID = "LTAI5tEndToEndKeyId0"
SECRET = "e2e0SecretThatMustNeverBeShown9876"
WORKSPACE = "a14bd5d90a4f4e"
STATES = ("starting", "running", "cancelling", "cancelled", "finished", "failed")
# Sanitizers make everything several times slower; nothing here asserts a speed.
PATIENCE = 60.0


def program(name):
    path = os.path.join(BIN_DIR, name)
    if not os.access(path, os.X_OK):
        raise AssertionError(f"{name} is not in AFE_BIN_DIR={BIN_DIR}")
    return path


def wait_for(what, condition, seconds=PATIENCE):
    """Polls until the condition returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8")


def request(port, path, method="GET", headers=None, body=None, timeout=PATIENCE):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        reply = connection.getresponse()
        return Reply(reply.status, dict((k.lower(), v) for k, v in reply.getheaders()),
                     reply.read())
    finally:
        connection.close()


class Process:
    """A program with its output collected line by line; stop() asks, then insists."""

    def __init__(self, argv, env=None):
        self.argv = argv
        full_env = dict(os.environ, **(env or {}))
        for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            full_env.pop(name, None)
        self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, env=full_env)
        self.out, self.err = [], []
        self.threads = [threading.Thread(target=self._collect, args=pair, daemon=True)
                        for pair in ((self.popen.stdout, self.out), (self.popen.stderr, self.err))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _collect(pipe, lines):
        for line in pipe:
            lines.append(line.decode("utf-8", "backslashreplace").rstrip("\n"))

    def log(self):
        return "\n".join(self.err)

    def wait_log(self, pattern, seconds=PATIENCE):
        regex = re.compile(pattern)

        def found():
            if self.popen.poll() is not None:
                self.join()
                for line in self.err:
                    if regex.search(line):
                        return line
                raise AssertionError(f"{self.argv[0]} ended with {self.popen.returncode}:\n{self.log()}")
            return next((line for line in list(self.err) if regex.search(line)), None)

        return wait_for(f"log line {pattern!r} in\n{self.log()}", found, seconds)

    def join(self, seconds=PATIENCE):
        code = self.popen.wait(seconds)
        for thread in self.threads:
            thread.join(5)
        self.popen.stdout.close()
        self.popen.stderr.close()
        return code

    def send(self, number):
        self.popen.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=30):
        if self.popen.poll() is None:
            self.popen.send_signal(number)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.join()
                raise AssertionError(f"{self.argv[0]} did not stop within {seconds} s:\n{self.log()}")
        return self.join()


class Simulator(Process):
    def __init__(self, *flags, port=0, key_id=KEY_ID, secret=SECRET):
        super().__init__([program("aliyun_flink_simulator"), f"--listen=127.0.0.1:{port}",
                          f"--workspace={WORKSPACE}", f"--access-key-id={key_id}",
                          f"--access-key-secret={secret}", *flags])
        self.port = int(wait_for("the simulator", self._port))

    def _port(self):
        if self.popen.poll() is not None:
            raise AssertionError(f"the simulator ended:\n{self.log()}")
        for line in list(self.out):
            match = re.search(r"listening on http://127\.0\.0\.1:(\d+)", line)
            if match:
                return match.group(1)
        return None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def state(self):
        return json.loads(request(self.port, "/_sim").body)

    def post(self, **what):
        reply = request(self.port, "/_sim", "POST", {"Content-Type": "application/json"},
                        json.dumps(what).encode())
        if reply.status != 200:
            raise AssertionError(f"/_sim refused {what}: {reply.status} {reply.body!r}")
        return reply

    def faults(self, *faults):
        self.post(faults=list(faults))

    def deployments(self, namespace="default-namespace"):
        return json.loads(request(self.port, f"/_sim/deployments/{namespace}").body)

    def log_of_requests(self):
        return json.loads(request(self.port, "/_sim/log").body)


def config(url, targets="", defaults="", namespaces=("default-namespace",), extra="", secret_file=None,
           metrics="", rate="requests_per_second = 1000.0; burst = 1000;", name="t1"):
    """A configuration file's text with one target against url, fast enough for tests."""
    listed = ", ".join(f'"{n}"' for n in namespaces)
    for key, value in (("interval", '"1s"'), ("timeout", '"20s"'), ("deadline", '"2m"'),
                       ("max_staleness", '"3h"')):
        if not re.search(rf"\b{key} *=", defaults):
            defaults += f" {key} = {value};"
    return f"""
defaults = {{ {defaults} }};
rate_limit = {{ {rate} }};
credentials = ( {{ name = "default"; provider = "static"; access_key_id = "{KEY_ID}";
                  access_key_secret_file = "{secret_file}"; }} );
targets = ( {{ name = "{name}"; endpoint = "{url}"; workspace = "{WORKSPACE}";
              namespaces = [ {listed} ]; proxy_url = "none"; {extra} }} {targets} );
metrics = {{ {metrics} }};
"""


class Exporter(Process):
    def __init__(self, config_file, *flags, env=None, port=0):
        self.config_file = config_file
        super().__init__([program("aliyun_flink_exporter"), f"--config.file={config_file}",
                          f"--web.listen-address=127.0.0.1:{port}", *flags], env)
        self.port = None

    def wait_listening(self):
        line = self.wait_log(r"serving /\S+ on \S+:\d+")
        self.port = int(re.search(r"serving /\S+ on \S+:(\d+)", line).group(1))
        return self

    def wait_ready(self):
        self.wait_listening()
        wait_for("the exporter to be ready", lambda: self.get("/-/ready").status == 200)
        return self

    def get(self, path="/metrics", **kwargs):
        return request(self.port, path, **kwargs)

    def metrics(self):
        reply = self.get()
        if reply.status != 200:
            raise AssertionError(f"/metrics: {reply.status}")
        return Exposition(reply.text)


class Case(unittest.TestCase):
    """A temporary directory, and processes that never outlive the test.

    Whatever a test does, the control plane must have seen nothing but GET from it: the exporter
    only reads. Tests of other programs say only_reads = False.
    """

    maxDiff = None
    only_reads = True

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.dir = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="afe-e2e-"))
        self.secret_file = self.write("secret", SECRET + "\n", 0o600)

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def simulator(self, *flags, **kwargs):
        sim = Simulator(*flags, **kwargs)
        self.stack.callback(self._stop_simulator, sim)
        return sim

    def _stop_simulator(self, sim):
        if self.only_reads and sim.popen.poll() is None:
            sim.faults()
            calls = sim.state()["calls"]
            written = {operation: methods for operation, methods in calls.items()
                       if set(methods) - {"GET"}}
            self.assertEqual(written, {}, "the exporter has changed something")
        sim.stop()

    def config(self, url, **kwargs):
        return self.write("exporter.cfg", config(url, secret_file=self.secret_file, **kwargs))

    def exporter(self, config_file, *flags, env=None, port=0):
        exporter = Exporter(config_file, *flags, env=env, port=port)
        self.stack.callback(self._stop_clean, exporter)
        return exporter

    def _stop_clean(self, exporter):
        """Whatever a test did, the daemon ends by itself with 0 and says no secret."""
        if exporter.popen.poll() is None:
            self.assertEqual(exporter.stop(), 0, exporter.log())
        self.assertNotIn(SECRET, exporter.log())
        self.assertNotIn("runtime error", exporter.log())
        self.assertNotIn("Sanitizer", exporter.log())

    def pair(self, *sim_flags, exporter_flags=(), **config_args):
        """A simulator and an exporter that watches it, ready."""
        sim = self.simulator(*sim_flags)
        exporter = self.exporter(self.config(sim.url, **config_args), *exporter_flags)
        return sim, exporter.wait_ready()


# --- exposition -----------------------------------------------------------------------------------

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')


def unescape(text):
    return re.sub(r'\\(["\\n])', lambda m: {"n": "\n"}.get(m.group(1), m.group(1)), text)


class Exposition:
    """A whole exposition in text 0.0.4 or OpenMetrics; raises ValueError on what scrapers let pass.

    Refused are: duplicate series, interleaved families, samples before or without their TYPE, two
    TYPE lines, a missing last newline, an invalid label, CR, and (OpenMetrics) anything after EOF.
    """

    def __init__(self, text, openmetrics=False):
        self.types, self.helps, self.samples = {}, {}, {}
        self.families = []
        if not text.endswith("\n"):
            raise ValueError("no newline at the end")
        lines = text.split("\n")[:-1]
        if openmetrics:
            if not lines or lines.pop() != "# EOF":
                raise ValueError("no EOF")
        current, closed = None, set()
        for number, line in enumerate(lines, 1):
            if "\r" in line:
                raise ValueError(f"line {number}: CR")
            if line.startswith("# "):
                _, keyword, name, rest = (line.split(" ", 3) + [""])[:4]
                if keyword not in ("HELP", "TYPE"):
                    raise ValueError(f"line {number}: {line}")
                if name != current:
                    if name in closed:
                        raise ValueError(f"line {number}: family {name} comes twice")
                    if current is not None:
                        closed.add(current)
                    current = name
                    self.families.append(name)
                table = self.helps if keyword == "HELP" else self.types
                if name in table:
                    raise ValueError(f"line {number}: second {keyword} of {name}")
                table[name] = rest
                continue
            self._sample(number, line, current, openmetrics)

    def _sample(self, number, line, current, openmetrics):
        match = SAMPLE.match(line)
        if not match:
            raise ValueError(f"line {number}: no sample: {line!r}")
        name, labels_text, value = match.groups()
        if current is None or current not in self.types:
            raise ValueError(f"line {number}: sample without TYPE: {name}")
        if name not in self._names_of(current, openmetrics):
            raise ValueError(f"line {number}: {name} stands in family {current}")
        labels, position = {}, 0
        while labels_text and position < len(labels_text):
            label = LABEL.match(labels_text, position)
            if not label or label.group(1) in labels:
                raise ValueError(f"line {number}: bad labels: {labels_text!r}")
            labels[label.group(1)] = unescape(label.group(2))
            position = label.end()
            if label.group(3) == "," and position == len(labels_text):
                raise ValueError(f"line {number}: comma at the end")
        key = (name, tuple(sorted(labels.items())))
        if key in self.samples:
            raise ValueError(f"line {number}: duplicate series {key}")
        self.samples[key] = float(value)

    def _names_of(self, family, openmetrics):
        kind = self.types[family]
        if kind == "histogram":
            return {family + suffix for suffix in ("_bucket", "_sum", "_count")}
        if kind == "counter" and openmetrics:
            return {family + "_total"}
        return {family}

    def get(self, name, **labels):
        """The one value whose labels include these; None if there is none."""
        found = self.all(name, **labels)
        if len(found) > 1:
            raise AssertionError(f"{name}{labels}: {len(found)} series")
        return found[0][1] if found else None

    def all(self, name, **labels):
        wanted = set(labels.items())
        return [(dict(ls), value) for (n, ls), value in self.samples.items()
                if n == name and wanted <= set(ls)]

    def names(self):
        return {name for name, _ in self.samples}


def expected_counts(summary):
    """What /metrics must say of a jobSummary as it was sent: docs/metrics of missing counts."""
    if not isinstance(summary, dict) or not any(summary.get(s) is not None for s in STATES):
        return {}
    return {state: summary.get(state) or 0 for state in STATES}


def job_counts(exposition):
    """deployment id -> state -> count, of all aliyun_flink_deployment_jobs series."""
    counts = {}
    for labels, value in exposition.all("aliyun_flink_deployment_jobs"):
        counts.setdefault(labels["deployment_id"], {})[labels["state"]] = value
    return counts
