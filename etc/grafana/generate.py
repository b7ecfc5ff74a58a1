#!/usr/bin/env python3
"""Writes the dashboards of boards.py beside it. With --check it only says which are out of date."""

import json
import os
import sys

import boards

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    stale = []
    for name, content in boards.DASHBOARDS.items():
        path = os.path.join(HERE, name + ".json")
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        if sys.argv[1:] == ["--check"]:
            try:
                with open(path, encoding="utf-8") as file:
                    current = file.read()
            except FileNotFoundError:
                current = None
            if current != text:
                stale.append(path)
        elif sys.argv[1:]:
            sys.exit("usage: generate.py [--check]")
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
    for path in stale:
        print(f"{path}: not what etc/grafana/generate.py makes; run it")
    sys.exit(1 if stale else 0)


if __name__ == "__main__":
    main()
