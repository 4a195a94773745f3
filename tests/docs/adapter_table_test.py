"""The table of adapters says what the results say, and says so when it does not.

    adapter_table_test.py SCRIPT
"""

import importlib.machinery
import importlib.util
import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("adapter_table", sys.argv.pop(1))
script = importlib.util.module_from_spec(importlib.util.spec_from_loader("adapter_table", loader))
loader.exec_module(script)


def fact(name, outcome="kept", adapter="httplib"):
    return {"what": "http", "adapter": adapter, "fact": name, "outcome": outcome}


class AdapterTable(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        (self.root / "docs/adapters").mkdir(parents=True)
        (self.root / "found").mkdir()
        (self.root / script.PAGE).write_text(f"# Adapters\n\n{script.BEGIN}\n{script.END}\n\nThe end.\n")

    def page(self, *lines):
        (self.root / "found/http.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
        self.assertEqual(script.main(["collect", str(self.root / "found")], self.root), 0)
        self.assertEqual(script.main(["write"], self.root), 0)
        return (self.root / script.PAGE).read_text()

    def test_EachFactIsARowAndEachAdapterAColumn(self):
        page = self.page(fact("ids last"), fact("forms work once", "skipped"), fact("ids last", "broken", "cgi"))
        self.assertIn("| fact | [`cgi`](cgi.md) | [`httplib`](httplib.md) |", page)
        self.assertIn("| ids last | **no** | yes |", page)
        self.assertIn("| forms work once | not tried | – |", page)

    def test_AnAdaptersCoroutinesHaveAColumnAndNoPageOfTheirOwn(self):
        self.assertIn("| [`httplib_async`](httplib.md) |", self.page(fact("ids last", adapter="httplib_async")))

    def test_OfSeveralRunsTheWorstCounts(self):
        self.assertIn("| ids last | **no** |", self.page(fact("ids last"), fact("ids last", "broken"), fact("ids last")))

    def test_NewResultsReplaceTheAdaptersOlderOnes(self):
        self.page(fact("ids last", "broken"), fact("forms work once"), fact("ids last", adapter="cgi"))
        page = self.page(fact("ids last"))
        self.assertIn("| ids last | yes | yes |", page)
        self.assertNotIn("forms work once", page)

    def test_WhatIsEditedByHandIsNoticed(self):
        page = self.page(fact("ids last", "broken"))
        self.assertEqual(script.main(["check"], self.root), 0)
        (self.root / script.PAGE).write_text(page.replace("**no**", "yes"))
        self.assertEqual(script.main(["check"], self.root), 1)
        self.assertTrue(page.endswith("The end.\n"))

    def test_APageWithoutMarksIsAnError(self):
        (self.root / script.PAGE).write_text("# Adapters\n")
        with self.assertRaises(ValueError):
            script.main(["check"], self.root)


if __name__ == "__main__":
    unittest.main()
