"""Runs the suite against one adapter's program.

    run.py NAME PROGRAM [--front direct|cgi|fastcgi] [--without CAPABILITY ...] [--pages N]
           [--pace N] [--only TEXT]

NAME is the adapter's, for the results. `--only` takes the facts whose names have
TEXT in them. What is found is written as lines of JSON to http.jsonl in the
directory that SANCHO_RESULTS names, for scripts/adapter_table.
"""

import argparse
import json
import os
import sys
import time
import unittest

import facts_cookies
import facts_failures
import facts_sessions
import facts_together
import facts_transport
from fact import Fact
from server import FRONTS, Site

MODULES = (facts_cookies, facts_sessions, facts_failures, facts_together, facts_transport)


def facts(only=""):
    """All tests of the suite, in the order in which they stand."""
    loader = unittest.TestLoader()
    loader.sortTestMethodsUsing = None
    found = []
    for module in MODULES:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Fact) and value is not Fact:
                names = [name for name in vars(value) if name.startswith("test_")]
                found += [value(name) for name in names if only in name]
    return found


def name_of(test):
    return test.id().rpartition(".test_")[2].replace("_", " ")


class Sites:
    """The servers that run, by their options; each is started when it is first asked for."""

    def __init__(self, front, program):
        self.front, self.program, self.running, self.failed = front, program, {}, False

    def __call__(self, options):
        if self.failed:
            raise RuntimeError("a server did not start before")
        if options not in self.running:
            self.failed = True
            self.running[options] = Site(self.front, self.program, options)
            self.failed = False
        return self.running[options]

    def stop(self):
        """The exit codes that are not what they should be."""
        codes = {options: site.stop() for options, site in self.running.items()}
        self.running = {}
        return {options: code for options, code in codes.items() if code != 0}


class Found(unittest.TestResult):
    """Prints as it goes, and remembers."""

    def __init__(self):
        super().__init__()
        self.outcomes = {}

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        name = name_of(test)
        said = {**dict((id(t), ("broken", text)) for t, text in self.failures + self.errors), **dict((id(t), ("skipped", why)) for t, why in self.skipped)}
        outcome, text = said.get(id(test), ("kept", ""))
        self.outcomes[name] = outcome
        print(f"{outcome:8}{time.monotonic() - self.began:6.2f} s  {name}" + (f"\n{text}" if text else ""), flush=True)

    def addSubTest(self, *_):
        raise AssertionError("facts have no parts")


def play(front, program, without=(), pages=1000, pace=1, only=""):
    """name -> kept, skipped or broken."""
    sites = Sites(front, program)
    Fact.SITES, Fact.WITHOUT, Fact.PAGES, Fact.PACE = sites, frozenset(without), pages, pace
    found = Found()
    suite = unittest.TestSuite(facts(only))
    try:
        suite.run(found)
    finally:
        wrong = sites.stop()
    for name, text in [(str(test), text) for test, text in found.errors if not hasattr(test, "_testMethodName")]:
        print(f"broken  {name}\n{text}")  # a server that did not start
        found.outcomes[name] = "broken"
    if wrong:
        print(f"broken  servers ended with {wrong}")
        found.outcomes["the server ends well when it is told to"] = "broken"
    return found.outcomes


def append(adapter, outcomes, seconds):
    directory = os.environ.get("SANCHO_RESULTS")
    if not directory:
        return
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "http.jsonl"), "a") as file:
        for fact, outcome in outcomes.items():
            file.write(json.dumps({"what": "http", "adapter": adapter, "fact": fact, "outcome": outcome}) + "\n")
        file.write(json.dumps({"what": "http run", "adapter": adapter, "seconds": round(seconds, 1)}) + "\n")


def main(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("program", nargs="+")
    parser.add_argument("--front", choices=FRONTS, default="direct")
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--pace", type=int, default=1)
    parser.add_argument("--only", default="")
    options = parser.parse_args(words)
    began = time.monotonic()
    outcomes = play(options.front, options.program, options.without, options.pages, options.pace, options.only)
    seconds = time.monotonic() - began
    append(options.name, outcomes, seconds)
    broken = [name for name, outcome in outcomes.items() if outcome == "broken"]
    print(f"{options.name}: {len(outcomes)} facts in {seconds:.1f} s, {len(broken)} broken")
    return 1 if broken or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
