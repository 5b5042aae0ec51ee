"""What tools/compare makes of runs: tables and charts. No server is started."""
import importlib.machinery
import importlib.util
import pathlib
import unittest
import xml.etree.ElementTree

path = pathlib.Path(__file__).resolve().parents[2] / "tools" / "compare"
loader = importlib.machinery.SourceFileLoader("compare", str(path))
compare = importlib.util.module_from_spec(importlib.util.spec_from_loader("compare", loader))
loader.exec_module(compare)


def run(peer, number, figure, clean=True, scenario="echo"):
    return {"scenario": scenario, "peer": peer, "round": number, "figure": figure, "clean": clean}


RUNS = [run("uws", 0, 2.0), run("uws", 1, 4.0), run("ringroom", 0, 1.0), run("ringroom", 1, 3.0),
        run("uws", 0, 1000, scenario="tick"), run("ringroom", 0, 1500, scenario="tick")]


class Compare(unittest.TestCase):
    def test_ratios_are_of_the_same_round(self):
        text, ratio = compare.cell_of(RUNS, "echo", "ringroom", "uws")
        self.assertEqual(ratio, 0.625)
        self.assertEqual(text, "0.62 [0.50..0.75] (2 us)")

    def test_a_round_without_the_reference_has_no_ratio(self):
        text, ratio = compare.cell_of(RUNS + [run("ringroom", 2, 9.0)], "echo", "ringroom", "uws")
        self.assertEqual(ratio, 0.625)
        self.assertIn("3 us", text)
        self.assertEqual(compare.cell_of([run("ws", 0, 1.0)], "echo", "ws", "uws"), ("1 us", None))

    def test_who_was_not_measured_has_a_dash(self):
        self.assertEqual(compare.cell_of(RUNS, "echo", "bun", "uws"), ("-", None))

    def test_a_run_with_faults_is_marked(self):
        runs = RUNS + [run("uws", 2, 1.0), run("ringroom", 2, 1.0, clean=False)]
        self.assertTrue(compare.cell_of(runs, "echo", "ringroom", "uws")[0].endswith("!"))

    def test_a_figure_that_the_client_bounded_is_at_least_that(self):
        runs = [dict(one, client_bound=one["peer"] == "ringroom") for one in RUNS]
        self.assertIn("(>1,500)", compare.cell_of(runs, "tick", "ringroom", "uws")[0])
        self.assertNotIn(">", compare.cell_of(runs, "tick", "uws", "uws")[0])

    def test_the_table_has_a_row_for_each_scenario(self):
        table = compare.markdown(RUNS, ["ringroom", "uws"], ["echo", "tick"], "uws")
        rows = [line for line in table.splitlines() if line.startswith("| ")]
        self.assertEqual(len(rows), 3)
        self.assertIn("less is better", rows[1])
        self.assertIn("more is better", rows[2])
        self.assertIn("1.50 [1.50..1.50] (1,500)", rows[2])

    def test_the_chart_is_xml_with_a_bar_for_each_figure(self):
        root = xml.etree.ElementTree.fromstring(
            compare.svg(RUNS, ["ringroom", "uws", "bun"], ["echo", "tick"], "uws"))
        bars = root.findall("{http://www.w3.org/2000/svg}rect")
        self.assertEqual(len(bars), 1 + 4)

    def test_every_scenario_has_a_path_and_a_figure_that_is_known(self):
        for _, place, _, metric in compare.SCENARIOS.values():
            self.assertIn(place, {"echo", "room", "tick"})
            self.assertIn(metric, {"server_cpu", "server_rss", "players", "p99"})

    def test_a_figure_that_is_missing_is_none(self):
        empty = {"server": None, "latency_us": None, "game": {"players": 0}}
        for metric in ("server_cpu", "server_rss", "p99", "players"):
            self.assertIsNone(compare.figure_of(empty, metric))


if __name__ == "__main__":
    unittest.main()
