#!/usr/bin/env python3
"""Runs a GoogleTest program in several processes at once, each with its share of the tests.

    side_by_side.py N -- PROGRAM [ARGUMENT ...]

For tests that wait more than they work, and are in nobody's way. Prints what each
process printed, one after the other, and ends with the status of one that failed.
Where GTEST_OUTPUT asks for json:DIRECTORY/, one report of all goes there.
"""

import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

from process import die_with  # noqa: E402

REPORT = "json:"


def merged(reports):
    """One report: its suites have the tests of all."""
    whole, suites = reports[0], {}
    for report in reports:
        for suite in report["testsuites"]:
            suites.setdefault(suite["name"], {**suite, "testsuite": []})["testsuite"] += suite["testsuite"]
    return {**whole, "tests": sum(report["tests"] for report in reports), "failures": sum(report["failures"] for report in reports),
            "testsuites": list(suites.values())}


def write_report(report, directory, program):
    os.makedirs(directory, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=directory, prefix=os.path.basename(program) + "-", suffix=".json", delete=False) as file:
        json.dump(report, file)


def run(count, command, reports):
    """The status of all processes together."""
    shares = []
    for number in range(count):
        environment = {**os.environ, "GTEST_TOTAL_SHARDS": str(count), "GTEST_SHARD_INDEX": str(number),
                       "GTEST_OUTPUT": f"{REPORT}{reports}/{number}.json"}
        printed = tempfile.TemporaryFile()
        child = subprocess.Popen(command, env=environment, stdout=printed, stderr=subprocess.STDOUT, preexec_fn=die_with(os.getpid()))
        shares.append((child, printed))
    status = 0
    for child, printed in shares:
        status = child.wait() or status
        printed.seek(0)
        sys.stdout.buffer.write(printed.read())
        sys.stdout.buffer.flush()
    return status if status >= 0 else 128 - status


def main(words):
    if len(words) < 3 or words[1] != "--" or not words[0].isdigit() or int(words[0]) == 0:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    count, command = int(words[0]), words[2:]
    wanted = os.environ.get("GTEST_OUTPUT", "")
    with tempfile.TemporaryDirectory() as reports:
        status = run(count, command, reports)
        files = [os.path.join(reports, name) for name in sorted(os.listdir(reports))]
        if wanted.startswith(REPORT) and wanted.endswith("/") and len(files) == count:
            texts = [open(file, encoding="utf-8").read() for file in files]
            write_report(merged([json.loads(text) for text in texts]), wanted[len(REPORT):], command[0])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
