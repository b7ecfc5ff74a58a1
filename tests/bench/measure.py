"""Measures the goals of docs/performance.md; started by run.sh, which see."""

import argparse
import os
import signal
import sys
import time
import traceback

import harness
from harness import Bench, Broken, Skip, say
from report import Report, order


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", add_help=False)
    parser.add_argument("--build", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--pairs", type=int, default=0)
    parser.add_argument("--write", default="")
    return parser.parse_args()


def chosen(goals, only):
    names = [name.strip() for name in only.split(",") if name.strip()]
    wanted = {name.upper() if name[0] in "gG" else name for name in names}
    unknown = wanted - goals.keys()
    if unknown:
        say(f"no such goal: {', '.join(sorted(unknown))}; there are {', '.join(goals)}")
        sys.exit(2)
    return [name for name in sorted(goals, key=order) if not wanted or name in wanted]


def run(bench, report, goals, names):
    for name in names:
        began = time.monotonic()
        say(f"--- {name} ---")
        try:
            goals[name](bench, report)
        except Skip as e:
            report.skipped(name, str(e))
        except (Broken, AssertionError) as e:
            report.broken(name, str(e))
        except Exception:  # the others can still be measured
            report.broken(name, traceback.format_exc())
        say(f"--- {name} took {time.monotonic() - began:.0f} s ---")


def main():
    options = arguments()
    os.environ["AFE_BIN_DIR"] = os.path.join(os.path.abspath(options.build), "bin")
    # These look for the programs when they are imported.
    import flight
    import micro
    import refresh
    import scrape
    goals = {**scrape.GOALS, **micro.GOALS, **refresh.GOALS, **flight.GOALS}
    names = chosen(goals, options.only)
    report, bench = Report(), Bench(options.build, options.quick, options.pairs)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing that was started may stay
    try:
        run(bench, report, goals, names)
    finally:
        try:
            bench.close()
        except (Broken, AssertionError) as e:
            report.broken("the end", str(e))
    print("\n" + report.table())
    if options.write:
        report.write(options.write, not options.only)
        say(f"written to {os.path.relpath(options.write, harness.ROOT)}")
    missed = [cells[1] for _, cells in report.rows if cells[-1] == "**no**"]
    print(f"{len(report.rows)} rows, {len(missed)} miss their limit, "
          f"{len(report.failures)} failures")
    for failure in report.failures:
        print(f"FAILED: {failure}")
    sys.exit(1 if report.failures or not report.rows else 0)


main()
