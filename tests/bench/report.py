"""Rows of the one table, how they are printed, and where they stand in the documentation.

The documentation has marker comments, <!-- bench:NAME --> and <!-- bench:end -->; what is between
them is replaced. Rows of goals that a run did not measure stay as they are.
"""

import datetime
import os
import platform
import re
import statistics
import subprocess

from harness import ratio

HEAD = ("| goal | what | ours | peer | ratio | limit | met |\n"
        "|---|---|---|---|---|---|---|\n")


def figure(value):
    """Three digits that count."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def spread(values, unit=""):
    """'12 (11 to 14) ms': the median, the least and the largest."""
    text = figure(statistics.median(values))
    if len(values) > 1:
        text += f" ({figure(min(values))} to {figure(max(values))})"
    return f"{text} {unit}".rstrip()


def one_of(value):
    """A small ratio reads better as a fraction."""
    return f"1/{figure(1 / value)}" if 0 < value < 0.2 else f"{value:.2f}"


class Report:
    def __init__(self):
        self.rows = []      # (goal, cells)
        self.sections = {}  # name -> Markdown
        self.notes = []     # what was checked, what was left out
        self.failures = []  # gates and broken measurements: the exit status

    def row(self, goal, what, ours, peer="", ratio_text="", limit="", met=None):
        cells = [goal, what, ours, peer, ratio_text, limit,
                 {True: "yes", False: "**no**", None: ""}[met]]
        self.rows.append((goal, cells))
        print(" | ".join(str(c) for c in cells if c != ""), flush=True)

    def compare(self, goal, what, ours, peer, unit, limit=None, at_least=False, scale=1.0,
                peer_name=""):
        """Ours beside a peer's; the ratio is the median over the pairs. limit None = only told."""
        middle, least, largest = ratio(ours, peer)
        text = one_of(middle)
        if len(ours) > 1:
            text += f" ({one_of(least)} to {one_of(largest)})"
        sign = "≥" if at_least else "≤"
        met = None if limit is None else middle >= limit if at_least else middle <= limit
        self.row(goal, what, spread([v * scale for v in ours], unit),
                 (peer_name + " " if peer_name else "") + spread([v * scale for v in peer], unit),
                 text, "" if limit is None else f"{sign} {one_of(limit)}", met)
        return middle

    def note(self, text):
        self.notes.append(text)
        print(text, flush=True)

    def gate(self, ok, text):
        if not ok:
            self.failures.append(text)
        print(("gate holds: " if ok else "GATE FAILED: ") + text, flush=True)

    def broken(self, goal, text):
        self.failures.append(f"{goal}: {text}")
        print(f"BROKEN {goal}: {text}", flush=True)

    def skipped(self, goal, text):
        self.note(f"{goal} not measured: {text}.")

    def table(self):
        ordered = sorted(self.rows, key=lambda r: order(r[0]))
        return HEAD + "".join("| " + " | ".join(c) + " |\n" for _, c in ordered)

    def write(self, path, everything):
        """Puts the results into the documentation; everything = no old row may stay."""
        with open(path, encoding="utf-8") as f:
            text = f.read()
        sections = dict(self.sections, machine=machine(),
                        goals=self.merged_table(text, everything))
        sections["notes"] = "".join(f"* {note}\n" for note in self.merged_notes(text, everything))
        for name, body in sections.items():
            text = replaced(text, name, body)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def merged_notes(self, text, everything):
        """Those of this run, and of the goals that it did not measure."""
        new = {goal for goal, _ in self.rows}
        kept = [] if everything else [
            note for note in re.findall(r"^\* (.*)$", section(text, "notes"), re.MULTILINE)
            if note not in self.notes and goal_of(note) not in new]
        return sorted(kept + self.notes, key=lambda note: order(goal_of(note)))

    def merged_table(self, text, everything):
        new = {goal for goal, _ in self.rows}
        lines = [(goal, "| " + " | ".join(c) + " |\n") for goal, c in self.rows]
        if not everything:
            old = re.findall(r"^\| (G\d+) (\|.*\n)", section(text, "goals"), re.MULTILINE)
            lines += [(goal, f"| {goal} {rest}") for goal, rest in old if goal not in new]
        return HEAD + "".join(line for _, line in sorted(lines, key=lambda x: order(x[0])))


def goal_of(note):
    return re.split(r"\W", note)[0]


def section(text, name):
    """What stands between the markers now."""
    match = re.search(rf"<!-- bench:{name} -->(.*?)<!-- bench:end -->", text, re.DOTALL)
    return match.group(1) if match else ""


def order(goal):
    return int(goal[1:]) if goal[1:].isdigit() else 99


def replaced(text, name, body):
    pattern = re.compile(rf"(<!-- bench:{name} -->\n).*?(<!-- bench:end -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the documentation has no place for {name}")
    return pattern.sub(lambda m: m.group(1) + "\n" + body.rstrip("\n") + "\n\n" + m.group(2), text)


# --- the machine ----------------------------------------------------------------------------------

def first_line(argv, pattern):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(pattern, done.stdout + done.stderr)
    return match.group(1) if match else None


def package(name):
    return first_line(["dpkg-query", "-W", "-f", "${Version}", name], r"^(?:\d+:)?([\w.+~]+)")


def versions():
    found = {
        "nginx": first_line(["/usr/sbin/nginx", "-v"], r"nginx/(\S+)"),
        "wrk": first_line(["wrk", "-v"], r"wrk \S*?(\d+\.\d[\w.]*)"),
        "Go": first_line(["go", "version"], r"go(\d\S+)"),
        "client_golang": package("golang-github-prometheus-client-golang-dev"),
        "Python": platform.python_version(),
        "prometheus_client": package("python3-prometheus-client"),
        "cJSON": package("libcjson-dev"),
        "simdjson": package("libsimdjson-dev"),
        "libcurl": first_line(["curl-config", "--version"], r"libcurl (\S+)")
        or package("libcurl4-openssl-dev"),
        "libmicrohttpd": package("libmicrohttpd-dev"),
        "blackbox_exporter": package("prometheus-blackbox-exporter"),
        "node_exporter": package("prometheus-node-exporter"),
        "Prometheus": package("prometheus"),
        "valgrind": package("valgrind"),
    }
    return ", ".join(f"{name} {version}" for name, version in found.items() if version)


def machine():
    model = memory = system = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        match = re.search(r"model name\s*: (.*)", f.read())
        model = " ".join(match.group(1).split()) if match else model
    with open("/proc/meminfo", encoding="ascii") as f:
        kibibytes = int(re.search(r"MemTotal:\s+(\d+)", f.read()).group(1))
        memory = f"{kibibytes / 2 ** 20:.0f} GiB"
    if os.path.exists("/etc/os-release"):
        with open("/etc/os-release", encoding="utf-8") as f:
            match = re.search(r'PRETTY_NAME="(.*)"', f.read())
            system = match.group(1) if match else system
    today = datetime.date.today().isoformat()
    return (f"{today}: {model}, {os.cpu_count()} cores, {memory} of memory, {system}, "
            f"Linux {platform.release()}. {versions()}.\n")
