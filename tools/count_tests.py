#!/usr/bin/env python3
"""Counts the cases of the last `meson test` run of a build folder.

    tools/count_tests.py BUILD_DIR [LOG_NAME]

LOG_NAME is the --logbase of that run, testlog by default. A program of GoogleTest, of TAP, of
Node's test runner or of Python's unittest counts each of its cases, any other program counts as
one. A program that failed though every case it told of passed (a crash, a leak found at its end)
counts as one failure more. Prints the names of what failed, of each failed program the part of
its output that says why, then `N passed, N failed, N skipped`; exit 1 if any failed.
"""
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

GOOD = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP", "IGNORED"}
NODE = {
    word: re.compile(rf"^(?:#|ℹ) {word} (\d+)$", re.MULTILINE)
    for word in ("pass", "fail", "cancelled", "skipped")
}
GOOGLETEST = {
    word: re.compile(rf"^\[  {word} *\] (\d+) tests?\b", re.MULTILINE)
    for word in ("PASSED", "FAILED", "SKIPPED")
}
UNITTEST = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
NODE_FAILURES = "✖ failing tests:"
NODE_FAILURE = re.compile(r"^✖ (.+?)(?: \([\d.]+ms\))?$", re.MULTILINE)
# Where an output begins to say why: GoogleTest, TAP, unittest, an assertion, a sanitizer.
REASON = re.compile(
    r": Failure$|^not ok |^(?:ERROR|FAIL): |Assertion|ERROR: \w+Sanitizer"
    r"|WARNING: ThreadSanitizer|runtime error: ",
    re.MULTILINE,
)
REASON_LINES = 30


def cases_in_junit(path, test_name):
    """(case, failed, skipped) for each case that meson's JUnit file has of one program."""
    if not path.exists():
        return
    own = f"ringroom.{test_name}"
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        name = suite.get("name", "")
        if name != own and not name.startswith(own + "."):
            continue
        for case in suite.iter("testcase"):
            failed = case.find("failure") is not None or case.find("error") is not None
            skipped = case.find("skipped") is not None or case.get("status") == "notrun"
            title = f"{name.removeprefix(own).lstrip('.')} {case.get('name', '?')}"
            yield title.strip(), failed, skipped


def output_of(test):
    return test.get("stdout", "") + "\n" + test.get("stderr", "")


def reason(test):
    """The lines of a failed program's output that say why it failed: its last, if none is known."""
    text = output_of(test).strip()
    found = REASON.search(text)
    start = text.find(NODE_FAILURES)
    if start < 0 and found:
        start = text.rfind("\n", 0, found.start()) + 1
    if start < 0:
        return text.splitlines()[-REASON_LINES:]
    return text[start:].splitlines()[:REASON_LINES]


def failed_in_node(test, number):
    """The names of the failed cases that Node's runner lists at its end, as many as it counted."""
    names = NODE_FAILURE.findall(output_of(test).partition(NODE_FAILURES)[2])
    return (names + ["a case failed"] * number)[:number]


def counts_in_output(test):
    """(passed, failed, skipped) that a runner told of in its own words, or None."""
    text = output_of(test)
    for patterns in (NODE, GOOGLETEST):
        told = [pattern.findall(text) for pattern in patterns.values()]
        if told[0]:
            passed, *failed, skipped = (int(numbers[-1]) if numbers else 0 for numbers in told)
            return passed, sum(failed), skipped
    ran = UNITTEST.findall(text)
    if ran and test["result"] in GOOD:
        return int(ran[-1]), 0, 0
    return None


def count_program(test, junit):
    """(passed, failed, skipped, names of what failed) of one record of testlog.json."""
    good = test["result"] in GOOD
    cases = list(cases_in_junit(junit, test["name"]))
    if cases:
        failures = [f"{test['name']}: {name}" for name, failed, _ in cases if failed]
        skipped = sum(1 for case in cases if case[2])
        passed = len(cases) - len(failures) - skipped
    elif (told := counts_in_output(test)) is not None:
        passed, failed, skipped = told
        failures = [f"{test['name']}: {name}" for name in failed_in_node(test, failed)]
    elif test["result"] in SKIPPED:
        return 0, 0, 1, []
    else:
        passed, skipped, failures = (1 if good else 0), 0, []
    if is_failed(test) and not failures:
        failures = [f"{test['name']}: {test['result'].lower()}"]
    return passed, len(failures), skipped, failures


def is_failed(test):
    return test["result"] not in GOOD | SKIPPED


def records(build_dir, log_name="testlog"):
    """What meson wrote down of each program of a run."""
    path = pathlib.Path(build_dir) / "meson-logs" / f"{log_name}.json"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def count(build_dir, log_name="testlog"):
    """(passed, failed, skipped, names of what failed) of a whole run."""
    junit = pathlib.Path(build_dir) / "meson-logs" / f"{log_name}.junit.xml"
    totals, failures = [0, 0, 0], []
    for test in records(build_dir, log_name):
        *numbers, names = count_program(test, junit)
        totals = [total + number for total, number in zip(totals, numbers)]
        failures += names
    return *totals, failures


def main():
    passed, failed, skipped, failures = count(*sys.argv[1:3])
    for name in failures:
        print(f"failed: {name}")
    for test in filter(is_failed, records(*sys.argv[1:3])):
        print(f"\n== {test['name']}: {test['result'].lower()} after {test['duration']:.0f} s")
        print(*reason(test), sep="\n")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
