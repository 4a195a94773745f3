"""The page on performance says what the results say, and says so when it does not.

    performance_test.py ROOT
"""

import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
ROOT = pathlib.Path(sys.argv.pop(1))
sys.path.insert(0, str(ROOT / "bench"))

import questions  # noqa: E402
from questions import pipelines, scale, sweeps  # noqa: E402
from report import goals, needs, page, scale_program, svg  # noqa: E402

WHERE = {"date": "2026-01-02", "machine": "a machine, 2 cores", "load": 0.1, "compiler": "c++ 12", "command": "bench/run http",
         "turns": 9, "versions": {"wrk": "4.1.0"}}


def http(ratio, path="read", **more):
    side = {"cpu": 10.0, "rate": 1000.0, "p99": 1.5}
    row = {"site": "Beast", "store": "memory", "path": path, "off": side, "on": {**side, "cpu": 10 * ratio}, "ratio": ratio, "ratios": [ratio, ratio]}
    return {"http": {**WHERE, "rows": [row], "not_measured": {}, **more}}


def micro(ours, floor, request="read", sessions=1000, threads=1, store="memory", **sides):
    row = {"store": store, "sessions": sessions, "request": request, "threads": threads, "ours": {"us": ours, "cpu": ours},
           "floor": {"us": floor, "cpu": floor}, **sides}
    return {"requests" if store == "memory" else "stores": {**WHERE, "rows": [row], "not_measured": {}}}


class Page(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)

    def text(self, results):
        page.write(results, self.root)
        return (self.root / page.PAGE).read_text()

    def test_EachQuestionHasItsPlaceWhetherItWasAskedOrNot(self):
        text = self.text({})
        for name in questions.ALL:
            self.assertIn(page.heading_of(name), text)
        self.assertEqual(text.count("not measured: this: not asked yet"), len(questions.ALL))

    def test_AnAnswerSaysWhenWhereAndHow(self):
        text = self.text(http(1.04))
        for fact in ("2026-01-02", "a machine, 2 cores", "`bench/run http`", "wrk 4.1.0", "| **1.04** |", "performance/http.svg"):
            self.assertIn(fact, text)

    def test_FewTurnsAreARehearsal(self):
        self.assertNotIn("**a rehearsal**", self.text(http(1.04)))
        text = self.text(http(1.04, turns=8))
        self.assertIn("**a rehearsal**", text)
        self.assertIn("yes (rehearsal)", text)

    def test_WhatWasNotMeasuredIsSaidWithTheReason(self):
        self.assertIn("- not measured: Beaker: beaker not installed", self.text(http(1, not_measured={"Beaker": "beaker not installed"})))

    def test_APageOrAPictureThatIsEditedByHandIsNoticed(self):
        results = http(1.04)
        text = self.text(results)
        self.assertEqual(page.differences(results, self.root), [])
        (self.root / page.PAGE).write_text(text.replace("**1.04**", "**1.00**"))
        self.assertEqual(page.differences(results, self.root), [page.PAGE])
        page.write(results, self.root)
        picture = self.root / "docs/performance/http.svg"
        picture.write_text(picture.read_text().replace("10.4", "10.0"))
        self.assertEqual(page.differences(results, self.root), ["docs/performance/http.svg"])

    def test_APictureThatNoResultMadeIsNoticed(self):
        results = http(1.04)
        self.text(results)
        (self.root / "docs/performance/else.svg").write_text("<svg/>")
        self.assertEqual(page.differences(results, self.root), ["docs/performance/else.svg"])


class Goals(unittest.TestCase):
    def judged(self, judge, results):
        return judge(results)[1]

    def test_WhatWasNotMeasuredReachesNothing(self):
        for _, _, _, judge in goals.GOALS:
            self.assertEqual(judge({}), (goals.NOT_MEASURED, None))

    def test_WhyAGoalIsNotReachedIsSaidOnlyThen(self):
        why = goals.REASONS[goals.read_small]
        self.assertIn(why, goals.table(micro(0.28, 0.07)))
        self.assertNotIn(why, goals.table(micro(0.26, 0.07)))
        self.assertNotIn(why, goals.table({}))

    def test_AServerMayCostFivePercentMoreForAReadAndTenForAWrite(self):
        for ratio, path, kept in ((1.05, "read", True), (1.06, "read", False), (1.1, "write", True), (1.11, "write", False)):
            self.assertEqual(self.judged(goals.http(path, {"read": 1.05, "write": 1.1}[path]), http(ratio, path)), kept)

    def test_AReadMayCostTwoHundredNanosecondsOfASmallTable(self):
        self.assertTrue(self.judged(goals.read_small, micro(0.26, 0.07)))
        self.assertFalse(self.judged(goals.read_small, micro(0.28, 0.07)))

    def test_AReadOfALargeTableMayCostNothing(self):
        self.assertTrue(self.judged(goals.read_large, micro(0.60, 0.60, sessions=100_000)))
        self.assertFalse(self.judged(goals.read_large, micro(0.61, 0.60, sessions=100_000)))

    def test_TwoThreadsAreHeldAgainstWhatSharesNothing(self):
        for ratio, kept in ((0.95, True), (0.94, False)):
            results = micro(1, 1)
            results["requests"]["two_threads"] = [{"sessions": 1_000, "shared": 1.9, "apart": 2.0, "ratio": ratio}]
            self.assertEqual(self.judged(goals.two_threads, results), kept)
        self.assertIsNone(self.judged(goals.two_threads, micro(1, 1)))

    def test_AWriteAndALoginHaveTheirs(self):
        self.assertFalse(self.judged(goals.write_memory, micro(2.6, 1, "write")))
        for judge, other, request in ((goals.log_in, goals.log_in_in_place, "log_in"), (goals.log_in_in_place, goals.log_in, "log_in_in_place")):
            for us, kept in ((2.2, True), (2.4, False)):
                results = {**micro(us, 1, request), "parts": {**WHERE, "rows": [{"part": "chance", "ns": 300}], "not_measured": {}}}
                self.assertEqual(self.judged(judge, results), kept)
                self.assertIsNone(self.judged(other, results))
            self.assertIsNone(self.judged(judge, micro(1, 1, request)))

    def test_AStoreOfTenMillionIsHeldToItsBytesAndItsPauses(self):
        for judge, row, limit in ((goals.bytes_a_session, {"what": "bytes", "side": "anonymous", "bytes": 0}, 300),
                                  (goals.sweep_pause, {"what": "sweep", "longest_ns": 0}, 1_000_000)):
            question, figure = ("scale", "bytes") if judge is goals.bytes_a_session else ("sweeps", "longest_ns")
            for value, kept in ((limit, True), (limit + 1, False)):
                results = {question: {**WHERE, "rows": [{**row, "sessions": 10_000_000, figure: value}], "not_measured": {}}}
                self.assertEqual(self.judged(judge, results), kept)

    def test_AnEmbeddedStoreMayCostFifteenPercentMoreAndLmdbHalfAMicrosecond(self):
        read, write = goals.embedded("sqlite", "read"), goals.embedded("sqlite", "write")
        self.assertTrue(self.judged(read, micro(11.5, 10, store="sqlite-full")))
        self.assertFalse(self.judged(read, micro(11.6, 10, store="sqlite-full")))
        self.assertFalse(self.judged(write, micro(11.6, 10, "write", store="sqlite-normal")))
        self.assertIsNone(self.judged(write, micro(11.6, 10, store="sqlite-normal")))
        lmdb = goals.embedded("lmdb", "read", 0.5)
        self.assertTrue(self.judged(lmdb, micro(1.6, 1, store="lmdb-full")))
        self.assertFalse(self.judged(lmdb, micro(1.7, 1, store="lmdb-full")))
        self.assertIsNone(self.judged(lmdb, micro(1.7, 1, store="sqlite-full")))


SCALE = """\
{"what": "load", "sessions": 1000, "ours_ns": 150, "floor_ns": 70, "ratio": 2.1, "turns": 15}
{"what": "bytes", "sessions": 100000, "side": "anonymous", "bytes": 290}
{"what": "growth", "sessions": 100000, "side": "ours", "calls": 100000, "mean_ns": 9, "longest_ns": 7000000, "histogram_ns": {}}
{"what": "scaling", "sessions": 1000, "clock": "cpu", "ours": 1.9, "nothing_shared": 2.0, "ratio": 0.95, "turns": 15}
{"what": "sweep", "sessions": 1000, "removed": 100, "ns_each": 80, "calls": 4, "mean_ns": 9, "longest_ns": 20000, "histogram_ns": {"8192": 3, "16384": 1}}
"""


class Reading(unittest.TestCase):
    def test_WhatTheStoreSaysOfItsScaleIsShown(self):
        rows = scale_program.lines_of("a warning\n" + SCALE)
        text = scale.table({"rows": rows})
        for cell in ("| 1,000 | load | 150 | 70 | **2.10** |", "| 100,000 | – | 290 | – |", "| 100,000 | 7.00 | – |", "| 1,000 | CPU time | 1.90 | 2.00 | **0.95** |"):
            self.assertIn(cell, text)
        self.assertIn("<polyline", scale.picture({"rows": rows}))
        swept = {"rows": rows[-1:]}
        self.assertIn("| 1,000 | 100 | 80 | **0.020** |", sweeps.table(swept))
        self.assertIn("4.1 µs to 8.19 µs", sweeps.picture(swept))

    def test_PipelinesAreReadAsTheirProgramsSayThem(self):
        said = "load      ours   5.10 us (CPU  2.50)   by hand   4.90 us (CPU  1.20)   throughput, ours to by hand: 0.96\n"
        self.assertEqual(list(pipelines.read("some noise\n" + said)),
                         [{"call": "load", "ours": {"us": 5.1, "cpu": 2.5}, "floor": {"us": 4.9, "cpu": 1.2}, "ratio": 0.96}])

    def test_WhatIsMissingIsSaidWithWhatInstallsIt(self):
        wanted = [needs.Program("no-such-program", "a-package"), needs.Module("no_such_module", "b-package"), needs.FromNpm("no-such"),
                  needs.Program("sh", "dash")]
        self.assertEqual(needs.instructions(wanted), ["apt-get install --no-install-recommends a-package b-package", "npm ci --prefix bench/peers"])
        self.assertEqual(needs.reason(wanted[:1]), "no-such-program not installed")
        self.assertIsNone(needs.reason(wanted[3:]))


class Pictures(unittest.TestCase):
    def test_PicturesAreWellFormedAndReadOnDarkPaperToo(self):
        for picture in (svg.bars("a < b & c", ["x"], [("one", [1.5]), ("none", [None])], goal=1),
                        svg.lines("scale", "sessions", "ns", {"ours": [(1000, 70), (1e7, 1200)], "floor": [(1000, 60), (1e7, 1100)]})):
            xml.etree.ElementTree.fromstring(picture)
            self.assertIn("prefers-color-scheme: dark", picture)

    def test_ABarIsAsLongAsItsValue(self):
        picture = xml.etree.ElementTree.fromstring(svg.bars("t", ["x"], [("a", [1]), ("b", [2])]))
        widths = [float(r.get("width")) for r in picture.iter("{http://www.w3.org/2000/svg}rect") if r.get("height") == "11" and r.get("x") != "12"]
        self.assertEqual(len(widths), 2)
        self.assertAlmostEqual(widths[1] / widths[0], 2, places=2)


if __name__ == "__main__":
    unittest.main()
