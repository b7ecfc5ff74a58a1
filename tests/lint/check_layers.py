"""Who may include whom: modules point one way, each library stays behind one wall.

Reads src/ and include/ only; tests may reach anywhere.
"""

import re

from sources import Report, list_files, read, root_argument, without_comments

# A module may include the public headers of these; "module/header.h" allows that header alone.
MAY_USE = {
    "base": [],
    "model": ["base"],
    "metrics": ["base"],
    "conf": ["model", "base"],
    "api": ["metrics", "model", "base"],
    "inventory": ["metrics", "model", "base"],
    "refresh": ["api", "inventory", "metrics", "conf", "model", "base"],
    "http": ["inventory/snapshot.h", "metrics", "base"],
    # The double shares nothing with the client, so that a mistake cannot hide in both.
    "simulator": ["base"],
    "daemon": ["base", "model", "metrics", "conf", "api", "inventory", "refresh", "http"],
    "ctl": ["base", "model", "metrics", "conf", "api", "inventory", "refresh", "http"],
}

# Library: its headers, the names that betray its use (asking for its version is use as well), and
# the files or folders that may.
WALLS = {
    "libcurl": (
        r"curl/",
        r"\bcurl_[a-z]\w*[ ]*\(|\bCURL(?:[A-Z]+_\w+|M|U|code|Mcode)?\b",
        ["src/api/transport_curl.c", "src/api/transfer.h", "src/api/transfer_explain.c"],
    ),
    "cJSON": (
        r"cjson/|cJSON",
        r"\bcJSON_\w+",
        ["src/api/json.c", "src/api/json_exact.c", "src/api/json_write.c", "src/simulator/"],
    ),
    "libconfig": (
        r"libconfig\.h",
        r"\bconfig_(?:init|destroy|read|lookup|setting|error|set|get)\w*|\bconfig_t\b|\bLIBCONFIG_\w+",
        ["src/conf/parse.c"],
    ),
    "libmicrohttpd": (r"microhttpd", r"\bMHD_\w+", ["src/http/server.c", "src/simulator/"]),
    "zlib": (
        r"zlib\.h",
        r"\b(?:deflate|inflate)[A-Z]\w*|\bz_stream\w*|\bzlib[A-Z]\w*|\bZ_[A-Z]+\w*|\bcrc32_\w+",
        ["src/base/deflate.c", "src/simulator/"],
    ),
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def module_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else None


def may_use(module, header):
    owner = header.split("/")[0]
    return owner == module or owner in MAY_USE[module] or header in MAY_USE[module]


def check_include(report, files, path, line, quote, header):
    module = module_of(path)
    if header.split("/")[0] in MAY_USE and "/" in header:
        if not may_use(module, header):
            report.add(path, line, f"{module} may not include {header}")
        elif f"include/{header}" not in files:
            report.add(path, line, f"{header} is no public header")
    elif ".." in header.split("/"):
        report.add(path, line, f"{header}: no path may lead out of the module")
    elif quote == '"':
        if path.startswith("include/"):
            report.add(path, line, f"a public header may not include the private {header}")
        elif f"src/{module}/{header}" not in files:
            report.add(path, line, f"{header} is no private header of {module}")


def check_walls(report, path, text, code):
    for library, (headers, names, allowed) in WALLS.items():
        if any(path == a or (a.endswith("/") and path.startswith(a)) for a in allowed):
            continue
        for match in INCLUDE.finditer(text):
            if re.match(headers, match.group(2)):
                report.add(path, line_of(text, match.start()), f"{library} belongs in {allowed[0]}")
        match = re.search(names, code)
        if match:
            report.add(
                path,
                line_of(code, match.start()),
                f"{match.group(0)}: {library} belongs in {allowed[0]}",
            )


def main():
    root = root_argument()
    report = Report()
    files = [f for f in list_files(root, "*.c", "*.h") if f.startswith(("src/", "include/"))]
    for path in files:
        report.looked_at += 1
        if module_of(path) not in MAY_USE:
            report.add(path, 1, f"module {module_of(path)} is not in the table of {__file__}")
            continue
        text = without_comments(read(root, path))
        for match in INCLUDE.finditer(text):
            line = line_of(text, match.start())
            check_include(report, files, path, line, match.group(1), match.group(2))
        check_walls(report, path, text, without_comments(text, strings=False))
    report.finish()


main()
