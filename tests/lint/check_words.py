"""Words that do not belong into a released tree: reminders, and traces of where it was written.

The words are put together from pieces so that this file does not find itself.
"""

import re

from sources import Report, list_files, read, root_argument

RULES = [
    (re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b"), "do it or open an issue"),
    (
        re.compile(r"(?<![\w.~-])/(?:wo" r"rk|ro" r"ot|Use" r"rs)/|(?<![\w.~-])/ho" r"me/\w"),
        "a path of somebody's machine",
    ),
    (re.compile(r"\bwork" r"place\b", re.IGNORECASE), "where it was written is nobody's business"),
]


def is_text(text):
    return "\0" not in text and "\ufffd" not in text


def main():
    root = root_argument()
    report = Report()
    for path in list_files(root, "*"):
        text = read(root, path)
        if not is_text(text):
            continue
        report.looked_at += 1
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, message in RULES:
                match = pattern.search(line)
                if match:
                    report.add(path, number, f"{match.group(0)}: {message}")
    report.finish()


main()
