"""G1, G2, G3, G12 and G13: scrapes, beside nginx with the same bytes and client_golang."""

import os
import statistics
import subprocess
import threading

import afe
from check import same_series
from exporter import Ours
from harness import (Broken, Nginx, Skip, Talking, cpu_seconds, free_port, need, pick, turns,
                     wrk)
from pages import api_server, page_set
from report import figure


class Served:
    """An exporter with so many deployments, and its text as files in front of nginx."""

    def __init__(self, bench, count):
        sim = afe.Simulator(f"--deployments={count}", "--profile=small", "--rate-limit=0")
        try:
            self.ours = Ours(bench, sim.url)
        finally:
            sim.stop()
        bench.stack.callback(self.ours.stop)
        self.dir = bench.subdir(f"text-{count}")
        self.ours.scrape(gzip=True)  # compressed once, as with any Prometheus
        self.text, self.gzip = self.ours.scrape(), self.ours.scrape(gzip=True)
        for name, body in (("metrics", self.text), ("metrics.gz", self.gzip)):
            with open(os.path.join(self.dir, name), "wb") as f:
                f.write(body)
        self.series = same_series(self.text.decode(), self.ours.scrape().decode(), "ours again")

    @property
    def file(self):
        return os.path.join(self.dir, "metrics")


class Static:
    def __init__(self, bench, count):
        port = free_port()
        served_text = served(bench, count)
        directory = bench.subdir(f"static-{count}")
        self.nginx = Nginx(directory, f"    server {{\n        listen 127.0.0.1:{port};\n"
                           f"        root {served_text.dir};\n        gzip_static on;\n    }}\n")
        self.nginx.wait(port)
        bench.stack.callback(self.nginx.stop)
        self.url = f"http://127.0.0.1:{port}/metrics"


def served(bench, count):
    return bench.once(("served", count), lambda: Served(bench, count))


def static(bench, count):
    need("nginx", "nginx")
    need("wrk", "wrk")
    return bench.once(("static", count), lambda: Static(bench, count))


def check_sizes(ours, nginx, body):
    """Both must send what is expected: the body and a few hundred bytes of headers."""
    for got in ours + nginx:
        # wrk counts what it had read of the last replies, too.
        if not len(body) * 0.98 < got["size"] < len(body) * 1.02 + 2000 + len(body) * 10 / got["requests"]:
            raise Broken(f"replies of {got['size']:.0f} bytes, where {len(body)} are expected")


def beside_nginx(bench, connections, gzip):
    text, files = served(bench, 1000), static(bench, 1000)
    ours, nginx = turns(
        bench.pairs,
        lambda: wrk(text.ours.metrics_url, connections, bench.seconds, [text.ours.pid], gzip),
        lambda: wrk(files.url, connections, bench.seconds, files.nginx.pids, gzip))
    check_sizes(ours, nginx, text.gzip if gzip else text.text)
    return ours, nginx


def g1(bench, report):
    text = served(bench, 1000)
    static(bench, 1000)
    report.note(f"G1: nginx serves the {len(text.text)} bytes of a scrape of ours "
                f"({text.series} series) from a file, with two workers as ours has two threads.")
    for connections, limit in ((1, 1.0), (8, 1.2)):
        ours, nginx = beside_nginx(bench, connections, False)
        what = f"scrape of {figure(len(text.text) / 1e6)} MB, {connections} connection" + \
            ("s" if connections > 1 else "")
        report.compare("G1", what, pick(ours, "rate"), pick(nginx, "rate"), "/s", limit, True,
                       peer_name="nginx")
        report.compare("G1", what + ": CPU of one", pick(ours, "cpu"), pick(nginx, "cpu"), "ms",
                       0.8, scale=1e3, peer_name="nginx")


def g2(bench, report):
    text = served(bench, 1000)
    what = f"gzip scrape of {figure(len(text.gzip) / 1e3)} KB"
    costs = None
    try:
        for connections in (1, 8):
            ours, nginx = beside_nginx(bench, connections, True)
            costs = costs or pick(ours, "cpu")
            name = f"{what}, {connections} connection" + ("s" if connections > 1 else "")
            report.compare("G2", name, pick(ours, "rate"), pick(nginx, "rate"), "/s", 0.9, True,
                           peer_name="nginx")
            report.compare("G2", name + ": CPU of one", pick(ours, "cpu"), pick(nginx, "cpu"), "ms",
                           scale=1e3, peer_name="nginx")
    except Skip as e:
        report.skipped("G2 beside nginx", str(e))
    ours, peer = beside_go(bench, report, 1000, True)
    report.compare("G2", what + ": CPU of one", ours, peer, "ms", 1 / 500, scale=1e3,
                   peer_name="Go")


def g3(bench, report):
    for count in (1000, 10000):
        ours, peer = beside_go(bench, report, count, False)
        report.compare("G3", f"scrape, {count} deployments: CPU of one", ours, peer, "ms", 1 / 50,
                       scale=1e3, peer_name="Go")


def go_server(bench, count):
    peer = Talking([bench.go_peer(), "serve", served(bench, count).file], has_port=True)
    bench.stack.callback(peer.stop)
    return peer


def beside_go(bench, report, count, gzip):
    """Processor seconds of a scrape, of ours and of promhttp with the same series."""
    bench.full_only("beside client_golang")
    text = served(bench, count)
    peer = bench.once(("go", count), lambda: go_server(bench, count))
    reply = afe.request(peer.port, "/metrics", headers={"Accept-Encoding": "identity"})
    series = same_series(text.text.decode(), reply.text, "client_golang")
    note = (f"G3: client_golang serves the same {series} series as a scrape of ours in "
            f"{len(reply.body)} bytes to {len(text.text)}; its labels are in another order.")
    if note not in report.notes:
        report.note(note)
    few = max(3, 20000 // count)

    def ours_once():
        return wrk(text.ours.metrics_url, 1, 1, [text.ours.pid], gzip)["cpu"]

    def peer_once():
        before = cpu_seconds(peer.pid)
        for _ in range(few):
            afe.request(peer.port, "/metrics",
                        headers={"Accept-Encoding": "gzip" if gzip else "identity"})
        return (cpu_seconds(peer.pid) - before) / few

    need("wrk", "wrk")
    return turns(max(3, bench.pairs), ours_once, peer_once)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Swapping:
    """Turns the pages over twice a second, so that every refresh finds something new."""

    def __init__(self, pages):
        self.pages, self.over = pages, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.over.wait(0.5):
            self.pages.swap()

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *exc):
        self.over.set()
        self.thread.join()


COPIES = 10


def g12(bench, report):
    """Ten namespaces of a thousand deployments, each refreshed every second, in turn."""
    bench.full_only("scrapes during refreshes")
    api, pages = api_server(bench), page_set(bench, 1000)
    names = [f"{pages.name}_copy{i}" for i in range(COPIES)]
    ours = Ours(bench, api.origin("identity"), names, "1s", ca=api.ca, one_listing=True)
    try:
        for coding, every in (("gzip", 25), ("identity", 50)):
            scrapes = 400

            def timed(interval):
                ours.change_interval(interval)
                ours.scrape(gzip=coding == "gzip")
                before = api.served()
                done = subprocess.run([bench.program("bench_receive"), "paced", ours.metrics_url,
                                       str(scrapes), str(every), coding], capture_output=True,
                                      text=True)
                if done.returncode != 0:
                    raise Broken(f"paced scrapes: {done.stderr}")
                seconds = [float(x) for x in done.stdout.split()]
                return (percentile(seconds, 0.99), statistics.median(seconds),
                        (api.served() - before) / pages.pages)

            with Swapping(pages):
                busy, idle = turns(max(3, bench.pairs), lambda: timed("1s"), lambda: timed("1h"))
            refreshes = sum(r[2] for r in busy) / len(busy) / (scrapes * every / 1000)
            if refreshes < COPIES / 2 or any(r[2] > 1 for r in idle[1:]):
                raise Broken(f"{refreshes:.1f} refreshes a second, {[r[2] for r in idle]} idle")
            for index, name, limit in ((0, "p99", 2), (1, "median", None)):
                report.compare(
                    "G12", f"{coding} scrape of {COPIES * pages.count} deployments: {name}, "
                    f"during {refreshes:.0f} refreshes of {pages.count} a second and idle",
                    [r[index] for r in busy], [r[index] for r in idle], "ms", limit, scale=1e3,
                    peer_name="idle")
    finally:
        ours.stop()


def g13(bench, report):
    bench.full_only("eight readers of everything")
    text, files = served(bench, 10000), static(bench, 10000)
    ours, nginx = turns(
        bench.pairs,
        lambda: wrk(text.ours.metrics_url, 8, bench.seconds * 2, [text.ours.pid], threads=2),
        lambda: wrk(files.url, 8, bench.seconds * 2, files.nginx.pids, threads=2))
    what = f"eight readers of {figure(len(text.text) / 1e6)} MB"
    report.compare("G13", what + ": p99", pick(ours, "p99"), pick(nginx, "p99"), "ms", 1.0,
                   scale=1e3, peer_name="nginx")
    report.compare("G13", what + ": scrapes", pick(ours, "rate"), pick(nginx, "rate"), "/s",
                   at_least=True, peer_name="nginx")


GOALS = {"G1": g1, "G2": g2, "G3": g3, "G12": g12, "G13": g13}
