"""The metric families that rules, dashboards and pages may name.

tests/fixtures/prometheus/sample.prom has every family of the catalogue with every label value.
docs/metrics.md, which is generated, has what is built. PENDING are those of the catalogue that are not built yet;
whoever documents one has to take it out of the list, and in the end the list is empty.
"""

import re

from sources import read

SAMPLE = "tests/fixtures/prometheus/sample.prom"
PAGE = "docs/metrics.md"
PENDING = "tests/fixtures/prometheus/pending_families.txt"
NAME = re.compile(r"(?<![\w/.:-])aliyun_flink_[a-z0-9_]+")
# The programs and what is called after them.
PROGRAMS = {"aliyun_flink_exporter", "aliyun_flink_simulator"}
SUFFIXES = ("_bucket", "_sum", "_count")


def catalogue(root):
    return set(re.findall(r"^# TYPE (\S+)", read(root, SAMPLE), re.MULTILINE))


class Family:
    """What the reference says: help, type, stability, labels as {name: set of values, or None}."""

    def __init__(self, kind, stability, labels, text):
        self.kind, self.stability, self.labels, self.help = kind, stability, labels, text


def code(cell):
    return re.findall(r"`([^`]+)`", cell)


def rows(text):
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def shared_values(page):
    """{label: {family, or "" for all: values}} of the table of values."""
    found = {}
    for label, values, families in rows(page.partition("<!-- values -->")[2].partition("<!-- end -->")[0]):
        for family in code(families) or [""]:
            found.setdefault(code(label)[0], {})[family] = set(code(values))
    return found


def letters(page):
    """What T, D, R and K stand for: {"T": ["workspace", ...]}."""
    found = {}
    for letter, rest in re.findall(r"\*\*([A-Z])\*\* =\s+([^.]*)\.", page):
        first = re.match(r"([A-Z]),", rest)
        found[letter] = (found[first.group(1)] if first else []) + code(rest)
    return found


def labels_of(family, cell, page):
    labels, shared = {}, shared_values(page)
    for letter in re.findall(r"^[A-Z]\b", cell):
        labels.update(dict.fromkeys(letters(page)[letter]))
    for link, name, _, values in re.findall(r"(\[?)`([a-z_]+\*?)`(\]\(#labels\))?(?: \(([^)]*)\))?", cell):
        if link:
            labels[name] = shared[name].get(family) or shared[name][""]
        else:
            labels[name] = set(code(values)) or None
    return labels


def documented(root):
    """{name: Family} of the reference, docs/metrics.md, which docs/generate.py makes."""
    page = read(root, PAGE)
    found = {}
    for block in re.findall(r"^<!-- families .*?^<!-- end -->", page, re.MULTILINE | re.DOTALL):
        for name, kind, stability, labels, meaning in rows(block):
            name = code(name)[0]
            text = meaning.partition(" *Absent ")[0]
            found[name] = Family(kind, stability, labels_of(name, labels, page), text)
    return found


class Sample:
    """Of each family of the sample: type, help, and of each label the values that occur."""

    def __init__(self, root):
        self.kinds, self.helps, self.labels, name = {}, {}, {}, ""
        for line in read(root, SAMPLE).splitlines():
            head = re.match(r"# (HELP|TYPE) (\S+) (.*)", line)
            if head:
                name = head.group(2)
                (self.helps if head.group(1) == "HELP" else self.kinds)[name] = head.group(3)
                self.labels.setdefault(name, {})
            elif not line.startswith("#"):
                for label, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', line):
                    self.labels[name].setdefault(label, set()).add(value)


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
