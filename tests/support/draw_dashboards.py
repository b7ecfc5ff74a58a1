#!/usr/bin/env python3
"""Draws the main panels of each dashboard into docs/img, from results of their own queries.

Not Grafana: what is shown is six hours of the model of tests/e2e/monitoring.py, given to Prometheus
as blocks. Needs prometheus and python3-matplotlib; only who redraws the pictures does.

usage: draw_dashboards.py [FOLDER]
"""

import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../e2e"))

import matplotlib

matplotlib.use("Agg")
import matplotlib.dates as dates
import matplotlib.pyplot as plt
import monitoring

HOURS, STEP = 6, 60
MAX_BYTES = 150_000
LABEL = "drawn by tests/support/draw_dashboards.py from query results over tests/fixtures/prometheus/sample.prom"
SHOWN = {
    "fleet": ["Jobs that are alive", "Deployments by latest status", "Jobs that failed", "Most failures in this range"],
    "deployment": ["Jobs the control plane remembers", "Jobs that ended", "Restarts by Flink", "Memory"],
    "releases": ["Releases that failed", "Tickets in sight", "Drifted drafts", "Executing"],
    "exporter": ["Age of data", "Duration by interval", "Requests", "Duration of requests", "Series", "Credentials expire in"],
}


def backfill(folder, end):
    """Six hours of the model as a Prometheus' storage."""
    model = monitoring.Model(end - HOURS * 3600, rare=0.01)
    text = os.path.join(folder, "model.om")
    # A family's samples have to stay together: rendered by time, written by series.
    lines = {}
    for at in range(int(end) - HOURS * 3600, int(end) + 1, STEP):
        for name, labels, value in model.samples(at):
            own = 'job="aliyun-flink-exporter",instance="flink-exporter:10058"'
            selector = name + "{" + (labels.strip("{}") + "," if labels else "") + own + "}"
            lines.setdefault(selector, []).append(f"{selector} {value!r} {at}\n")
        lines.setdefault("up", []).append(f'up{{job="aliyun-flink-exporter",instance="flink-exporter:10058"}} 1 {at}\n')
    with open(text, "w", encoding="utf-8") as file:
        for selector in lines:
            file.writelines(lines[selector])
        file.write("# EOF\n")
    storage = os.path.join(folder, "tsdb")
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", text, storage], check=True,
                   stdout=subprocess.DEVNULL)
    return storage


def legend(target, metric):
    text = target["legendFormat"]
    if text == "__auto":
        return ", ".join(v for k, v in metric.items() if not k.endswith("_id"))
    for name, value in metric.items():
        text = text.replace("{{" + name + "}}", value)
    return text


def draw_graph(axes, panel, prometheus, values, end):
    series = []
    for target in panel["targets"]:
        expression = monitoring.substitute(target["expr"], values)
        for result in prometheus.query_range(expression, end - HOURS * 3600, end, 120):
            series.append((legend(target, result["metric"]), {float(t): float(v) for t, v in result["values"]}))
    if not series:
        raise AssertionError(f"nothing to draw in {panel['title']}")
    times = sorted({t for _, points in series for t in points})
    fixed = {o["matcher"]["options"]: p["value"]["fixedColor"] for o in panel["fieldConfig"]["overrides"]
             for p in o["properties"] if p["id"] == "color"}
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    colours = [fixed.get(n, cycle[i % len(cycle)]) for i, (n, _) in enumerate(series)]
    unit = panel["fieldConfig"]["defaults"]["unit"]
    axes.set_ylabel("" if unit in ("short", "none") else unit, fontsize=6)
    x = [t / 86400 for t in times]
    if panel["fieldConfig"]["defaults"]["custom"].get("stacking", {}).get("mode") == "normal":
        axes.stackplot(x, [[p.get(t, 0) for t in times] for _, p in series], labels=[n for n, _ in series],
                       colors=colours, alpha=0.7)
    else:
        for (name, points), colour in zip(series, colours):
            axes.plot(x, [points.get(t) for t in times], label=name, color=colour, linewidth=1)
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M"))
    axes.set_ylim(bottom=0)
    axes.grid(True, alpha=0.3)
    axes.legend(fontsize=6, loc="upper left", ncol=2, framealpha=0.6)


def draw_table(axes, panel, prometheus, values, end):
    results = prometheus.query(monitoring.substitute(panel["targets"][0]["expr"], values), end)
    if not results:
        raise AssertionError(f"nothing to show in {panel['title']}")
    hidden = {"workspace", "deployment_id", "deployment_draft_id"}
    columns = [k for k in results[0]["metric"] if k not in hidden]
    value = panel["fieldConfig"]["overrides"][0]
    title, unit = value["matcher"]["options"], " s" if value["properties"][0]["value"] == "s" else ""
    rows = [[r["metric"].get(c, "")[:24] for c in columns] + [f"{float(r['value'][1]):.0f}{unit}"] for r in results]
    axes.axis("off")
    made = axes.table(cellText=rows[:8], colLabels=columns + [title], loc="center")
    made.auto_set_font_size(False)
    made.set_fontsize(7)


def draw(board, titles, prometheus, path, end):
    wanted = {p["title"]: p for p in monitoring.panels(board)}
    deployment = next(r["metric"]["deployment_id"] for r in prometheus.query("aliyun_flink_deployment_info", end)
                      if r["metric"]["deployment_name"] == "orders-report")
    values = monitoring.variables(deployment, "4m", f"{HOURS}h")
    height = (len(titles) + 1) // 2
    figure, grid = plt.subplots(height, 2, figsize=(11, 2.7 * height))
    for axes, title in zip(grid.flat, titles):
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=6)
        (draw_table if wanted[title]["type"] == "table" else draw_graph)(axes, wanted[title], prometheus, values, end)
    figure.suptitle(board["title"], fontsize=11)
    figure.text(0.5, 0.004, LABEL, ha="center", fontsize=6, color="gray")
    figure.tight_layout(rect=(0, 0.015, 1, 0.99))
    figure.savefig(path, dpi=80, metadata={"Software": None})
    plt.close(figure)
    if os.path.getsize(path) > MAX_BYTES:
        sys.exit(f"{path} has more than {MAX_BYTES} bytes")
    print(path)


def main():
    if len(sys.argv) > 2:
        sys.exit("usage: draw_dashboards.py [FOLDER]")
    folder = sys.argv[1] if len(sys.argv) == 2 else os.path.join(monitoring.ROOT, "docs/img")
    os.makedirs(folder, exist_ok=True)
    end = int(time.time()) // STEP * STEP
    with tempfile.TemporaryDirectory() as scratch:
        config = os.path.join(scratch, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("scrape_configs: []\n")
        prometheus = monitoring.Prometheus(config, backfill(scratch, end), "--storage.tsdb.retention.time=1y")
        try:
            prometheus.wait_ready()
            for name, board in monitoring.boards().items():
                draw(board, SHOWN[name], prometheus, os.path.join(folder, name + ".png"), end)
        finally:
            prometheus.process.stop()


if __name__ == "__main__":
    main()
