import json
import unittest

from tree import TreeTest, load_tool

count_tests = load_tool("count_tests")

JUNIT = """<?xml version='1.0'?>
<testsuites>
  <testsuite name="ringroom.ringroom:unit / decoder.Decoder">
    <testcase name="Good"/><testcase name="Bad"><failure/></testcase>
  </testsuite>
  <testsuite name="ringroom.ringroom:unit / decoder.Mask">
    <testcase name="Off"><skipped/></testcase>
  </testsuite>
  <testsuite name="ringroom.ringroom:unit / leaky.Slab"><testcase name="Good"/></testsuite>
</testsuites>
"""


class CountTests(TreeTest):
    def count(self, *records):
        lines = [json.dumps({"stdout": "", **record}) for record in records]
        self.write("meson-logs/testlog.json", "\n".join(lines))
        self.write("meson-logs/testlog.junit.xml", JUNIT)
        return count_tests.count(self.root)

    def test_cases_of_a_program(self):
        self.assertEqual(
            self.count({"name": "ringroom:unit / decoder", "result": "FAIL"}),
            (1, 1, 1, ["ringroom:unit / decoder: Decoder Bad"]),
        )

    def test_a_program_that_fails_after_good_cases(self):
        self.assertEqual(
            self.count({"name": "ringroom:unit / leaky", "result": "FAIL"}),
            (1, 1, 0, ["ringroom:unit / leaky: fail"]),
        )

    def test_plain_programs(self):
        self.assertEqual(
            self.count(
                {"name": "ringroom:e2e / a", "result": "OK"},
                {"name": "ringroom:e2e / b", "result": "TIMEOUT"},
                {"name": "ringroom:e2e / c", "result": "SKIP"},
            ),
            (1, 1, 1, ["ringroom:e2e / b: timeout"]),
        )

    def test_runners_that_tell_of_their_cases(self):
        node = "ok\nℹ tests 8\nℹ pass 5\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\n"
        google = (
            "[  PASSED  ] 3 tests.\n[  SKIPPED ] 1 test, listed below:\n"
            "[  FAILED  ] 1 test, listed below:\n"
        )
        self.assertEqual(
            self.count(
                {"name": "ringroom:sim / ring", "result": "FAIL", "stdout": google},
                {"name": "ringroom:e2e / page", "result": "FAIL", "stdout": node},
                {"name": "ringroom:tools / x", "result": "OK", "stderr": "Ran 4 tests in 0.1s\n"},
            ),
            (
                12,
                3,
                2,
                ["ringroom:sim / ring: a case failed", *["ringroom:e2e / page: a case failed"] * 2],
            ),
        )

    def test_a_failed_case_of_node_has_its_name(self):
        node = (
            "✖ a client leaves (12.5ms)\n✔ another stays (3ms)\nℹ pass 1\nℹ fail 1\n\n"
            "✖ failing tests:\n\ntest at a.test.mjs:3:1\n✖ a client leaves (12.5ms)\n  1 !== 2\n"
        )
        record = {"name": "ringroom:e2e / page", "result": "FAIL", "stdout": node}
        self.assertEqual(
            self.count(record), (1, 1, 0, ["ringroom:e2e / page: a client leaves"])
        )
        self.assertEqual(count_tests.reason(record)[-1], "  1 !== 2")

    def test_the_reason_is_where_an_output_begins_to_tell_it(self):
        long = "a line\n" * 100
        for told in (
            "a_test.cc:12: Failure",
            "not ok 3 - a frame",
            "FAIL: test_a (a.A)",
            "x: a.cc:1: void f(): Assertion `a' failed.",
            "==7==ERROR: AddressSanitizer: heap-use-after-free",
            "WARNING: ThreadSanitizer: data race (pid=7)",
            "a.cc:1:2: runtime error: signed integer overflow",
        ):
            with self.subTest(told):
                lines = count_tests.reason({"stdout": long, "stderr": f"{told}\n{long}"})
                self.assertEqual((lines[0], len(lines)), (told, count_tests.REASON_LINES))

    def test_without_a_known_reason_the_last_lines_are_it(self):
        lines = count_tests.reason({"stdout": "a\n" * 100 + "killed\n"})
        self.assertEqual((lines[-1], len(lines)), ("killed", count_tests.REASON_LINES))

    def test_no_run_counts_nothing(self):
        self.assertEqual(count_tests.count(self.root), (0, 0, 0, []))


if __name__ == "__main__":
    unittest.main()
