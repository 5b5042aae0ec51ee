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
        node = "ok\nℹ tests 7\nℹ pass 5\nℹ fail 1\nℹ skipped 1\n"
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
                2,
                2,
                ["ringroom:sim / ring: a case failed", "ringroom:e2e / page: a case failed"],
            ),
        )

    def test_no_run_counts_nothing(self):
        self.assertEqual(count_tests.count(self.root), (0, 0, 0, []))


if __name__ == "__main__":
    unittest.main()
