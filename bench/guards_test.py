"""The guards find what they are for.

    guards_test.py BUILD
"""

import copy
import io
import json
import pathlib
import sys
import unittest
from contextlib import redirect_stdout

import guards

BUILD = json.loads((pathlib.Path(sys.argv.pop(1)) / "bench" / "guards_build.json").read_text())

CALLGRIND = """\
ob=/build/program
fl=/source.cpp
fn=hot_requests
10 100
cob=/lib/libc.so
cfn=malloc
calls=3 0
11 70
12 5
fn=sancho::read()
20 1000
ob=/lib/libc.so
fn=malloc
0 70
"""


class Reading(unittest.TestCase):
    def test_WhatAFunctionCallsIsNotItsOwn(self):
        self.assertEqual(guards.by_function(CALLGRIND), {("/build/program", "hot_requests"): 105,
                                                        ("/build/program", "sancho::read()"): 1000, ("/lib/libc.so", "malloc"): 70})


class Comparing(unittest.TestCase):
    def test_MoreThanFivePercentIsWrongAndFiveAreNot(self):
        self.assertTrue(guards.compare_instructions({"read": 1051}, {"read": 1000})[0])
        self.assertFalse(guards.compare_instructions({"read": 1050}, {"read": 1000})[0])

    def test_APathThatIsNotCountedIsWrong(self):
        self.assertTrue(guards.compare_instructions({}, {"read": 1000})[0])
        self.assertTrue(guards.compare_instructions({"read": 1000, "write": 7}, {"read": 1000})[0])

    def test_AnotherCompilerIsNotCompared(self):
        with self.assertRaises(guards.CannotBeHad):
            guards.same_environment({"compiler": "GNU 13.1.0"}, {"compiler": "GNU 12.2.0"})


class Holding(unittest.TestCase):
    """The programs that were built, against accepted numbers that were tampered with."""

    def setUp(self):
        self.baseline = json.loads(guards.BASELINE.read_text())
        try:
            guards.same_environment(guards.environment(BUILD), self.baseline["environment"])
        except guards.CannotBeHad as reason:
            self.skipTest(str(reason))

    def status(self, guard, baseline):
        said = io.StringIO()
        with redirect_stdout(said):
            return guards.hold(guard, BUILD, baseline), said.getvalue()

    def test_InstructionsThatGrewAreFoundOut(self):
        now = guards.count_instructions(BUILD)
        self.assertEqual(set(now), set(self.baseline["instructions"]))
        for path, count in now.items():
            wrong, _ = guards.compare_instructions(now, {**now, path: int(count * 0.94)})
            self.assertEqual([line.split(":")[0] for line in wrong], [path])

    def test_ThenTheTestFailsAndSaysHowToAcceptIt(self):
        tampered = copy.deepcopy(self.baseline)
        tampered["instructions"]["read"] //= 2
        status, said = self.status("instructions", tampered)
        self.assertEqual(status, 1)
        self.assertIn("WRONG: read", said)
        self.assertIn("--accept", said)

    def test_ACallOfTheStoreMoreOrLessIsFoundOut(self):
        for change in (1, -1):
            tampered = copy.deepcopy(self.baseline)
            tampered["counts"]["write"]["calls"]["load"] += change
            status, said = self.status("counts", tampered)
            self.assertEqual(status, 1)
            self.assertIn("WRONG: write", said)

    def test_AnAllocationMoreOrLessIsFoundOut(self):
        for change in (1, -1):
            tampered = copy.deepcopy(self.baseline)
            tampered["counts"]["read"]["allocations"] += change
            self.assertEqual(self.status("counts", tampered)[0], 1)

    def test_CountsThatAreAsAcceptedPass(self):
        self.assertEqual(self.status("counts", self.baseline)[0], 0)

    def test_AnotherCompilersNumbersAreSkipped(self):
        other = {**self.baseline, "environment": {**self.baseline["environment"], "compiler": "Clang 16.0.6"}}
        self.assertEqual(self.status("instructions", other)[0], guards.SKIPPED)
        self.assertEqual(self.status("counts", other)[0], guards.SKIPPED)


if __name__ == "__main__":
    unittest.main()
