#!/usr/bin/env python3
"""Makes width_table.h: ranges of characters by how a terminal shows them.

The source is Python's unicodedata, which is the Unicode Character Database: East Asian Width W and
F take two columns, marks (Mn, Me) and the inner parts of Hangul syllables none. Format characters
and separators of lines and paragraphs (Cf, Zl, Zp) are invisible or change what is around them;
the joiners of emoji and of some scripts are among them and stay, without a column.
"""

import unicodedata

JOINERS = (0x200C, 0x200D)


def kind(c):
    char = chr(c)
    category = unicodedata.category(char)
    if category in ("Cf", "Zl", "Zp") and c not in JOINERS and c != 0xAD:
        return "invisible"
    if category in ("Mn", "Me") or c in JOINERS or 0x1160 <= c <= 0x11FF:
        return "zero"
    if unicodedata.east_asian_width(char) in "WF" or 0x20000 <= c <= 0x2FFFD or 0x30000 <= c <= 0x3FFFD:
        return "wide"
    return "other"


def ranges(wanted):
    first = None
    for c in range(0xA0, 0x110001):
        inside = c < 0x110000 and kind(c) == wanted
        if inside and first is None:
            first = c
        if not inside and first is not None:
            yield first, c - 1
            first = None


def main():
    print("/* Made by width_table.py from the Unicode Character Database"
          f" {unicodedata.unidata_version}. */")
    print("#ifndef WIDTH_TABLE_H\n#define WIDTH_TABLE_H\n\n#include <stdint.h>\n")
    print("struct width_range {\n    uint32_t first;\n    uint32_t last;\n};")
    for name in ("zero", "wide", "invisible"):
        print(f"\nstatic const struct width_range width_{name}[] = {{")
        line = "   "
        for first, last in ranges(name):
            item = f" {{0x{first:x}, 0x{last:x}}},"
            if len(line) + len(item) > 100:
                print(line)
                line = "   "
            line += item
        print(line + "\n};")
    print("\n#endif")


main()
