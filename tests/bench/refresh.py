"""G7 to G11: what refreshes cost, beside Go, Python and libcurl alone; memory; idling."""

import os
import re
import statistics
import subprocess
import time

import afe
from check import same_series
from exporter import Ours, Refreshing
from harness import (Broken, Skip, Talking, cpu_seconds, free_port, need, peak, resident, settle,
                     stop, wait_port)
from micro import records_memory
from pages import api_server, page_set
from report import figure, spread

IN_FLIGHT = 4
STEADY = 3  # refreshes measured after the first of a process


class Taken:
    """What one process did: the first refresh with its start, those after it, its memory."""

    def __init__(self, first, later, **more):
        self.first, self.later = first, statistics.median(later)
        self.__dict__.update(more)


def our_run(bench, api, pages, coding, keep_text=False):
    ours = Refreshing(bench, api, pages, coding, "2s" if pages.count <= 10000 else "15s",
                      f"concurrency = {IN_FLIGHT};")
    try:
        later = ours.refreshes(STEADY)
        memory = ours.memory()
        body = ours.scrape()
        text = re.search(rb'_snapshot_bytes\{encoding="identity"\} (\S+)', body)
        return Taken(ours.first, later, **memory, scraped=resident(ours.pid),
                     size=float(text.group(1)), text=body.decode() if keep_text else None)
    finally:
        ours.stop()


def peer_run(pages, argv, finish, has_port=False):
    """Any peer that refreshes at a word."""
    pages.reset()
    peer = Talking(argv, has_port)
    try:
        first, later = peer.work(), []
        for _ in range(STEADY):
            pages.swap()
            later.append(peer.work())
        memory = {"resident": resident(peer.pid), "peak": peak(peer.pid)}
        return Taken(first, later, **memory, **finish(peer))
    finally:
        peer.stop()


def go_run(bench, api, pages, coding):
    def finish(peer):
        text = afe.request(peer.port, "/metrics").text
        settle(peer.pid)
        return {"text": text, "scraped": resident(peer.pid)}

    return peer_run(pages, [bench.go_peer(), "refresh", api.url(coding, pages.name), api.ca,
                            afe.WORKSPACE, pages.name, str(IN_FLIGHT)], finish, True)


def python_run(bench, api, pages):
    path = os.path.join(bench.dir, "python.prom")

    def finish(peer):
        peer.end_input()
        with open(path, encoding="utf-8") as f:
            return {"text": f.read()}

    here = os.path.dirname(os.path.abspath(__file__))
    return peer_run(pages, ["/usr/bin/python3", os.path.join(here, "peers", "refresh.py"),
                            api.url("identity", pages.name), api.ca, afe.WORKSPACE, pages.name,
                            path], finish)


def receive_run(bench, api, pages, coding):
    def finish(peer):
        if int(peer.answer) < pages.bytes * 0.99:
            raise Broken(f"libcurl received {peer.answer} bytes of {pages.bytes}")
        return {}

    return peer_run(pages, [bench.program("bench_receive"), "listing",
                            api.url(coding, pages.name), str(pages.pages), str(IN_FLIGHT), api.ca,
                            coding], finish)


def without_events(text):
    """Event counters are in no peer: only ours pays for them."""
    return "\n".join(line for line in text.split("\n")
                     if not re.match(r"(# (HELP|TYPE) )?aliyun_flink_deployment_(job|last_job)_", line))


def experiment(bench, coding):
    """Ours, and whoever is compared with it, in turn: name -> list of Taken."""
    api, pages = api_server(bench), page_set(bench, 1000 if bench.quick else 10000)
    arms = {"ours": lambda first: our_run(bench, api, pages, coding, first),
            "libcurl": lambda first: receive_run(bench, api, pages, coding)}
    if not bench.quick:
        arms["Go"] = lambda first: go_run(bench, api, pages, coding)
        if coding == "identity":
            arms["Python"] = lambda first: python_run(bench, api, pages)
    taken = {name: [] for name in arms}
    for i in range(bench.pairs):
        for name, run in arms.items():
            taken[name].append(run(i == 0))
        if i == 0:
            for name in taken.keys() - {"ours", "libcurl"}:
                same_series(without_events(taken["ours"][0].text), taken[name][0].text, name,
                            "aliyun_flink_deployment_")
                taken[name][0].text = ""
    return taken


def taken_of(bench, coding):
    return bench.once(("refresh", coding), lambda: experiment(bench, coding))


def values(taken, name, field):
    return [getattr(t, field) for t in taken[name]]


def g7(bench, report):
    bench.full_only("refreshes beside Go and Python")
    for coding, peers in (("identity", (("Go", 10), ("Python", 15))), ("gzip", (("Go", 10),))):
        taken = taken_of(bench, coding)
        for peer, limit in peers:
            for field, what in (("later", "one deployment of twenty changed"),
                                ("first", "the first, with the start of the process")):
                report.compare("G7", f"refresh of 10000 deployments over TLS, {coding}, {what}: CPU",
                               values(taken, "ours", field), values(taken, peer, field), "ms",
                               1 / limit if field == "later" and coding == "identity" else None,
                               scale=1e3, peer_name=peer)
    report.note("G7: after the same refreshes the Go and Python peers have the same series of "
                "deployments, labels and values included; they render nothing until they are "
                "scraped.")


def g8(bench, report):
    for coding in ("identity", "gzip"):
        taken = taken_of(bench, coding)
        for field, what, limit in (("later", "one deployment of twenty changed", 2),
                                   ("first", "the first, with the start of the process", None)):
            report.compare("G8", f"refresh over TLS, {coding}, {what}: CPU",
                           values(taken, "ours", field), values(taken, "libcurl", field), "ms",
                           limit, scale=1e3, peer_name="libcurl alone")


def g9(bench, report):
    api = api_server(bench)
    sizes = (100, 1000, 10000) if bench.quick else (100, 1000, 10000, 100000)
    intervals = {100000: "20s", 10000: "2s"}
    each, rest = {}, {}
    lines = ""
    for count in sizes:
        pages = page_set(bench, count)
        ours = Refreshing(bench, api, pages, "identity", intervals.get(count, "1s"),
                          f"concurrency = {IN_FLIGHT};")
        try:
            costs = ours.refreshes(3 if count >= 10000 else 5)
            memory = ours.memory()
            text = ours.scraped("aliyun_flink_exporter_snapshot_bytes", encoding="identity")
        finally:
            ours.stop()
        records = records_memory(bench, pages) * count
        each[count] = statistics.median(costs) / count
        rest[count] = memory["resident"] - text - records
        lines += (f"| {count} | {figure(pages.bytes / 1e6)} | {figure(text / 1e6)} | "
                  f"{figure(records / 1e6)} | {spread([c * 1e3 for c in costs])} | "
                  f"{each[count] * 1e6:.1f} | {figure(memory['resident'] / 1e6)} | "
                  f"{figure(memory['peak'] / 1e6)} | {figure(rest[count] / 1e6)} |\n")
    report.sections["growth"] = (
        "| deployments | listing, MB | text, MB | records, MB | CPU of a refresh, ms | µs a "
        "deployment | resident, MB | peak, MB | neither text nor records, MB |\n"
        "|---|---|---|---|---|---|---|---|---|\n" + lines)
    print(report.sections["growth"], flush=True)
    middle = statistics.median(each.values())
    apart = max(abs(v / middle - 1) for v in each.values())
    report.row("G9", f"CPU of a refresh for each of {sizes[0]} to {sizes[-1]} deployments",
               f"{min(each.values()) * 1e6:.1f} to {max(each.values()) * 1e6:.1f} µs",
               f"median {middle * 1e6:.1f} µs", f"±{apart * 100:.0f} %", "± 30 %", apart <= 0.3)
    wide = (max(rest.values()) - min(rest.values())) / 1e6
    report.row("G9", f"resident memory that is neither text nor records, {sizes[0]} to "
               f"{sizes[-1]} deployments", f"{min(rest.values()) / 1e6:.1f} to "
               f"{max(rest.values()) / 1e6:.1f} MB", "", f"{wide:.1f} MB apart", "≤ 2 MB apart",
               wide <= 2)


def g10(bench, report):
    taken = taken_of(bench, "identity")
    count = 1000 if bench.quick else 10000
    if "Go" in taken:
        for field, what, limit in (("resident", "before any scrape", 1 / 7),
                                   ("scraped", "after one scrape", None)):
            report.compare("G10", f"resident memory at {count} deployments, {what}",
                           values(taken, "ours", field), values(taken, "Go", field), "MB", limit,
                           scale=1e-6, peer_name="Go")
    size = statistics.median(values(taken, "ours", "size"))
    limit = 12e6 + 1.3 * size
    most = statistics.median(values(taken, "ours", "peak"))
    report.row("G10", f"peak memory, {count} deployments, one of twenty changing",
               spread([v / 1e6 for v in values(taken, "ours", "peak")], "MB"),
               f"text {figure(size / 1e6)} MB", f"{most / limit:.2f} of limit",
               f"≤ 12 + 1.3 × text = {figure(limit / 1e6)} MB", most <= limit)


class Idler:
    """A daemon of Debian's with its own defaults."""

    def __init__(self, name, package, *flags):
        self.name, self.port = name, free_port()
        self.popen = subprocess.Popen([need(package, package), *flags,
                                       f"--web.listen-address=127.0.0.1:{self.port}"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.popen.pid
        wait_port(self.port, self.popen, name)
        afe.request(self.port, "/metrics")

    def stop(self):
        stop(self.popen)


def g11(bench, report):
    bench.full_only("a minute of idling")
    peers = []
    sim = afe.Simulator("--deployments=1000", "--profile=small", "--rate-limit=0")
    try:
        ours = Ours(bench, sim.url)
    finally:
        sim.stop()
    try:
        ours.scrape()
        for name, flags in (("blackbox", ("--config.file=/etc/prometheus/blackbox.yml",)),
                            ("node", ())):
            try:
                peers.append(Idler(f"{name}_exporter", f"prometheus-{name}-exporter", *flags))
            except Skip as e:
                report.skipped(f"G11, {name}_exporter", str(e))
        g11_rows(report, ours, peers)
    finally:
        ours.stop()
        for peer in peers:
            peer.stop()


def g11_rows(report, ours, peers):
    time.sleep(5)  # whatever a start leaves behind
    pids = [ours.pid] + [p.pid for p in peers]
    before, began = [cpu_seconds(p) for p in pids], time.monotonic()
    time.sleep(60)
    minutes = (time.monotonic() - began) / 60
    used = [(cpu_seconds(p) - b) * 1e3 / minutes for p, b in zip(pids, before)]
    memory = resident(ours.pid)
    report.row("G11", "CPU of a minute without refresh and scrape", f"{figure(used[0])} ms",
               ", ".join(f"{p.name} {figure(u)} ms" for p, u in zip(peers, used[1:])), "", "< 1 ms",
               used[0] < 1)
    for peer in peers:
        theirs = resident(peer.pid)
        report.row("G11", "resident memory, 1000 deployments, scraped once",
                   f"{figure(memory / 1e6)} MB", f"{peer.name} {figure(theirs / 1e6)} MB",
                   f"{memory / theirs:.2f}", "≤ 1.00" if peer.name.startswith("black") else "",
                   memory <= theirs if peer.name.startswith("black") else None)


GOALS = {"G7": g7, "G8": g8, "G9": g9, "G10": g10, "G11": g11}
