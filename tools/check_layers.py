#!/usr/bin/env python3
"""Checks who may include whom: the layer table of src/README.md, on the #include lines.

    tools/check_layers.py [ROOT]

Each layer is a folder of src/. Prints one line for each include that the table forbids, and exits
with 1 if there was one.
"""
import pathlib
import re
import sys

# The layers whose headers a layer may include, next to its own and <ringroom/…>.
LAYERS = {
    "base": set(),
    "codec": {"base"},
    "reactor": {"base"},
    "store": {"base"},
    "connection": {"reactor", "codec", "base"},
    "agent": {"connection", "store", "codec", "base"},
    "shard": {"agent", "connection", "reactor", "codec", "store", "base"},
    "server": {"shard", "agent", "base"},
    "load": {"reactor", "codec", "base"},
    "connect": {"codec", "base"},
    "inspect": {"server", "store", "codec", "base"},
    "samples": set(),
}
# src/main.cc and its like: they put the program together.
MAIN = {"server", "load", "connect", "inspect", "samples"}

# Libraries that one layer has to itself, and what others include in their place.
LIBRARIES = [
    (re.compile(r"liburing(/|\.h)"), "reactor", "reactor/ring.h"),
    (re.compile(r"linux/io_uring\.h"), "reactor", "reactor/ring.h"),
    (re.compile(r"boost/"), "codec", "codec/http"),
    (re.compile(r"flatbuffers/"), "codec", "codec/envelope.h"),
    (re.compile(r"sqlite3(ext)?\.h"), "store", "store/database.h"),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = {".h", ".cc", ".inc"}


def includes_of(path):
    """(line number, 'angle' or 'quote', name) for each include of a file."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, "angle" if match[1] == "<" else "quote", match[2]


def layer_of(relative):
    """The folder of src/ that a file is in; 'main' for a file of src/ itself."""
    return relative.parts[1] if len(relative.parts) > 2 else "main"


def library_trouble(who, name):
    for pattern, owner, instead in LIBRARIES:
        if pattern.match(name) and who != owner:
            return f"only {owner} may include <{name}>: use {instead}"
    return None


def trouble_in_src(layer, name):
    """What is wrong with a file of `layer` that includes `name`, or None."""
    if trouble := library_trouble(layer, name):
        return trouble
    first = name.split("/")[0]
    if first == layer or first == "ringroom" or first not in LAYERS:
        return None
    allowed = MAIN if layer == "main" else LAYERS[layer]
    return None if first in allowed else f"{layer} may not include {name}"


def check_src(root):
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in SOURCES:
            continue
        relative = path.relative_to(root)
        layer = layer_of(relative)
        if layer != "main" and layer not in LAYERS:
            yield f"{relative}:1: src/{layer} is no layer of the table in tools/check_layers.py"
            continue
        for number, kind, name in includes_of(path):
            trouble = trouble_in_src(layer, name)
            if kind == "quote" and not trouble:
                trouble = written_wrong(root, name)
            if trouble:
                yield f"{relative}:{number}: {trouble}"


def written_wrong(root, name):
    """Quoted includes name their file from src/ (or include/), so that the layer can be read."""
    if ".." in name.split("/"):
        return f'"{name}" leaves its folder: write the path from src/'
    if (root / "src" / name).exists() or (root / "include" / name).exists():
        return None
    return f'"{name}" is in neither src/ nor include/: write the path from src/'


def check_include(root):
    for path in sorted((root / "include").rglob("*.h")):
        for number, _, name in includes_of(path):
            trouble = library_trouble("include", name)
            if name.split("/")[0] in LAYERS:
                trouble = f"a public header may not include {name}"
            if trouble:
                yield f"{path.relative_to(root)}:{number}: {trouble}"


def check(root):
    root = pathlib.Path(root)
    return [*check_src(root), *check_include(root)]


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    complaints = check(root)
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
