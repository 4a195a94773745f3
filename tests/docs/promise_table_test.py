"""The table of promises says what the results say, and says so when it does not.

    promise_table_test.py SCRIPT
"""

import importlib.machinery
import importlib.util
import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("promise_table", sys.argv.pop(1))
script = importlib.util.module_from_spec(importlib.util.spec_from_loader("promise_table", loader))
loader.exec_module(script)

RACE = {"what": "race", "store": "sqlite", "race": "T1", "where": "SqliteThreads", "rounds": 1000, "overlapped": 990, "violations": 0}
FAULT = {"what": "fault", "store": "sqlite", "fault": "clients_killed", "faults": 5, "requests": 1300, "anomalies": {}, "kept": True}


def report(*tests, suite="Sqlite"):
    return {"testsuites": [{"name": suite, "testsuite": list(tests)}]}


class PromiseTable(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        (self.root / "docs/stores").mkdir(parents=True)
        (self.root / "found").mkdir()
        (self.root / script.PAGE).write_text(f"# Stores\n\n{script.BEGIN}\n{script.END}\n\nThe end.\n")

    def found(self, name, *lines):
        (self.root / "found" / name).write_text("\n".join(json.dumps(line) for line in lines))

    def page(self):
        self.assertEqual(script.main(["collect", str(self.root / "found")], self.root), 0)
        self.assertEqual(script.main(["write"], self.root), 0)
        return (self.root / script.PAGE).read_text()

    def row(self, store="sqlite"):
        line = next(line for line in self.page().splitlines() if line.startswith(f"| `{store}`"))
        return [cell.strip() for cell in line.split("|")[1:-1]]

    def test_EachPromiseHasAColumn(self):
        self.found("races.jsonl", RACE)
        head = next(line for line in self.page().splitlines() if line.startswith("| store"))
        self.assertEqual([cell.split()[0] for cell in head.split("|")[3:-1]], list(script.PROMISES))
        self.assertEqual(len(self.row()), 2 + len(script.PROMISES))

    def test_RoundsAddUp(self):
        self.found("races.jsonl", RACE, {**RACE, "where": "SqliteProcesses"}, {**RACE, "race": "T2"})
        self.assertEqual(self.row()[2], "3,000 rounds")

    def test_ABrokenRoundIsShown(self):
        self.found("races.jsonl", {**RACE, "violations": 2})
        self.assertEqual(self.row()[2], "1,000 rounds, **2 broken**")

    def test_FaultsCountForEachPromiseThatHeld(self):
        self.found("faults.jsonl", FAULT, {**FAULT, "anomalies": {"revived-sessions": 3}, "fault": "master_killed"})
        self.assertEqual(self.row()[2:4], ["10 faults", "5 faults; not after master killed"])
        self.assertIn("permitted: 3 revived sessions", self.page())

    def test_AnAnomalyThatNobodyPermitsIsShown(self):
        self.found("faults.jsonl", {**FAULT, "anomalies": {"wrong-user": 1}, "kept": False})
        self.assertIn("**broken**: clients killed", self.row())

    def test_FactsOfTheContractAreCounted(self):
        well, skipped = {"name": script.A_FACT, "result": "COMPLETED"}, {"name": "Other", "result": "SKIPPED"}
        broken = {"name": "Third", "result": "COMPLETED", "failures": [{"failure": "it does"}]}
        self.found("suite.json", report(well, skipped, broken))
        self.found("other.json", report({"name": "Else", "result": "COMPLETED"}, suite="SqliteOpen"))
        self.assertEqual(self.row()[1], "1, **1 broken**")

    def test_NewResultsReplaceOlderOnesOfTheSame(self):
        self.found("races.jsonl", RACE)
        self.page()
        self.found("races.jsonl", {**RACE, "rounds": 70}, {**RACE, "race": "T5", "rounds": 9})
        self.assertEqual((self.row()[2], self.row()[4]), ("70 rounds", "9 rounds"))

    def test_WhatIsEditedByHandIsNoticed(self):
        self.found("races.jsonl", RACE)
        page = self.page()
        self.assertEqual(script.main(["check"], self.root), 0)
        (self.root / script.PAGE).write_text(page.replace("1,000 rounds", "1,000,000 rounds"))
        self.assertEqual(script.main(["check"], self.root), 1)
        self.assertTrue(page.endswith("The end.\n"))

    def test_APageWithoutMarksIsAnError(self):
        (self.root / script.PAGE).write_text("# Stores\n")
        with self.assertRaises(ValueError):
            script.main(["check"], self.root)

    def test_EveryAnomalyOfTheCheckerIsOfAPromiseOrIsTrouble(self):
        sys.path.append(str(script.ROOT / "tests/history"))
        import rules
        trouble = {"strange-trouble", "trouble-without-a-fault", "late-calls", "no-recovery", "unread-at-the-end", "proves-nothing"}
        self.assertEqual(set(rules.ANOMALIES), set(script.OF_ANOMALY) | trouble)


if __name__ == "__main__":
    unittest.main()
