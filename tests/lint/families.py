"""The metric families that rules, dashboards and pages may name.

tests/fixtures/prometheus/sample.prom has every family of the catalogue with every label value.
docs/metrics.md documents what is built. PENDING are those of the catalogue that are not built yet;
whoever documents one has to take it out of the list, and in the end the list is empty.
"""

import re

from sources import read

SAMPLE = "tests/fixtures/prometheus/sample.prom"
PENDING = "tests/fixtures/prometheus/pending_families.txt"
NAME = re.compile(r"(?<![\w/.:-])aliyun_flink_[a-z0-9_]+")
# The programs and what is called after them.
PROGRAMS = {"aliyun_flink_exporter", "aliyun_flink_simulator"}
SUFFIXES = ("_bucket", "_sum", "_count")


def catalogue(root):
    return set(re.findall(r"^# TYPE (\S+)", read(root, SAMPLE), re.MULTILINE))


def documented(root):
    """First cells of the tables of families, and all of the section about the exporter."""
    found, families, section = set(), False, ""
    for line in read(root, "docs/metrics.md").splitlines():
        if line.startswith("#"):
            section = line.lstrip("# ")
        cell = ""
        if line.startswith("|"):
            cells = line.strip("|").split("|")
            families = families or cells[0].strip() == "family"
            cell = cells[0] if families else ""
        else:
            families = False
            if section == "The exporter":
                cell = line
        for token in re.findall(r"`([a-z][a-z0-9_]*)(?:\{[a-z_, ]*\})?`", cell):
            if section == "The exporter" and not token.startswith("exporter_"):
                continue
            found.add(token if token.startswith("aliyun_flink_") else "aliyun_flink_" + token)
    return found


def pending(root):
    lines = read(root, PENDING).splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def used(text):
    """Names of families in a text; histogram parts count as their family, a name that ends in _ or
    with an asterisk after it as a prefix."""
    return {name for name in NAME.findall(text) if name not in PROGRAMS}


def is_known(name, known):
    if name in known or name.endswith("_") and any(k.startswith(name) for k in known):
        return True
    return any(name.endswith(s) and name[: -len(s)] in known for s in SUFFIXES)
