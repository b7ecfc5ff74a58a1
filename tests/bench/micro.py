"""G4, G5, G6 and G15: decoding, rendering and compressing, each in a program of its own."""

import re
import subprocess

import statistics

from harness import Broken, Skip, need, pick, run_json, turns
from pages import page_set
from report import figure, spread

# Of pages and deployments; small = as the published sample, typical = with much SQL and plans.
DECODED = {"small": 10, "typical": 4}

SERIES_LIMIT = 250
BYTE_LIMIT = 12


def instructions(argv):
    """What callgrind counts inside the function `measured`, and what the program printed."""
    done = subprocess.run([need("valgrind", "valgrind"), "--tool=callgrind",
                           "--callgrind-out-file=/dev/null", "--toggle-collect=measured", *argv],
                          capture_output=True, text=True)
    match = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not match or not int(match.group(1)):
        raise Broken(f"callgrind: {done.stderr[-1000:]}")
    return int(match.group(1)), done.stdout


def number(text, key):
    return int(re.search(rf'"{key}": (\d+)', text).group(1))


def g4(bench, report):
    count = 1000 if bench.quick else 10000
    pages = page_set(bench, count)
    program = bench.program("bench_render")
    counted, out = instructions([program, pages.first, "10", "0"])
    each = counted / number(out, "series")
    report.row("G4", "rendering: instructions a series", figure(each), "", "", f"≤ {SERIES_LIMIT}",
               each <= SERIES_LIMIT)
    report.gate(each <= SERIES_LIMIT,
                f"G4: {figure(each)} instructions a rendered series, at most {SERIES_LIMIT}")
    got = run_json([program, pages.first, str(pages.pages), "5" if bench.quick else "15"])
    for what, ours, peer, limit in (
            ("beside memcpy into memory at hand", "render", "copy", 2),
            ("beside malloc and memcpy, piece by piece", "render", "copy_fresh", None),
            ("once more, one deployment of twenty changed", "again", "copy", None)):
        report.compare("G4", f"rendering {got['series']} series, {figure(got['bytes'] / 1e6)} MB, "
                       + what, got[ours], got[peer], "ms", limit, scale=1e3, peer_name="memcpy")


def g5(bench, report):
    seconds = "0.2" if bench.quick else "0.5"
    pairs = bench.pairs if not bench.quick else 3
    ours = bench.program("bench_decode")
    try:
        simdjson = bench.simdjson_peer()
    except Skip as e:
        report.skipped("G5, simdjson", str(e))
        simdjson = None
    for profile, n_pages in DECODED.items():
        pages = page_set(bench, 1000, profile)
        arms = {"ours, whole pages": [ours, "WHAT"], "ours, 16 KB pieces": [ours, "WHAT", "16384"],
                "cJSON": [bench.program("bench_decode_cjson"), "WHAT"]}
        if simdjson:
            arms["simdjson"] = [simdjson, "WHAT"]
        results = dict(zip(arms, turns(pairs, *(
            lambda argv=argv: run_json([argv[0], pages.first, str(n_pages), seconds, *argv[2:]])
            for argv in arms.values()))))
        same_sums(results)
        one = results["cJSON"][0]
        size = one["page_bytes"] / one["objects"] / 1e3
        cost = {name: [r["seconds"] / r["bytes"] for r in got] for name, got in results.items()}
        speed = {name: [1e-6 / c for c in costs] for name, costs in cost.items()}
        for mode, peer, limit, at_least in (
                ("whole pages", "cJSON", 4, True), ("16 KB pieces", "cJSON", 2.5, True),
                ("whole pages", "simdjson", 0.5, True), ("16 KB pieces", "simdjson", None, True)):
            if peer in speed:
                report.compare("G5", f"decoding, objects of {figure(size)} KB, {mode}",
                               speed["ours, " + mode], speed[peer], "MB/s", limit, at_least,
                               peer_name=peer)
    report.note("G5: ids, names, versions, targets, drafts, counts, times and resources that the "
                "decoders extract are the same (a checksum over all of them). That ours refuses all "
                "that cJSON refuses is for the tests in tests/fuzz to show.")


def same_sums(results):
    sums = {(r["sum"], r["objects"]) for got in results.values() for r in got}
    if len(sums) != 1:
        raise Broken(f"the decoders do not extract the same: {results}")


def g6(bench, report):
    for profile, limit in (("small", BYTE_LIMIT), ("typical", None)):
        if bench.quick and limit is None:
            continue
        pages = page_set(bench, 1000, profile)
        for piece, mode in (("0", "whole pages"), ("16384", "16 KB pieces")):
            counted, out = instructions([bench.program("bench_decode"), pages.first, "4", "0",
                                         piece])
            size, objects = number(out, "page_bytes"), number(out, "objects")
            each = counted / size
            report.row("G6", f"decoding, objects of {figure(size / objects / 1e3)} KB, {mode}: "
                       "instructions a byte", figure(each), "", "", f"≤ {limit}" if limit else "",
                       each <= limit if limit else None)
            if limit:
                report.gate(each <= limit, f"G6: {each:.1f} instructions a byte in {mode}, at most "
                            f"{limit}")


def g15(bench, report):
    pages = page_set(bench, 1000 if bench.quick else 10000)
    rounds = "2" if bench.quick else str(max(3, bench.pairs))
    for kind, what in (("together", "neighbours by id, all their series"),
                       ("scattered", "every twentieth by id, their counts")):
        got = run_json([bench.program("bench_gzip"), pages.first, str(pages.pages), rounds,
                        kind])["rounds"]
        whole, following = pick(got, "whole"), pick(got, "next")
        share = got[0]["share"]
        limit = 1.2 * share * statistics.median(whole) + 0.003
        took = statistics.median(following)
        report.row("G15", f"gzip of a generation, {pages.count} deployments, one of twenty changed: "
                   f"{what}; {share * 100:.1f} % of the text",
                   spread([v * 1e3 for v in following], "ms"),
                   "whole " + spread([v * 1e3 for v in whole], "ms"), f"{took / limit:.2f} of limit",
                   f"≤ {figure(limit * 1e3)} ms", took <= limit)
    g15_unasked(bench, report)


def g15_unasked(bench, report):
    """No gzip of the daemon's own as long as nobody asked."""
    import afe
    from exporter import Ours
    sim = afe.Simulator("--deployments=1000", "--profile=small", "--rate-limit=0", "--churn=50")
    try:
        ours = Ours(bench, sim.url, interval="1s")
        try:
            afe.wait_for("three refreshes", lambda: ours.scraped(
                "aliyun_flink_refreshes_total") >= 3)
            size = ours.scraped("aliyun_flink_exporter_snapshot_bytes", encoding="gzip")
        finally:
            ours.stop()
    finally:
        sim.stop()
    report.row("G15", "bytes compressed when nobody asked for gzip", str(int(size or 0)), "", "",
               "0", not size)


def records_memory(bench, pages):
    """Bytes that the kept form of a deployment takes."""
    got = run_json([bench.program("bench_render"), pages.first, str(min(pages.pages, 100)), "0"])
    return got["records"] / got["objects"]


GOALS = {"G4": g4, "G5": g5, "G6": g6, "G15": g15}

