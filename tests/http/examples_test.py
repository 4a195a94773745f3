"""The example of an adapter logs in and out.

    examples_test.py NAME PROGRAM [FRONT]
"""

import os
import pathlib
import re
import sys
import tempfile
import unittest

from client import Visitor
from server import FRONTS, Process

NAME, PROGRAM, FRONT = sys.argv[1], os.path.abspath(sys.argv[2]), (sys.argv[3:] or ["direct"])[0]


class Alone:
    """A program whose argument is the port."""

    def __init__(self, program, _, directory):
        self.process = Process([*program, "0"], directory / "log")
        self.port = self.process.port()

    def stop(self):
        return self.process.stop()


class Example(unittest.TestCase):
    def setUp(self):
        home = tempfile.TemporaryDirectory(prefix="sancho-example-")
        self.addCleanup(home.cleanup)
        before = os.getcwd()
        os.chdir(home.name)  # its store lies where it is started
        self.addCleanup(os.chdir, before)
        self.server = (Alone if FRONT == "direct" else FRONTS[FRONT])([PROGRAM], [], pathlib.Path(home.name))
        self.addCleanup(self.server.stop)
        self.visitor = Visitor(self.server.port)
        self.addCleanup(self.visitor.close)

    def page(self):
        return self.visitor.ask("GET", "/").body

    def submit(self, page, **fields):
        action, token = re.search(r'action="([^"]*)"><input type="hidden" name="token" value="([^"]+)"', page).groups()
        body = "&".join(f"{name}={value}" for name, value in {"token": token, **fields}.items())
        return self.visitor.ask("POST", action if action.startswith("/") else "/" + action, body=body)

    @unittest.skipIf(NAME == "beast_blocking", "it only counts")
    def test_ItLogsInCountsAndLogsOut(self):
        page = self.page()
        self.assertNotIn("Hello, ada", page)
        self.assertEqual(self.visitor.ask("POST", "/login" if 'action="/login"' in page else "/?login", body="name=ada&token=none").status, 403)
        self.assertEqual(self.submit(page, name="ada").status, 303)
        for visits in range(1, 4):
            page = self.page()
            self.assertIn("Hello, ada", page)
            self.assertIn(f"Visits: {visits}", page)
        self.assertEqual(self.submit(page).status, 303)
        self.assertNotIn("Hello, ada", self.page())

    @unittest.skipUnless(NAME == "beast_blocking", "it logs in too")
    def test_ItCounts(self):
        for visits in range(1, 4):
            self.assertEqual(self.page(), f"Visit number {visits}\n")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
