"""Rules, dashboards and pages name only metric families that exist or are promised (families.py)."""

import families
from sources import Report, list_files, read, root_argument

TEXTS = ("*.rules.yml", "*.example.yml", "*.json", "boards.py", "panels.py", "*.md")
# Where names of other things, or of families that are meant to be wrong, stand.
ELSEWHERE = ("tests/", "docs/performance.md", "docs/development.md")


def main():
    root = root_argument()
    report = Report()
    built = families.documented(root)
    promised = families.pending(root)
    known = built | set(promised)
    if not built:
        report.add("docs/metrics.md", 1, "no table of families found")
    for name in promised:
        if name in built:
            report.add(families.PENDING, 1, f"{name} is documented as built: take it out")
        if name not in families.catalogue(root):
            report.add(families.PENDING, 1, f"{name} is not in {families.SAMPLE}")
    for name in sorted(families.catalogue(root)):
        if name.startswith("aliyun_flink_") and name not in known:
            report.add(families.SAMPLE, 1, f"{name} is neither built nor promised")
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
