#!/usr/bin/env python3
"""generate.py [--check] PRINT_FAMILIES: writes the tables of metrics.md from the exporter's own.

PRINT_FAMILIES is the program of tests/support/print_families.c; `cmake --build build/dev --target
metrics_reference` runs both. A table stands between a line `<!-- families GLOB ... -->` and `<!-- end
-->`; a family goes where the longest glob is that matches its name, and has to go somewhere. Sets of
values that many families share, or that are long, stand once, between `<!-- values -->` and
`<!-- end -->`. Prose is written by hand. With --check nothing is written, and the end is 1 if the page
is out of date.
"""

import fnmatch
import os
import re
import subprocess
import sys

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "metrics.md")
BLOCK = re.compile(r"(<!-- families ([^>]*?) -->\n).*?(<!-- end -->\n)", re.DOTALL)
VALUES = re.compile(r"(<!-- values -->\n).*?(<!-- end -->\n)", re.DOTALL)
# A set of values that so many families have, or with more values than this, stands apart.
SHARED, LONG = 3, 8
SETS = {  # the longest first
    "D": "workspace,flink_namespace,deployment_id,deployment_name",
    "R": "workspace,flink_namespace,deployment_draft_id,draft_name",
    "K": "workspace,flink_namespace,ticket_id",
    "T": "workspace,flink_namespace",
}
COLUMNS = ("name", "type", "stability", "labels", "absent", "help")


LABEL = re.compile(r"[a-z][a-z0-9_]*(\*|=[^=|,]+(\|[^=|,]+)*)?")


class Refused(Exception):
    pass


def check_family(family):
    """What would make a wrong row, or one that says nothing."""
    labels = family["labels"].split(",") if family["labels"] else []
    names = [re.match(r"[a-z0-9_]*", label).group(0) for label in labels]
    wrong = [label for label in labels if not LABEL.fullmatch(label)]
    if wrong or len(set(names)) != len(names):
        raise Refused(f"{family['name']}: labels {family['labels']!r}")
    if not re.fullmatch(r"[A-Z0-9][^\"\\\\]*\.", family["help"]):
        raise Refused(f"{family['name']}: HELP is no sentence, or has quotes: {family['help']!r}")
    if family["name"].endswith("_total") != (family["type"] == "counter"):
        raise Refused(f"{family['name']}: counters end in _total, and nothing else does")
    if family["absent"].endswith("."):
        raise Refused(f"{family['name']}: goes on after \"Absent\" and has no full stop: {family['absent']!r}")


def read_families(program):
    done = subprocess.run([program], check=True, capture_output=True, text=True)
    return [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


def code(text):
    """Names of labels and options in a text, as code."""
    return re.sub(r"\b[a-z]+(?:[._][a-z]+)+\b", r"`\g<0>`", text)


def code_list(words):
    return ", ".join(f"`{word}`" for word in words)


def split_labels(labels):
    return [label for label in labels.split(",") if label]


def sets_apart(families):
    """{"name=values": names of families}, of the sets that stand in a table of their own."""
    users = {}
    for family in families:
        for label in split_labels(family["labels"]):
            if "=" in label:
                users.setdefault(label, []).append(family["name"])
    return {label: names for label, names in users.items()
            if len(names) >= SHARED or label.count("|") >= LONG}


def show_label(label, apart):
    name, _, values = label.partition("=")
    if label in apart:
        return f"[`{name}`](#labels)"
    return f"`{name}` ({code_list(values.split('|'))})" if values else f"`{name}`"


def show_labels(labels, apart):
    cells = []
    for letter, names in SETS.items():
        if labels == names or labels.startswith(names + ","):
            cells, labels = [letter], labels[len(names) + 1 :]
            break
    return ", ".join(cells + [show_label(label, apart) for label in split_labels(labels)])


def row(family, *cells):
    for cell in cells:
        if "|" in cell:
            raise Refused(f"{family}: no | in a table: {cell}")
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|\n"


def show_family(family, apart):
    meaning = family["help"]
    if family["absent"]:
        meaning += f" *Absent {code(family['absent'])}.*"
    return row(family["name"], f"`{family['name']}`", family["type"], family["stability"],
               show_labels(family["labels"], apart), meaning)


def show_values(families, apart):
    text = "| label | values | of |\n|---|---|---|\n"
    for label, names in apart.items():
        name, values = label.split("=")
        others = [f["name"] for f in families if f["name"] not in names
                  and any(l.split("=")[0] == name for l in split_labels(f["labels"]))]
        where = code_list(names) if others else "all that have it"
        text += row(name, f"`{name}`", code_list(values.split("|")), where)
    return text


def home(name, globs):
    """The longest glob that matches the name."""
    found = [glob for glob in globs if fnmatch.fnmatchcase(name, glob)]
    if not found:
        raise Refused(f"{name}: none of the page's tables takes it")
    return max(found, key=len)


def generate(page, families):
    globs = [glob for block in BLOCK.finditer(page) for glob in block.group(2).split()]
    if len(set(globs)) != len(globs):
        raise Refused("a glob stands twice")
    for family in families:
        check_family(family)
    apart = sets_apart(families)
    homes = {family["name"]: home(family["name"], globs) for family in families}
    if len(homes) != len(families):
        raise Refused("a family is there twice")
    for glob in globs:
        if glob not in homes.values():
            raise Refused(f"no family for {glob}")

    def table(block):
        rows = [show_family(f, apart) for f in families if homes[f["name"]] in block.group(2).split()]
        head = "| family | type | stability | labels | meaning |\n|---|---|---|---|---|\n"
        return block.group(1) + "\n" + head + "".join(rows) + "\n" + block.group(3)

    page = BLOCK.sub(table, page)
    return VALUES.sub(lambda m: f"{m.group(1)}\n{show_values(families, apart)}\n{m.group(2)}", page)


def main(argv):
    check = argv[:1] == ["--check"]
    if len(argv) != 1 + check:
        sys.exit("usage: generate.py [--check] PRINT_FAMILIES")
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    try:
        text = generate(page, read_families(argv[-1]))
    except Refused as why:
        sys.exit(f"docs/metrics.md: {why}")
    if text == page:
        return
    if check:
        sys.exit("docs/metrics.md is not what the families make: build the target metrics_reference")
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
