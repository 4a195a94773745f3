"""What all the suite's tests begin with."""

import functools
import unittest

from client import Connection, Visitor


def needs(*capabilities):
    """A fact that means nothing where the server in front lacks one of these."""
    def mark(test):
        @functools.wraps(test)
        def run(self):
            for missing in self.WITHOUT.intersection(capabilities):
                self.skipTest(f"without {missing.replace('_', ' ')}")
            return test(self)
        return run
    return mark


class Fact(unittest.TestCase):
    # Set by run.py.
    SITES = None          # options -> a server that is running
    WITHOUT = frozenset()
    PAGES = 1000          # how many pages a long session has
    PACE = 1              # how much longer requests take than where a program waits for them
    OPTIONS = ()          # of the server

    @classmethod
    def setUpClass(cls):
        cls.site = cls.SITES(cls.OPTIONS)
        cls.port = cls.site.port

    def ask(self, *words, **more):
        """On a connection of its own."""
        with Connection(self.port) as connection:
            return connection.ask(*words, **more)

    def visitor(self):
        visitor = Visitor(self.port)
        self.addCleanup(visitor.close)
        return visitor

    def logged_in(self, name="ada"):
        visitor = self.visitor()
        reply = visitor.ask("POST", "/login", body=f"name={name}")
        self.assertEqual(reply.status, 303, reply)
        self.assertIsNotNone(visitor.id, reply)
        return visitor

    def look(self, line=None):
        return self.ask("GET", "/look", *([line] if line else [])).body

    def assertNoCookie(self, reply):
        self.assertEqual(reply.all("Set-Cookie"), [], reply)

    def sessions(self):
        return int(self.ask("GET", "/sessions").body)
