#!/usr/bin/env python3
"""House rules that a program can check.

    tools/check_style.py [ROOT]

No file over 500 lines; each header begins with a comment; each .cc is in a meson.build; no open
ends left in the text; in the layers that every frame passes, nothing that allocates, locks, prints
or waits.
Prints one line for each breach, and exits with 1 if there was one.
"""
import pathlib
import re
import sys

LINES_MAX = 500
TREES = ("src", "include", "tools", "bench", "tests")
CODE = {".h", ".cc", ".inc", ".py", ".mjs", ".js", ".ts", ".sh"}
HOT_LAYERS = ("codec", "reactor", "connection", "room", "shard")
OPEN_ENDS = re.compile(r"\b(" + "TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")

# What hot layers may not say, and what they say instead. Comments and strings are not looked at.
BANS = [
    (re.compile(r"\bnew\b(?!\s*\()"), "new", "a pool, an arena or std::make_unique at start"),
    (re.compile(r"(?<!=\s)(?<!=)\bdelete\b"), "delete", "a pool, an arena or std::unique_ptr"),
    (re.compile(r"\bstd::function\b"), "std::function", "a switch, a template or an interface"),
    (
        re.compile(r"\bstd::(shared|weak)_ptr\b"),
        "std::shared_ptr",
        "one owner and an id, or a counted frame",
    ),
    (
        re.compile(r"\bstd::(\w*mutex|lock_guard|unique_lock|scoped_lock)\b"),
        "std::mutex",
        "a message to the shard that owns it",
    ),
    (re.compile(r"\bthread_local\b"), "thread_local", "a member that the constructor was given"),
    (re.compile(r"\b(v?f?printf|puts|std::cout|std::cerr)\b"), "printf", "base/log.h"),
    (
        re.compile(r"(?<![.>\w])(u?sleep|nanosleep|sleep_for|sleep_until)\s*\("),
        "sleep",
        "a timer of the ring (base/timer_heap.h)",
    ),
]

# Comments, strings and character literals; digit separators (1'000) are none.
NOT_CODE = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r'|R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)


def code_only(text):
    """The text with comments and literals blanked out; line numbers stay."""
    return NOT_CODE.sub(lambda match: "\n" * match[0].count("\n") + " ", text)


def files_of(root):
    for tree in TREES:
        for path in sorted((root / tree).rglob("*")):
            relative = path.relative_to(root)
            skipped = {"node_modules", "corpus", "__pycache__"} & set(relative.parts)
            if path.is_file() and not skipped:
                yield path, relative


def check_text(relative, text):
    lines = text.splitlines()
    if len(lines) > LINES_MAX:
        yield f"{relative}:{LINES_MAX + 1}: {len(lines)} lines, at most {LINES_MAX}: split it"
    for number, line in enumerate(lines, 1):
        if match := OPEN_ENDS.search(line):
            yield f"{relative}:{number}: {match[1]}: finish it, or file an issue"


def check_header(relative, text):
    if not text.lstrip().startswith(("//", "/*")):
        yield (
            f"{relative}:1: a header begins with a comment: what it is, on which thread, "
            "who owns it, what bounds it"
        )
    if "#pragma once" not in text:
        yield f"{relative}:1: #pragma once is missing"


def check_hot(relative, text):
    for number, line in enumerate(code_only(text).splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        for pattern, name, instead in BANS:
            if pattern.search(line):
                yield f"{relative}:{number}: {name} is banned in hot layers: use {instead}"


def check_built(root):
    """Each .cc of src/ stands in the meson.build of its folder or of one above."""
    for path in sorted((root / "src").rglob("*.cc")):
        for folder in path.parents:
            build = folder / "meson.build"
            if build.exists() and f"'{path.relative_to(folder).as_posix()}'" in build.read_text():
                break
            if folder == root:
                yield f"{path.relative_to(root)}:1: in no meson.build: build it or delete it"
                break


def check(root):
    root = pathlib.Path(root)
    complaints = []
    for path, relative in files_of(root):
        if path.suffix not in CODE and path.name != "meson.build":
            continue
        text = path.read_text(encoding="utf-8")
        complaints += check_text(relative, text)
        if path.suffix == ".h":
            complaints += check_header(relative, text)
        if relative.parts[0] == "src" and relative.parts[1] in HOT_LAYERS:
            complaints += check_hot(relative, text)
    return complaints + list(check_built(root))


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    complaints = check(root)
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
