#!/usr/bin/env python3
"""Draws the main panels of each dashboard into docs/img, from results of their own queries.

Not Grafana: a real exporter reads a simulator whose jobs start, fail and finish, a real Prometheus
scrapes it once a second for MINUTES, then each panel's queries are asked and drawn. Needs built
programs (AFE_BIN_DIR), prometheus and python3-matplotlib; only who redraws the pictures does.

usage: draw_dashboards.py [--minutes N] [--out FOLDER]
"""

import argparse
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../e2e"))

import matplotlib

matplotlib.use("Agg")
import matplotlib.dates as dates
import matplotlib.pyplot as plt
import afe
import monitoring

MAX_BYTES = 150_000
LABEL = "drawn by tests/support/draw_dashboards.py: the exporter on a simulator whose jobs start, fail and finish"
UNITS = {
    "bytes": lambda x, _: f"{x / 1e6:g} MB",
    "percentunit": lambda x, _: f"{x:.1%}",
    "s": lambda x, _: f"{x:g} s",
    "reqps": lambda x, _: f"{x:g}/s",
}
SHOWN = {
    "fleet": ["Jobs that are alive", "Deployments by latest status", "Jobs that failed", "Most failures in this range"],
    "deployment": ["Jobs the control plane remembers", "Jobs that ended", "Restarts by Flink", "Resources of the job"],
    "releases": ["Releases that failed", "Tickets in sight", "Drifted drafts", "Executing"],
    "exporter": ["Age of data", "Duration by interval", "Requests", "Duration of requests", "Series", "Memory"],
}


class Setting(afe.Case):
    """The programs of a run, in a folder of their own; ended with the test case's means."""

    def runTest(self):
        raise NotImplementedError("drawn from, not run")

    def begin(self):
        self.setUp()
        self.sim = self.simulator("--deployments=24", "--drafts=20", "--profile=typical", "--churn=0.2", "--seed=3")
        self.tickets = 0
        spool = os.path.join(self.dir, "tickets")
        os.mkdir(spool)
        path = self.config(self.sim.url, metrics='draft_lock_holder = true;', extra=(
            f'collectors = [ "deployments", "drafts", "tickets", "jobs" ]; ticket_dir = "{spool}"; ticket_ttl = "2m";'))
        with open(path, "a", encoding="utf-8") as file:
            file.write(f'state = {{ file = "{self.dir}/state"; hold = "1s"; }};\n')
        exporter = self.exporter(path).wait_ready()
        config = self.write("prometheus.yml", f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 5s}}
scrape_configs:
- job_name: aliyun-flink-exporter
  static_configs: [{{targets: ["127.0.0.1:{exporter.port}"]}}]
  relabel_configs: [{{target_label: instance, replacement: "flink-exporter:10058"}}]
""", 0o644)
        self.prometheus = monitoring.Prometheus(config, os.path.join(self.dir, "tsdb"))
        self.stack.callback(self.prometheus.process.stop)
        self.spool = spool
        return self.prometheus.wait_ready()

    def one_deployment(self):
        """Of those that stream, the first: it runs, and Flink restarts its job now and then."""
        return next(d for d in self.sim.deployments() if d["executionMode"] == "STREAMING")["deploymentId"]

    def live(self, minutes):
        """What the simulator does not do by itself: crash loops, releases."""
        chance, deployment, restarts = random.Random(3), self.one_deployment(), 0
        until = time.monotonic() + 60 * minutes
        while time.monotonic() < until:
            time.sleep(chance.uniform(4, 20))
            restarts = self.restart(deployment, restarts + chance.randrange(3))
            if chance.random() < 0.2:
                self.sim.post(event={"deploymentId": deployment, "kind": "start"})
                self.sim.post(event={"deploymentId": deployment, "kind": chance.choice(["fail", "cancel", "finish"])})
            if chance.random() < 0.4:
                self.release(chance)
        self.release(chance, polls=1000)
        time.sleep(5)
        return deployment

    def restart(self, deployment, restarts):
        """Of the newest job, if that one runs; else there is a new one, which begins at 0."""
        try:
            self.sim.post(set_restarts={deployment: restarts})
            return restarts
        except AssertionError:  # it does not
            self.sim.post(event={"deploymentId": deployment, "kind": "start"})
            return 0

    def release(self, chance, polls=0):
        self.tickets += 1
        ticket = f"ticket-{self.tickets}"
        end = chance.choice([{"end": "FINISHED", "success": True}, {"end": "FINISHED", "success": True}, {"end": "FAILED"}])
        self.sim.post(tickets=[{"id": ticket, "polls": polls or chance.randrange(2, 12), **end}])
        with open(os.path.join(self.spool, "." + ticket), "w", encoding="utf-8") as file:
            file.write("default-namespace\n")
        os.rename(file.name, os.path.join(self.spool, ticket))


def legend(target, metric):
    text = target["legendFormat"]
    if text == "__auto":
        return ", ".join(v for k, v in metric.items() if not k.endswith("_id"))
    for name, value in metric.items():
        text = text.replace("{{" + name + "}}", value)
    return text


def draw_graph(axes, panel, prometheus, values, span):
    series = []
    for target in panel["targets"]:
        expression = monitoring.substitute(target["expr"], values)
        for result in prometheus.query_range(expression, *span, 2):
            series.append((legend(target, result["metric"]), {float(t): float(v) for t, v in result["values"]}))
    if not series:
        raise AssertionError(f"nothing to draw in {panel['title']}")
    times = sorted({t for _, points in series for t in points})
    fixed = {o["matcher"]["options"]: p["value"]["fixedColor"] for o in panel["fieldConfig"]["overrides"]
             for p in o["properties"] if p["id"] == "color"}
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    colours = [fixed.get(n, cycle[i % len(cycle)]) for i, (n, _) in enumerate(series)]
    unit = panel["fieldConfig"]["defaults"]["unit"]
    axes.yaxis.set_major_formatter(UNITS.get(unit, lambda x, _: f"{x:g}"))
    x = [t / 86400 for t in times]
    if panel["fieldConfig"]["defaults"]["custom"].get("stacking", {}).get("mode") == "normal":
        axes.stackplot(x, [[p.get(t, 0) for t in times] for _, p in series], labels=[n for n, _ in series],
                       colors=colours, alpha=0.7)
    else:
        for (name, points), colour in zip(series, colours):
            axes.plot(x, [points.get(t) for t in times], label=name, color=colour, linewidth=1)
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M:%S"))
    axes.set_ylim(bottom=0)
    axes.grid(True, alpha=0.3)
    columns = max(1, min(4, 90 // max(len(name) + 6 for name, _ in series)))
    axes.legend(fontsize=6, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncol=columns, frameon=False)


def told(value, seconds):
    if not seconds:
        return f"{value:.0f}"
    return f"{value / 86400:.0f} days" if value > 2 * 86400 else f"{value:.0f} s"


def draw_table(axes, panel, prometheus, values, span):
    results = prometheus.query(monitoring.substitute(panel["targets"][0]["expr"], values), span[1])
    if not results:
        raise AssertionError(f"nothing to show in {panel['title']}")
    hidden = {"workspace", "deployment_id", "deployment_draft_id"}
    columns = [k for k in results[0]["metric"] if k not in hidden]
    value = panel["fieldConfig"]["overrides"][0]
    title, seconds = value["matcher"]["options"], value["properties"][0]["value"] == "s"
    rows = [[r["metric"].get(c, "")[:24] for c in columns] + [told(float(r["value"][1]), seconds)] for r in results]
    axes.axis("off")
    made = axes.table(cellText=rows[:8], colLabels=columns + [title], loc="center")
    made.auto_set_font_size(False)
    made.set_fontsize(7)


def draw(board, titles, prometheus, path, values, span):
    wanted = {p["title"]: p for p in monitoring.panels(board)}
    height = (len(titles) + 1) // 2
    figure, grid = plt.subplots(height, 2, figsize=(11, 2.7 * height))
    for axes, title in zip(grid.flat, titles):
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=6)
        (draw_table if wanted[title]["type"] == "table" else draw_graph)(axes, wanted[title], prometheus, values, span)
    figure.suptitle(board["title"], fontsize=11)
    figure.text(0.5, 0.004, LABEL, ha="center", fontsize=6, color="gray")
    figure.tight_layout(rect=(0, 0.015, 1, 0.99))
    figure.savefig(path, dpi=80, metadata={"Software": None})
    plt.close(figure)
    if os.path.getsize(path) > MAX_BYTES:
        sys.exit(f"{path} has more than {MAX_BYTES} bytes")
    print(path)


def main():
    parser = argparse.ArgumentParser(description="Draws the main panels of each dashboard.")
    parser.add_argument("--minutes", type=float, default=10, help="how long the exporter is watched")
    parser.add_argument("--out", default=os.path.join(monitoring.ROOT, "docs/img"), help="a folder")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    setting = Setting()
    try:
        prometheus = setting.begin()
        began = time.time() + 10
        deployment = setting.live(options.minutes)
        span = began, time.time()
        values = monitoring.variables(deployment, "20s", f"{int(span[1] - span[0])}s")
        for name, board in monitoring.boards().items():
            draw(board, SHOWN[name], prometheus, os.path.join(options.out, name + ".png"), values, span)
    finally:
        setting.doCleanups()


if __name__ == "__main__":
    main()
