#!/usr/bin/python3
"""How long a listing takes against its floor, and what memory it needs.

    AFE_BIN_DIR=build/release/bin tests/bench/listing.py [--quick]

Time: 100 pages against a simulator with 20 ms latency, by pages in flight. The floor is what the
latency alone costs: one page first, the rest in rounds of `concurrency`. Memory: the peak of the
whole process over one refresh, beside the size of the text it serves, by number of deployments and
by size of their objects: it must follow the records and the pages in flight, not the listing.
Prints Markdown tables. Figures are of this machine and of now; compare rows, not runs. Fails where a
ratio within the run says that something is broken: requests that do not overlap, or a peak that
follows the listing.
"""

import argparse
import os
import re
import statistics
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import afe  # noqa: E402


def refresh(directory, sim, defaults):
    """One start of the exporter until its first listing: (milliseconds, CPU s, peak KiB, text bytes)."""
    secret = os.path.join(directory, "secret")
    with open(secret, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(afe.SECRET)
    path = os.path.join(directory, "exporter.cfg")
    with open(path, "w", encoding="utf-8") as f:
        f.write(afe.config(sim.url, secret_file=secret, defaults=defaults + 'interval = "1h";'))
    exporter = afe.Exporter(path).wait_ready()
    try:
        line = exporter.wait_log(r"first refresh done")
        milliseconds = int(re.search(r"in (\d+) ms", line).group(1))
        with open(f"/proc/{exporter.popen.pid}/status", encoding="ascii") as f:
            peak = int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1))
        metrics = exporter.metrics()
        return (milliseconds, metrics.get("process_cpu_seconds_total"), peak,
                metrics.get("aliyun_flink_exporter_snapshot_bytes", encoding="identity"))
    finally:
        exporter.stop()


def time_table(runs):
    latency, pages = 20, 100
    sim = afe.Simulator("--deployments=10000", "--profile=small", f"--latency={latency}ms",
                        "--rate-limit=100000")
    medians = {}
    print("| pages in flight | floor ms | measured ms, median (min to max) | ratio |\n|---|---|---|---|")
    try:
        for concurrency in (1, 2, 4, 8, 16):
            with tempfile.TemporaryDirectory() as directory:
                took = [refresh(directory, sim, f"concurrency = {concurrency};")[0]
                        for _ in range(runs)]
            floor = latency * (1 + -(-(pages - 1) // concurrency))
            median = medians[concurrency] = statistics.median(took)
            print(f"| {concurrency} | {floor} | {median:.0f} ({min(took)} to {max(took)}) | "
                  f"{median / floor:.2f} |", flush=True)
    finally:
        sim.stop()
    return medians


def memory_table(sizes):
    peaks, texts = {}, {}
    print("\n| deployments | profile | a page, MB | listing, MB | text, MB | peak, MB | CPU s |\n"
          "|---|---|---|---|---|---|---|")
    for count, profile in sizes:
        sim = afe.Simulator(f"--deployments={count}", f"--profile={profile}", "--rate-limit=100000")
        try:
            with tempfile.TemporaryDirectory() as directory:
                _, cpu, peak, text = refresh(directory, sim, "concurrency = 4;")
            body = len(page(sim))
            peaks[count, profile], texts[count, profile] = peak * 1024, text
            print(f"| {count} | {profile} | {body / 1e6:.1f} | {body * count / 100 / 1e6:.0f} | "
                  f"{text / 1e6:.1f} | {peak * 1024 / 1e6:.0f} | {cpu:.2f} |", flush=True)
        finally:
            sim.stop()
    return peaks, texts


def page(sim):
    sim.post(options={"verify": False})
    path = "/api/v2/namespaces/default-namespace/deployments?pageIndex=1&pageSize=100"
    return afe.request(sim.port, path, headers={"workspace": afe.WORKSPACE,
                                                "Accept": "application/json"}).body


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer and smaller runs")
    quick = parser.parse_args().quick
    medians = time_table(1 if quick else 5)
    sizes = [(100, "typical"), (1000, "typical"), (10000, "typical")]
    peaks, texts = memory_table(
        sizes if quick else sizes + [(10000, "small"), (1000, "heavy"), (100000, "small")])
    small, large = (1000, "typical"), (10000, "typical")
    growth = (peaks[large] - peaks[small]) / (texts[large] - texts[small])
    overlap = medians[1] / medians[4]
    print(f"\nFour pages in flight are {overlap:.1f} times as fast as one (at least 1.5). "
          f"Peak memory grows by {growth:.1f} bytes a byte of text (at most 2).")
    return 0 if overlap >= 1.5 and growth <= 2 else 1


sys.exit(main())
