"""Every alert has a page, a line in docs/alerting.md, and a test in which it fires and one in which it
does not; every page has an alert. Ends with 77 where Python has no yaml (Debian: python3-yaml)."""

import os
import re
import sys

from sources import Report, list_files, read, root_argument

try:
    import yaml
except ImportError:
    print("no Python module yaml here (Debian: python3-yaml)")
    sys.exit(77)

RULES = "etc/prometheus/aliyun_flink.rules.yml"
PAGES = "docs/runbooks/"
SECTIONS = ["Meaning", "Impact", "Diagnosis", "What to do"]
SEVERITIES = {"critical", "warning", "info"}


def alerts_of(root):
    groups = yaml.safe_load(read(root, RULES))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def check_alert(report, name, rule, bases):
    notes = rule.get("annotations", {})
    missing = {"summary", "description", "runbook_url"} - set(notes)
    if missing or rule.get("labels", {}).get("severity") not in SEVERITIES:
        report.add(RULES, 1, f"{name}: needs a severity and {', '.join(sorted(missing)) or 'nothing else'}")
        return
    base, page = notes["runbook_url"].rsplit("/", 1)
    bases.add(base)
    if page != name + ".md":
        report.add(RULES, 1, f"{name}: runbook_url leads to {page}")
    if re.search(r"\{\{\s*\$value\s*\}\}", notes["description"]):
        report.add(RULES, 1, f"{name}: prints a bare value")


def check_page(report, root, path, alerts):
    name = os.path.basename(path)[: -len(".md")]
    if name == "README":
        return
    if name not in alerts:
        report.add(path, 1, "no such alert")
        return
    text = read(root, path)
    severity = alerts[name]["labels"]["severity"]
    if not text.startswith(f"# {name}\n") or f"Severity: {severity}" not in text:
        report.add(path, 1, f"has to begin with the alert's name and say \"Severity: {severity}\"")
    if re.findall(r"^## (.*)$", text, re.MULTILINE) != SECTIONS:
        report.add(path, 1, f"the sections have to be: {', '.join(SECTIONS)}")


def tested(root):
    """Names of alerts that some test expects, and of those that some test expects not to fire."""
    firing, silent = set(), set()
    for path in list_files(root, "*.yml"):
        if not path.startswith("etc/prometheus/tests/"):
            continue
        for case in (yaml.safe_load(read(root, path)) or {}).get("tests", []):
            for check in case.get("alert_rule_test", []):
                (firing if check["exp_alerts"] else silent).add(check["alertname"])
    return firing, silent


def main():
    root = root_argument()
    report = Report()
    alerts, bases = alerts_of(root), set()
    firing, silent = tested(root)
    overview = read(root, "docs/alerting.md")
    router = read(root, "etc/prometheus/alertmanager.example.yml")
    for name, rule in alerts.items():
        check_alert(report, name, rule, bases)
        for tests, what in ((firing, "fires"), (silent, "stays silent")):
            if name not in tests:
                report.add(RULES, 1, f"{name}: no test in which it {what}")
        if not os.path.exists(os.path.join(root, PAGES, name + ".md")):
            report.add(RULES, 1, f"{name}: no page {PAGES}{name}.md")
        if f"[{name}](runbooks/{name}.md)" not in overview:
            report.add("docs/alerting.md", 1, f"does not mention {name}")
    if len(bases) != 1:
        report.add(RULES, 1, f"runbooks at several places: {sorted(bases)}")
    for path in list_files(root, "*.md"):
        if path.startswith(PAGES):
            report.looked_at += 1
            check_page(report, root, path, alerts)
    for text, path in ((overview, "docs/alerting.md"), (router, "etc/prometheus/alertmanager.example.yml")):
        for name in re.findall(r"\bAliyunFlink\w+\b", text):
            # A regular expression's beginning, as in AliyunFlinkApi.+
            if name not in alerts and not (f"{name}.+" in text or f"{name}*" in text):
                report.add(path, 1, f"no such alert: {name}")
    report.finish()


main()
