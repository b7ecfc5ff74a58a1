"""Links in pages lead somewhere: relative ones to a file or folder of the tree, and what is behind a #
to a heading of the page, by the anchor that GitHub makes of it. Links elsewhere are not followed. A
page of docs/ that a text, a rule or a configuration names has to exist as well."""

import os
import re
from urllib.parse import unquote

from sources import Report, list_files, read, root_argument

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
# [text](target), ![text](target) and, on a line of its own, [name]: target
LINK = re.compile(r"\]\(\s*<?([^()\s>]*(?:\([^()\s]*\))?[^()\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


NAMED = re.compile(r"(?<![\w/])docs/[\w/-]+\.md\b")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def prose(text):
    """The text without code, in which brackets mean something else; line breaks kept."""
    text = FENCE.sub(blank, text)
    text = re.sub(r"(?<=\n\n)(?: {4}.*\n)+", blank, text)
    return re.sub(r"`[^`\n]+`(?!\]\()", blank, text)


def anchors(text):
    found, times = set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text)), {}
    for heading in re.findall(r"^#{1,6} +(.*?)[ #]*$", FENCE.sub(blank, text), re.MULTILINE):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = times.get(anchor, 0)
        times[anchor] = number + 1
        found.add(f"{anchor}-{number}" if number else anchor)
    return found


def check_link(report, root, path, line, target):
    file, _, anchor = target.partition("#")
    where = os.path.normpath(os.path.join(os.path.dirname(path), unquote(file))) if file else path
    if where.startswith("..") or file.startswith("/"):
        report.add(path, line, f"leads out of the tree: {target}")
    elif not os.path.exists(os.path.join(root, where)):
        report.add(path, line, f"leads to {where}, which does not exist")
    elif anchor and where.endswith(".md") and unquote(anchor) not in anchors(read(root, where)):
        report.add(path, line, f"{where} has no heading for #{anchor}")


def main():
    root = root_argument()
    report = Report()
    for path in list_files(root, "*.md"):
        report.looked_at += 1
        text = prose(read(root, path))
        for match in LINK.finditer(text):
            target = match.group(1) or match.group(2)
            if target and not ELSEWHERE.match(target):
                check_link(report, root, path, text.count("\n", 0, match.start()) + 1, target)
    for path in list_files(root, "*.md", "*.yml", "*.yaml", "*.cfg", "*.py", "*.sh", "*.[ch]"):
        if path.startswith("tests/lint/"):
            continue
        text = read(root, path)
        for match in NAMED.finditer(text):
            if not os.path.exists(os.path.join(root, match.group(0))):
                report.add(path, text.count("\n", 0, match.start()) + 1, f"no such page: {match.group(0)}")
    report.finish()


main()
