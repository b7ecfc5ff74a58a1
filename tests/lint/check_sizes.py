"""Files and functions that have grown too long to read.

What is flat and long for a good reason says so in a comment with the reason: "size-ok(file): ..."
anywhere in the file, or "size-ok(function): ..." inside the function or just above it.

clang-format puts the braces of a function alone at the start of a line, and no others.
"""

import re

from sources import Report, list_files, read, root_argument

MAX_FILE_LINES = 700
MAX_FUNCTION_LINES = 90

FILE_OK = re.compile(r"size-ok\(file\): *\w")
FUNCTION_OK = re.compile(r"size-ok\(function\): *\w")


def head_start(lines, opening):
    """The first line of what belongs to the function that opens here: its head and its comment."""
    first = opening
    while first > 0 and lines[first - 1].strip() and lines[first - 1] != "}":
        first -= 1
    return first


def check_functions(report, path, lines):
    opening = None
    for number, line in enumerate(lines):
        if line == "{":
            opening = number
        elif line == "}" and opening is not None:
            length = number - opening + 1
            text = "\n".join(lines[head_start(lines, opening) : number])
            if length > MAX_FUNCTION_LINES and not FUNCTION_OK.search(text):
                name = lines[opening - 1].strip()
                report.add(
                    path, opening + 1, f"{length} lines, more than {MAX_FUNCTION_LINES}: {name}"
                )
            opening = None


def main():
    root = root_argument()
    report = Report()
    for path in list_files(root, "*.c", "*.h"):
        report.looked_at += 1
        text = read(root, path)
        lines = text.splitlines()
        if len(lines) > MAX_FILE_LINES and not FILE_OK.search(text):
            report.add(path, len(lines), f"{len(lines)} lines, more than {MAX_FILE_LINES}")
        check_functions(report, path, lines)
    report.finish()


main()
