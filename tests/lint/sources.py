"""What the Python checks share: which files to look at, C text without its comments, the report."""

import os
import re
import subprocess
import sys

LIST_FILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "list_files.sh")

# A comment, a string or a character: whichever begins first swallows the others.
TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL
)


def root_argument():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {os.path.basename(sys.argv[0])} ROOT")
    return os.path.abspath(sys.argv[1])


def list_files(root, *patterns):
    out = subprocess.run(
        ["bash", LIST_FILES, root, *patterns], check=True, capture_output=True, text=True
    )
    return out.stdout.splitlines()


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def without_comments(text, strings=True):
    """The text with comments blanked, line breaks kept; strings=False blanks strings as well."""

    def blank(match):
        token = match.group(0)
        if token[0] == "/" or not strings:
            return re.sub(r"[^\n]", " ", token)
        return token

    return TOKEN.sub(blank, text)


class Report:
    """Collects problems; finish() prints them and ends the program with 0 or 1."""

    def __init__(self):
        self.problems = []
        self.looked_at = 0

    def add(self, path, line, message):
        self.problems.append(f"{path}:{line}: {message}")

    def finish(self):
        for problem in self.problems:
            print(problem)
        print(f"{self.looked_at} files, {len(self.problems)} problems")
        sys.exit(1 if self.problems or not self.looked_at else 0)
