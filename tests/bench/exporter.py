"""The exporter under measurement, in front of the simulator or of the pages nginx has."""

import os
import re
import signal
import time

import afe
from harness import Broken, cpu_seconds, peak, resident, settle


class Ours:
    """A started exporter. The first refresh is done when the constructor returns.

    one_listing: a refresh is the listing of deployments and nothing else, as with peers and where
    pages are counted. Without it the deployments of a status are listed, too, for deployment_status.
    """

    def __init__(self, bench, url, namespaces=("default-namespace",), interval="1h", defaults="",
                 ca=None, one_listing=False):
        bench.made["runs"] = bench.made.get("runs", 0) + 1
        self.dir = bench.subdir(f"exporter-{bench.made['runs']}")
        self.url, self.namespaces, self.defaults, self.ca = url, namespaces, defaults, ca
        self.metrics = 'deny = [ "aliyun_flink_deployment_status" ];' if one_listing else ""
        self.secret = os.path.join(self.dir, "secret")
        with open(self.secret, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(afe.SECRET)
        self.path = os.path.join(self.dir, "exporter.cfg")
        self._write(interval)
        self.process = afe.Exporter(self.path).wait_listening()
        self.pid, self.port = self.process.popen.pid, self.process.port
        self.process.wait_log("first refresh done", 300)
        if len(namespaces) > 1:
            self.process.wait_ready()
        if "refresh failed" in self.process.log():
            raise Broken(f"the exporter: {self.process.log()}")
        settle(self.pid)

    def _write(self, interval):
        extra = f'tls_config = {{ ca_file = "{self.ca}"; }};' if self.ca else ""
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(afe.config(self.url, secret_file=self.secret, namespaces=self.namespaces,
                               defaults=f'interval = "{interval}"; {self.defaults}', extra=extra,
                               metrics=self.metrics))

    def change_interval(self, interval):
        reloads = self.process.log().count("was reloaded")
        self._write(interval)
        self.process.send(signal.SIGHUP)
        afe.wait_for("the reload", lambda: self.process.log().count("was reloaded") > reloads)

    def cpu(self):
        return cpu_seconds(self.pid)

    def refresh_ms(self):
        """What the first refresh took, from its log line."""
        return int(re.search(r"first refresh done.*? in (\d+) ms", self.process.log()).group(1))

    @property
    def metrics_url(self):
        return f"http://127.0.0.1:{self.port}/metrics"

    def scrape(self, gzip=False):
        reply = self.process.get(headers={"Accept-Encoding": "gzip"} if gzip else {})
        if reply.status != 200 or (reply.headers.get("content-encoding") == "gzip") != gzip:
            raise Broken(f"a scrape: {reply.status} {reply.headers}")
        return reply.body

    def scraped(self, name, **labels):
        return afe.Exposition(self.scrape().decode()).get(name, **labels)

    def memory(self):
        return {"resident": resident(self.pid), "peak": peak(self.pid)}

    def stop(self):
        code = self.process.stop()
        if code != 0:
            raise Broken(f"the exporter ended with {code}:\n{self.process.log()}")


class Refreshing(Ours):
    """One namespace of an nginx API; counts what each of its refreshes costs."""

    def __init__(self, bench, api, pages, coding="identity", interval="2s", defaults=""):
        pages.reset()
        self.api, self.pages = api, pages
        self.before_first = api.served()
        super().__init__(bench, api.origin(coding), (pages.name,), interval, defaults, api.ca,
                         one_listing=True)
        self.first = self.cpu()

    def refreshes(self, n, limit=300):
        """Processor seconds of the next n refreshes; each finds one deployment of twenty changed."""
        costs = []
        for _ in range(n):
            self.pages.swap()
            before, count = self.cpu(), self.api.served()
            deadline = time.monotonic() + limit
            while self.api.served() < count + self.pages.pages:
                if time.monotonic() > deadline:
                    raise Broken("the next refresh does not come")
                time.sleep(0.01)
            settle(self.pid, quiet=0.06)
            if self.api.served() != count + self.pages.pages:
                raise Broken("one refresh ran into the next: this machine is too busy")
            costs.append(self.cpu() - before)
        if "refresh failed" in self.process.log():
            raise Broken(f"the exporter: {self.process.log()}")
        return costs
