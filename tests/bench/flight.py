"""G14: pages in flight against a slow control plane; what a refresh needs by size and profile; and
what a Prometheus needs for a hundred thousand deployments."""

import json
import os
import statistics
import subprocess
import time

import afe
from exporter import Ours, Refreshing
from harness import (Broken, Skip, available_memory, free_port, need, peak, resident, stop,
                     wait_port)
from pages import api_server, page_set
from report import figure, spread

OVERLAP = 1.5  # four in flight are at least so many times as fast as one
GROWTH = 2.0   # bytes of peak memory for a byte of text, at most


def g14(bench, report):
    """The floor has one page first, which tells how many there are; the goal's formula has not."""
    if bench.quick:
        latency, count, page_size, in_flight, runs = 20, 10000, 100, (1, 4, 8), 1
    else:
        latency, count, page_size, in_flight = 50, 10000, 50, (1, 2, 4, 8, 16)
        runs = max(3, bench.pairs)
    pages = -(-count // page_size)
    sim = afe.Simulator(f"--deployments={count}", "--profile=small", f"--latency={latency}ms",
                        "--rate-limit=0")
    took = {n: [] for n in in_flight}
    try:
        for _ in range(runs):
            for n in in_flight:
                ours = Ours(bench, sim.url,
                            defaults=f"concurrency = {n}; page_size = {page_size};",
                            one_listing=True)
                took[n].append(ours.refresh_ms())
                ours.stop()
    finally:
        sim.stop()
    lines = ""
    for n in in_flight:
        floor = latency * (1 + -(-(pages - 1) // n))
        formula = pages * latency / n
        middle = statistics.median(took[n])
        lines += (f"| {n} | {formula:.0f} | {floor} | {spread(took[n])} | {middle / formula:.2f} | "
                  f"{middle / floor:.2f} |\n")
        judged = n in (4, 8) and not bench.quick
        report.row("G14", f"first refresh, {pages} pages after {latency} ms each, {n} in flight",
                   spread(took[n], "ms"), f"pages × latency / in flight {formula:.0f} ms",
                   f"{middle / formula:.2f}", "≤ 1.15" if judged else "",
                   middle <= 1.15 * formula if judged else None)
    report.sections["flight"] = (
        f"{pages} pages from the simulator, which waits {latency} ms before each and needs the same "
        "processors. The floor has one page first, which tells how many there are, then the others "
        "in rounds.\n\n| pages in flight | pages × latency / in flight, ms | floor, ms | measured, ms "
        "| ratio | ratio to the floor |\n|---|---|---|---|---|---|\n" + lines)
    overlap = statistics.median(took[1]) / statistics.median(took[4])
    report.gate(overlap >= OVERLAP, f"G14: four pages in flight are {overlap:.1f} times as fast as "
                f"one, at least {OVERLAP}")


def memory_run(bench, count, profile):
    sim = afe.Simulator(f"--deployments={count}", f"--profile={profile}", "--rate-limit=0")
    try:
        ours = Ours(bench, sim.url, defaults="concurrency = 4;", one_listing=True)
        try:
            got = dict(ours.memory(), cpu=ours.cpu())
            body = ours.scrape()
        finally:
            ours.stop()
        reply = afe.request(sim.port, "/api/v2/namespaces/default-namespace/deployments"
                            "?pageIndex=1&pageSize=100", headers={"workspace": afe.WORKSPACE}) \
            if sim.post(options={"verify": False}) else None
    finally:
        sim.stop()
    return dict(got, text=len(body), page=len(reply.body))


def memory_table(bench, report):
    """One refresh by number and size of deployments: the peak follows the text, not the listing."""
    sizes = [(1000, "typical"), (10000, "typical")]
    if not bench.quick:
        sizes = [(100, "typical"), *sizes, (10000, "small"), (1000, "heavy"), (100000, "small")]
    got = {size: memory_run(bench, *size) for size in sizes}
    report.sections["memory"] = (
        "| deployments | profile | a page, MB | listing, MB | text, MB | peak, MB | CPU, s |\n"
        "|---|---|---|---|---|---|---|\n" + "".join(
            f"| {count} | {profile} | {g['page'] / 1e6:.1f} | {g['page'] * count / 1e8:.0f} | "
            f"{g['text'] / 1e6:.1f} | {g['peak'] / 1e6:.0f} | {g['cpu']:.2f} |\n"
            for (count, profile), g in got.items()))
    print(report.sections["memory"], flush=True)
    small, large = got[1000, "typical"], got[10000, "typical"]
    growth = (large["peak"] - small["peak"]) / (large["text"] - small["text"])
    report.gate(growth <= GROWTH, f"G10: peak memory grows by {growth:.2f} bytes for a byte of text, "
                f"at most {GROWTH}")


# --- Prometheus -----------------------------------------------------------------------------------

PROMETHEUS = """
global: {{ scrape_interval: {every}s, scrape_timeout: {every}s }}
scrape_configs:
  - job_name: flink
    static_configs: [ {{ targets: [ '127.0.0.1:{port}' ] }} ]
"""


def query(port, text):
    body = afe.request(port, "/api/v1/query?query=" + text).body
    result = json.loads(body)["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def prometheus(bench, report, count=100000, every=30, minutes=4, needed=16e9):
    """A real one scrapes ours for some minutes; its memory and the time of its scrapes."""
    bench.full_only("a Prometheus with 100000 deployments")
    program = need("prometheus", "prometheus")
    if available_memory() < needed:
        raise Skip(f"{available_memory() / 1e9:.0f} GB of memory to spare, {needed / 1e9:.0f} wanted")
    ours = Refreshing(bench, api_server(bench), page_set(bench, count), "identity", "60s")
    directory, port = bench.subdir("prometheus"), free_port()
    path = os.path.join(directory, "prometheus.yml")
    with open(path, "w", encoding="ascii") as f:
        f.write(PROMETHEUS.format(every=every, port=ours.port))
    popen = subprocess.Popen([program, f"--config.file={path}", f"--storage.tsdb.path={directory}/db",
                              f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
                             stderr=subprocess.DEVNULL)
    try:
        wait_port(port, popen, "Prometheus")
        took, before = watch(popen, port, every, minutes), ours.cpu()
        time.sleep(every)
        samples = query(port, "scrape_samples_scraped")
        memory = resident(popen.pid), peak(popen.pid)
        report.sections["prometheus"] = (
            f"{count} deployments are {samples:.0f} series in {ours_text(ours):.0f} MB of text. "
            f"Prometheus, scraping them every {every} s for {minutes} minutes with gzip, needed "
            f"{figure(took[0])} s for its first scrape and {spread(took[1:], 's')} for the later "
            f"ones, {memory[0] / 1e9:.1f} GB of resident memory at the end and "
            f"{memory[1] / 1e9:.1f} GB at most. The exporter used "
            f"{figure((ours.cpu() - before) * 1e3)} ms of CPU in the last {every} s, "
            f"{ours.memory()['resident'] / 1e6:.0f} MB resident, "
            f"{ours.memory()['peak'] / 1e6:.0f} MB at most.\n")
        print(report.sections["prometheus"], flush=True)
    finally:
        stop(popen)
        ours.stop()


def ours_text(ours):
    return len(ours.scrape()) / 1e6


def watch(popen, port, every, minutes):
    """scrape_duration_seconds of every scrape."""
    took, deadline = [], time.monotonic() + minutes * 60
    while time.monotonic() < deadline:
        time.sleep(every)
        if popen.poll() is not None or available_memory() < 1e9:
            raise Broken("Prometheus ended, or the memory did")
        if query(port, "up") == 0:
            raise Skip(f"here Prometheus needs more than {every} s for a scrape")
        seconds = query(port, "scrape_duration_seconds")
        if seconds is not None:
            took.append(seconds)
    if len(took) < 2:
        raise Broken("Prometheus did not scrape")
    return took


GOALS = {"G14": g14, "memory": memory_table, "prometheus": prometheus}
