"""Rules, dashboards, pages and HELP texts name only metric families that exist or are promised
(families.py), and the sample, with which rules and dashboards are tested, agrees with the reference."""

import re

import families
from sources import Report, list_files, read, root_argument

TEXTS = ("*.rules.yml", "*.example.yml", "*.json", "boards.py", "panels.py", "*.md")
OPTIONS = "etc/exporter.cfg"
# Where names of other things, or of families that are meant to be wrong, stand.
ELSEWHERE = ("tests/", "docs/performance.md", "docs/development.md")


def check_sample(report, sample, built):
    for name, family in built.items():
        if name not in sample.kinds:
            report.add(families.SAMPLE, 1, f"{name} is missing")
            continue
        for what, has, wants in (("type", sample.kinds[name], family.kind), ("HELP", sample.helps[name], family.help)):
            if has != wants:
                report.add(families.SAMPLE, 1, f"{name}: {what} is {has!r}, and {wants!r} in {families.PAGE}")
        wants = {label for label in family.labels if not label.endswith("*")}
        prefixes = tuple(label[:-1] for label in family.labels if label.endswith("*"))
        has = {label for label in sample.labels[name] if not (prefixes and label.startswith(prefixes))}
        if has - ({"le"} if family.kind == "histogram" else set()) != wants:
            report.add(families.SAMPLE, 1, f"{name}: labels are {sorted(has)}, and {sorted(wants)} in {families.PAGE}")
        for label, values in family.labels.items():
            strange = sample.labels[name].get(label, set()) - values if values else ()
            if strange:
                report.add(families.SAMPLE, 1, f"{name}: {label} is none of its values: {sorted(strange)}")


def check_short_names(report, root, built, promised):
    """In the reference's own text names go without the prefix: what looks like one is a family, a
    label, a value or an option."""
    words = {name.removeprefix("aliyun_flink_") for name in (*built, *promised)} | set(built)
    for family in built.values():
        words.update(family.labels, *(values for values in family.labels.values() if values))
    words.update(re.findall(r"\w+", read(root, OPTIONS)))
    for number, line in enumerate(read(root, families.PAGE).splitlines(), 1):
        for name in re.findall(r"`([a-z][a-z0-9]*_[a-z0-9_]*[a-z0-9])(?:\{[^`]*\})?`", line):
            if name not in words:
                report.add(families.PAGE, number, f"neither family, label nor option: {name}")


def check_stability(report, root, built):
    """The section about stability argues for each family that is not stable."""
    section = read(root, families.PAGE).partition("\n## Stability\n")[2].partition("\n## ")[0]
    for name, family in built.items():
        argued = f"`{name.removeprefix('aliyun_flink_')}`" in section
        if argued != (family.stability == "EXPERIMENTAL"):
            report.add(families.PAGE, 1, f"{name} is {family.stability}, and section Stability "
                       + ("names" if argued else "does not name") + " it as experimental")


def main():
    root = root_argument()
    report = Report()
    built = families.documented(root)
    promised = families.pending(root)
    known = set(built) | set(promised)
    if not built:
        report.add(families.PAGE, 1, "no table of families found")
    for name in promised:
        if name in built:
            report.add(families.PENDING, 1, f"{name} is documented as built: take it out")
        if name not in families.catalogue(root):
            report.add(families.PENDING, 1, f"{name} is not in {families.SAMPLE}")
    for name in sorted(families.catalogue(root)):
        if name.startswith("aliyun_flink_") and name not in known:
            report.add(families.SAMPLE, 1, f"{name} is neither in {families.PAGE} nor promised")
    check_sample(report, families.Sample(root), built)
    check_short_names(report, root, built, promised)
    check_stability(report, root, built)
    for path in list_files(root, *TEXTS):
        if path.startswith(ELSEWHERE):
            continue
        report.looked_at += 1
        for number, line in enumerate(read(root, path).splitlines(), 1):
            for name in sorted(families.used(line)):
                if not families.is_known(name, known):
                    report.add(path, number, f"no such family: {name}")
    report.finish()


main()
