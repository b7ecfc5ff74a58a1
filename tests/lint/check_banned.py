"""Functions that no C file here may use, and what to use in their place."""

import re

from sources import Report, list_files, read, root_argument, without_comments

BANNED = {
    "strcpy": "strbuf",
    "strcat": "strbuf",
    "strncpy": "strbuf, or memcpy with a checked length",
    "sprintf": "strbuf or snprintf",
    "vsprintf": "strbuf or vsnprintf",
    "strtok": "strcspn and strspn",
    "gets": "getline",
    "setlocale": "nothing: with a locale, numbers get decimal commas",
    "localtime": "base/clock.h",
    "gmtime": "base/clock.h or gmtime_r",
}

WORD = re.compile(r"\b(" + "|".join(BANNED) + r")\b")
# Naming them is how the compiler is told to refuse them.
POISON = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+GCC[ \t]+poison[^\n]*", re.MULTILINE)


def main():
    root = root_argument()
    report = Report()
    for path in list_files(root, "*.c", "*.h"):
        report.looked_at += 1
        code = POISON.sub("", without_comments(read(root, path), strings=False))
        for number, line in enumerate(code.split("\n"), 1):
            for match in WORD.finditer(line):
                name = match.group(1)
                report.add(path, number, f"{name} is banned; use {BANNED[name]}")
    report.finish()


main()
