"""Dashboards and rules as queries, a Prometheus to ask, and a model of an exporter that moves.

The model is tests/fixtures/prometheus/sample.prom, which has every family of the catalogue: a few
deployments are made of its one, counters grow, times keep up with the clock. It stands in for the
daemon where every panel has to have something to show.
"""

import glob
import http.server
import json
import math
import os
import re
import socket
import threading
import time
import urllib.parse

import afe

ROOT = afe.SOURCE_DIR
SAMPLE = os.path.join(ROOT, "tests/fixtures/prometheus/sample.prom")
RULES = os.path.join(ROOT, "etc/prometheus/aliyun_flink.rules.yml")
FAMILY = re.compile(r"(?<![\w:])(aliyun_flink_[a-z0-9_]+|process_[a-z_]+)(?![\w:])(\{[^{}]*\})?")

# --- dashboards and rules as queries ---------------------------------------------------------------


def boards():
    """File name without .json -> the dashboard."""
    found = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "etc/grafana/*.json"))):
        with open(path, encoding="utf-8") as file:
            found[os.path.basename(path)[: -len(".json")]] = json.load(file)
    return found


def panels(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def substitute(expression, values):
    """The expression with $name and ${name} replaced; what is left over is a mistake."""
    for name in sorted(values, key=len, reverse=True):
        expression = re.sub(r"\$\{?" + re.escape(name) + r"\b\}?", lambda _: values[name], expression)
    if "$" in expression:
        raise AssertionError(f"a variable is left over: {expression}")
    return expression


def variables(deployment, window="15s", whole="1m"):
    everything = dict.fromkeys(("workspace", "flink_namespace", "job", "instance"), ".*")
    return dict(everything, deployment=deployment, __rate_interval=window, __range=whole, __interval="1s")


def selectors(expression):
    """The selectors of families of ours in an expression, with their matchers."""
    return sorted({name + matchers for name, matchers in FAMILY.findall(expression)})


def load_yaml(path):
    import yaml  # Debian: python3-yaml

    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def rules():
    return [rule for group in load_yaml(RULES)["groups"] for rule in group["rules"]]


# --- a Prometheus, an Alertmanager and who is notified ---------------------------------------------


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A server of Prometheus' family on a free port."""

    def __init__(self, program, *flags):
        self.port = free_port()
        self.process = afe.Process([program, f"--web.listen-address=127.0.0.1:{self.port}", *flags])

    def wait_ready(self):
        def ready():
            if self.process.popen.poll() is not None:
                raise AssertionError(f"{self.process.argv[0]} ended:\n{self.process.log()}")
            try:
                return afe.request(self.port, "/-/ready").status == 200
            except OSError:
                return False

        afe.wait_for(f"{self.process.argv[0]} to be ready", ready)
        return self


class Prometheus(Server):
    """Debian's Prometheus over the given storage, asked by its HTTP interface."""

    def __init__(self, config_file, storage, *flags):
        super().__init__("prometheus", f"--config.file={config_file}", f"--storage.tsdb.path={storage}",
                         *flags)

    def get(self, path, **parameters):
        reply = afe.request(self.port, f"/api/v1/{path}?" + urllib.parse.urlencode(parameters, doseq=True))
        answer = json.loads(reply.body)
        if answer["status"] != "success":
            raise AssertionError(f"{parameters}: {answer.get('error')}")
        return answer["data"]

    def query(self, expression, at=None):
        return self.get("query", query=expression, **({"time": at} if at else {}))["result"]

    def query_range(self, expression, start, end, step):
        return self.get("query_range", query=expression, start=start, end=end, step=step)["result"]


class Alertmanager(Server):
    """Debian's Alertmanager, alone."""

    def __init__(self, config_file, storage):
        super().__init__("prometheus-alertmanager", f"--config.file={config_file}",
                         f"--storage.path={storage}", "--cluster.listen-address=")


class Notification:
    """One alert of one message to a receiver."""

    def __init__(self, receiver, alert):
        self.receiver, self.status, self.labels = receiver, alert["status"], alert["labels"]
        self.description = alert["annotations"].get("description", "")
        self.starts_at, self.came = alert["startsAt"], time.time()

    @property
    def name(self):
        return self.labels["alertname"]

    def key(self):
        """The same for each repetition of one alert, as groups are sent whole when they grow."""
        return self.name, self.labels.get("deployment_id"), self.starts_at


class Receiver:
    """A webhook for all receivers of Alertmanager; what came is in `notifications`. The first message
    of each receiver is refused: it has to be sent again."""

    def __init__(self):
        self.notifications, self.refused, self.lock = [], set(), threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200 if receiver.take(message) else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, message):
        with self.lock:
            if message["receiver"] not in self.refused:
                self.refused.add(message["receiver"])
                return False
            self.notifications += [Notification(message["receiver"], alert) for alert in message["alerts"]]
            return True

    def told(self, status):
        """key -> its first notification of that status."""
        with self.lock:
            found = {}
            for notification in self.notifications:
                if notification.status == status:
                    found.setdefault(notification.key(), notification)
            return found

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


# --- the model -------------------------------------------------------------------------------------

# (namespace, deployment, what is special about it)
MEMBERS = [("prod-default", "orders-enrich", ""), ("prod-default", "orders-report", "failing"),
           ("prod-default", "clicks-sessions", ""), ("staging", "orders-enrich", "locked"),
           ("staging", "wide-table", "off")]
TOLD = ("deployment_name=", "draft_name=", "ticket_id=")
RARE = re.compile(r"failures|cancellations|completions|throttled|retries|dropped|sanitized|reductions|_added|"
                  r"_removed|rejected|missed|tickets_completed|code=.(503|none)")
NEWEST = 1790001202.41  # the time at which the sample was taken


class Model:
    """exposition(at): the text at that Unix time. Counters begin to grow at `since`; what should be
    rare happens every few seconds, so that a short test sees it, or every 1/rare times as often."""

    def __init__(self, since, rare=1.0):
        self.since, self.rare = since, rare
        self.types, self.lines = {}, []
        with open(SAMPLE, encoding="utf-8") as file:
            for line in file.read().splitlines():
                if line.startswith("# TYPE"):
                    _, _, name, kind = line.split(" ")
                    self.types[name] = kind
                elif not line.startswith("#"):
                    self.lines.append(line)
        self.series = list(self._series())

    def family(self, name):
        for suffix in ("_bucket", "_sum", "_count"):
            if name.endswith(suffix) and name[: -len(suffix)] in self.types:
                return name[: -len(suffix)]
        return name

    def _series(self):
        """(family, name, labels, value, member); what is a deployment's or a namespace's comes once for each."""
        for line in self.lines:
            match = re.match(r"(\w+)(\{.*\})? (\S+)$", line)
            name, labels, value = match.group(1), match.group(2) or "", float(match.group(3))
            seen = set()
            for number, (namespace, title, special) in enumerate(MEMBERS):
                if "flink_namespace=" not in labels and number:
                    break
                own = labels.replace("prod-default", namespace).replace('"orders-enrich"', f'"{title}"')
                if any(label in labels for label in TOLD):
                    own = re.sub(r'((?:_id|draft_id)="\w{7})\w', rf"\g<1>{number}", own)
                    if special == "off" and 'label_env="prod"' in own:
                        own = own.replace('label_env="prod"', 'label_env="prod",label_alerting="off"')
                if own not in seen:
                    seen.add(own)
                    yield self.family(name), name, own, value, special

    def value(self, family, name, labels, value, special, at):
        passed = max(0.0, at - self.since)
        short = family.replace("aliyun_flink_", "")
        if short == "refresh_last_success_timestamp_seconds":
            return at - 3 - int(at * 7 / 60) % 50
        if "_timestamp_seconds" in family or family == "process_start_time_seconds":
            return at - max(0.0, NEWEST - value) % 9e5 + (3600 if "expiry" in family else 0)
        if self.types[family] == "histogram":
            return value * (1 + passed / 1000)
        if self.types[family] == "counter":
            if short.startswith("deployment_job_failures") and special != "failing":
                return value
            pace = 0.05 if "job_failures" in short else 0.2
            if RARE.search(short + labels):
                pace *= self.rare
            # Now more, now less, never back; at first twice as much.
            return value + int(pace * (passed + 900 * math.sin(passed / 950)))
        if family == "aliyun_flink_deployment_status" and special == "failing":
            return float('status="failed"' in labels)
        if family == "aliyun_flink_deploy_ticket_status" and special == "locked":
            return float('status="executing"' in labels)
        if family == "aliyun_flink_deploy_tickets" and "staging" in labels:
            return float('status="executing"' in labels)
        if family in ("aliyun_flink_draft_locked", "aliyun_flink_deployment_pending_changes"):
            return float(special == "locked")
        if family in ("aliyun_flink_deployment_job_flink_restarts",):
            return value + int(passed / 120) % 3
        if family == "aliyun_flink_deployment_jobs" and 'state="running"' in labels:
            return float(special != "failing")
        if family == "aliyun_flink_namespace_jobs" and 'state="running"' in labels:
            return 2.0 + (int(passed / 3600) % 3 == 1)
        if family == "aliyun_flink_refresh_duration_seconds":
            return value + passed / 60 % 5 / 5
        return value

    def samples(self, at):
        for family, name, labels, value, special in self.series:
            if special == "locked" and re.match(r"aliyun_flink_deploy_ticket_(success|validation|completed)", name):
                continue
            yield name, labels, self.value(family, name, labels, value, special, at)

    def exposition(self, at):
        done, out = set(), []
        for name, labels, value in self.samples(at):
            family = self.family(name)
            if family not in done:
                done.add(family)
                out.append(f"# TYPE {family} {self.types[family]}")
            out.append(f"{name}{labels} {value!r}")
        return "\n".join(out) + "\n"


def serve(model):
    """The model behind /metrics; returns (port, stop)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = model.exposition(time.time()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop():
        server.shutdown()
        server.server_close()

    return server.server_port, stop
