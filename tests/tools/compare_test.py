"""What tools/compare makes of runs: tables and charts. No server is started."""
import importlib.machinery
import importlib.util
import json
import pathlib
import unittest
import xml.etree.ElementTree

path = pathlib.Path(__file__).resolve().parents[2] / "tools" / "compare"
loader = importlib.machinery.SourceFileLoader("compare", str(path))
compare = importlib.util.module_from_spec(importlib.util.spec_from_loader("compare", loader))
loader.exec_module(compare)


ECHO = ("echo", "server_cpu", "CPU: echo")
TICK = ("tick", "players_per_core", "players per core")
RATE = ("echo", "received_rate", "messages a second")


def run(peer, number, figure, clean=True, client_bound=False, row=ECHO):
    return {"scenario": row[0], "peer": peer, "round": number, "figures": {row[1]: figure},
            "clean": clean, "client_bound": client_bound}


RUNS = [run("uws", 0, 2.0), run("uws", 1, 4.0), run("ringroom", 0, 1.0), run("ringroom", 1, 3.0),
        run("uws", 0, 1000, row=TICK), run("ringroom", 0, 1500, row=TICK)]


class Compare(unittest.TestCase):
    def test_ratios_are_of_the_same_round(self):
        text, ratio = compare.cell_of(RUNS, ECHO, "ringroom", "uws")
        self.assertEqual(ratio, 0.625)
        self.assertEqual(text, "0.62 [0.50..0.75] (2 µs)")

    def test_the_reference_has_its_figure_alone(self):
        self.assertEqual(compare.cell_of(RUNS, ECHO, "uws", "uws"), ("3 µs", 1))

    def test_a_round_without_the_reference_has_no_ratio(self):
        text, ratio = compare.cell_of(RUNS + [run("ringroom", 2, 9.0)], ECHO, "ringroom", "uws")
        self.assertEqual(ratio, 0.625)
        self.assertIn("3 µs", text)
        self.assertEqual(compare.cell_of([run("ws", 0, 1.0)], ECHO, "ws", "uws"), ("1 µs", None))

    def test_who_was_not_measured_has_a_dash(self):
        self.assertEqual(compare.cell_of(RUNS, ECHO, "bun", "uws"), ("-", None))

    def test_a_run_with_faults_is_marked(self):
        runs = RUNS + [run("uws", 2, 1.0), run("ringroom", 2, 1.0, clean=False)]
        self.assertTrue(compare.cell_of(runs, ECHO, "ringroom", "uws")[0].endswith("!"))

    def test_a_figure_that_the_client_bounded_is_at_least_that(self):
        runs = RUNS + [run("uws", 2, 1000, row=RATE),
                       run("ringroom", 2, 1500, row=RATE, client_bound=True)]
        self.assertIn("(>1,500)", compare.cell_of(runs, RATE, "ringroom", "uws")[0])
        self.assertNotIn(">", compare.cell_of(runs, ECHO, "ringroom", "uws")[0])
        self.assertNotIn(">", compare.cell_of(runs, RATE, "uws", "uws")[0])

    def test_the_table_has_a_line_for_each_row(self):
        table = compare.markdown(RUNS, ["ringroom", "uws"], [ECHO, TICK], "uws")
        lines = [line for line in table.splitlines() if line.startswith("| ")]
        self.assertEqual(lines[0], "| what | Ringroom | uWebSockets |")
        self.assertEqual(len(lines), 3)
        self.assertIn("(more is better)", lines[2])
        self.assertIn("1.50 [1.50..1.50] (1,500)", lines[2])

    def test_in_the_chart_the_better_one_has_the_longer_bar(self):
        name = "{http://www.w3.org/2000/svg}"
        root = xml.etree.ElementTree.fromstring(
            compare.svg(RUNS, ["ringroom", "uws", "bun"], [ECHO, TICK], "uws"))
        bars = [bar for bar in root.findall(name + "rect") if bar.get("x") == "315"]
        lengths = [float(bar.get("width")) for bar in bars]
        self.assertEqual(len(lengths), 4)
        self.assertAlmostEqual(lengths[0] / lengths[1], 1 / 0.625, places=2)
        self.assertAlmostEqual(lengths[2] / lengths[3], 1.5, places=2)
        texts = [text.text for text in root.findall(name + "text")]
        self.assertIn("1.60", texts)
        self.assertIn("1.50", texts)

    def test_the_table_in_the_readme_is_of_the_runs_that_are_kept(self):
        root = path.parents[1]
        runs = json.loads((root / "bench" / "compare.json").read_text(encoding="utf-8"))
        rows = [row for row in compare.ROWS
                if any(compare.figures_by_round(runs, row, peer) for peer in compare.NAMES)]
        shown = [peer for peer in compare.NAMES if any(run["peer"] == peer for run in runs)]
        readme = (root / "README.md").read_text(encoding="utf-8")
        self.assertIn(compare.markdown(runs, shown, rows, "uws"), readme)
        chart = (root / "bench" / "compare.svg").read_text(encoding="utf-8")
        self.assertEqual(compare.svg(runs, shown, rows, "uws"), chart)

    def test_rows_scenarios_and_names_fit_together(self):
        for scenario, figure, _ in compare.ROWS:
            self.assertIn(scenario, compare.SCENARIOS)
            self.assertIn(figure, {"players_per_core", "server_cpu", "server_rss", "received_rate", "p50", "p99"})
        for place, _ in compare.SCENARIOS.values():
            self.assertIn(place, {"echo", "room", "tick"})
        self.assertLessEqual(set(compare.COLOURS), set(compare.NAMES))
        self.assertLessEqual(set(compare.CHARTED), {row[:2] for row in compare.ROWS})

    def test_a_figure_that_is_missing_is_not_there(self):
        empty = {"server": None, "latency_us": None, "game": None, "received_rate": 0}
        self.assertEqual(compare.figures_of(empty), {})
        self.assertEqual(compare.figures_of({**empty, "game": {"steps": []}}), {})

    def test_players_per_core_are_of_the_last_step_that_was_carried(self):
        steps = [{"players": players, "server_use": use, "is_carried": is_carried}
                 for players, use, is_carried in ((100, 0.2, True), (200, 0.5, True), (300, 1, False))]
        self.assertEqual(compare.game_figures(steps), {"players": 200, "players_per_core": 400})
        self.assertEqual(compare.game_figures(steps[2:]), {})


if __name__ == "__main__":
    unittest.main()
