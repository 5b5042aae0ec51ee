"""What tools/bench-report makes of times."""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

path = pathlib.Path(__file__).resolve().parents[2] / "tools" / "bench-report"
loader = importlib.machinery.SourceFileLoader("bench_report", str(path))
report = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_report", loader))
loader.exec_module(report)


def row(times, base, name):
    return next(line for line in report.table(times, base) if line.startswith(name + " "))


class BenchReport(unittest.TestCase):
    def test_the_median_is_shown_with_its_spread(self):
        line = row({"a": [10.0, 11.0, 14.0]}, {}, "a")
        self.assertIn("11 ns", line)
        self.assertIn("18.2%", line)

    def test_a_change_beyond_the_noise_is_marked(self):
        self.assertTrue(row({"a": [20.0, 20.2]}, {"a": [10.0, 10.1]}, "a").endswith("2.00  slower"))
        self.assertTrue(row({"a": [5.0, 5.1]}, {"a": [10.0, 10.1]}, "a").endswith("0.50  quicker"))

    def test_a_change_within_the_noise_is_not(self):
        self.assertTrue(row({"a": [9.0, 11.0]}, {"a": [10.0, 12.0]}, "a").endswith("0.91"))

    def test_new_and_gone_ones_are_told(self):
        self.assertTrue(row({"a": [1.0]}, {"b": [1.0]}, "a").endswith("new"))
        self.assertIn("is gone", row({"a": [1.0]}, {"b": [1.0]}, "b"))

    def test_units_are_readable(self):
        self.assertEqual([report.readable(ns) for ns in (0.5, 999, 1500, 2.5e6, 3e9)],
                         ["0.5 ns", "999 ns", "1.5 us", "2.5 ms", "3 s"])


class Baseline(unittest.TestCase):
    """Whole runs, with a script in place of a benchmark."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = pathlib.Path(folder.name)
        (self.build / "bench").mkdir()
        self.benchmark(10)

    def benchmark(self, ns):
        made = {"benchmarks": [{"run_name": "a", "cpu_time": ns + i / 10, "time_unit": "ns"}
                               for i in range(3)]}
        program = self.build / "bench" / "some_bench"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(made)}\nEND\n", encoding="utf-8")
        program.chmod(0o755)

    def report(self, *arguments):
        printed = io.StringIO()
        command = ["bench-report", "--build", str(self.build), *arguments]
        with unittest.mock.patch.object(sys, "argv", command), contextlib.redirect_stdout(printed):
            report.main()
        return printed.getvalue()

    def test_what_was_saved_in_the_build_folder_is_what_is_compared_with(self):
        self.report("--save", str(self.build / "baseline.json"))
        self.benchmark(20)
        printed = self.report()
        self.assertIn(str(self.build / "baseline.json"), printed.splitlines()[0])
        self.assertIn(report.machine(), printed.splitlines()[0])
        self.assertTrue(printed.splitlines()[2].endswith("1.99  slower"), printed)

    def test_a_file_can_be_named(self):
        self.report("--save", str(self.build / "mine.json"))
        printed = self.report("--against", str(self.build / "mine.json"))
        self.assertTrue(printed.splitlines()[2].endswith("1.00"), printed)

    def test_without_one_it_is_the_repositorys(self):
        printed = self.report()
        self.assertIn("bench/baseline.json", printed.splitlines()[0])
        self.assertTrue(printed.splitlines()[2].endswith("new"), printed)


if __name__ == "__main__":
    unittest.main()
