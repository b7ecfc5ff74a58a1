"""Dashboards: as etc/grafana/generate.py makes them, complete, without overlaps, with links that lead
somewhere. Whether Grafana and Prometheus accept them is what grafana_schema.sh is for."""

import json
import os
import re
import subprocess
import sys

from sources import Report, list_files, read, root_argument

PLUGINS = {"row", "stat", "timeseries", "state-timeline", "table"}
PROVIDED = {"__rate_interval", "__range", "__interval", "__all", "__data"}


def check_generated(root, report):
    generator = os.path.join(root, "etc/grafana/generate.py")
    done = subprocess.run([sys.executable, "-B", generator, "--check"], capture_output=True, text=True)
    if done.returncode:
        report.add("etc/grafana/generate.py", 1, (done.stdout + done.stderr).strip())


def check_panel(report, path, panel, names):
    where = f"panel {panel.get('id')} {panel.get('title', '')!r}"
    if panel["type"] not in PLUGINS:
        report.add(path, 1, f"{where}: type {panel['type']} needs a plugin, or nobody thought of it")
    if panel["type"] == "row":
        return
    defaults = panel["fieldConfig"]["defaults"]
    if not panel.get("description", "").endswith("."):
        report.add(path, 1, f"{where}: no description, or no sentence")
    for key in ("unit", "noValue"):
        if not defaults.get(key):
            report.add(path, 1, f"{where}: no {key}")
    if panel["datasource"]["uid"] != "${datasource}":
        report.add(path, 1, f"{where}: not the data source that was chosen")
    for target in panel["targets"]:
        for name in re.findall(r"\$\{?(\w+)", target["expr"]):
            if name not in names | PROVIDED:
                report.add(path, 1, f"{where}: no such variable: ${name}")
    for link in panel["links"]:
        check_runbook(report, path, link["url"])


def check_runbook(report, path, url):
    page = "docs/runbooks/" + url.rsplit("/", 1)[1]
    if not os.path.exists(os.path.join(report.root, page)):
        report.add(path, 1, f"leads to {page}, which does not exist")


def overlapping(a, b):
    return (a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"]
            and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"])


def check_board(report, path, board, uids):
    names = {v["name"] for v in board["templating"]["list"]}
    panels = board["panels"]
    if len({p["id"] for p in panels}) != len(panels):
        report.add(path, 1, "two panels have the same id")
    for i, panel in enumerate(panels):
        check_panel(report, path, panel, names)
        for other in panels[:i]:
            if overlapping(panel["gridPos"], other["gridPos"]):
                report.add(path, 1, f"panels {other['id']} and {panel['id']} overlap")
    if "datasource" not in names or board.get("id") or board["uid"] in uids or not board["description"]:
        report.add(path, 1, "needs a variable datasource, a uid of its own, a description, and no id")
    for uid in re.findall(r'"url": "/d/([^?"]+)', json.dumps(board)):
        if uid not in report.uids:
            report.add(path, 1, f"leads to dashboard {uid}, which does not exist")


def main():
    root = root_argument()
    report = Report()
    report.root = root
    check_generated(root, report)
    boards = {p: json.loads(read(root, p)) for p in list_files(root, "*.json") if p.startswith("etc/grafana/")}
    report.uids = {b["uid"] for b in boards.values()}
    seen = set()
    for path, board in boards.items():
        report.looked_at += 1
        check_board(report, path, board, seen)
        seen.add(board["uid"])
    report.finish()


main()
