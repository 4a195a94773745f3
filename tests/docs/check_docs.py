"""Checks what the Markdown files at the root and under docs/ claim.

    check_docs.py ROOT BUILD [--ctest PROGRAM] [BINARY ...]

  - A test that is named exists: `Suite.Name` in code quotes anywhere, and any
    quoted name behind `tests:`. `Suite.*` names a suite that has tests.
  - A relative link leads to a file.
  - No path of somebody's machine.

The tests are those of `ctest` in BUILD, those of the GoogleTest programs that
it runs, and those of the BINARIES given. Prints `file:line: what is wrong`, one
a line; exits with 1 if there is any.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

QUOTED = re.compile(r"`([^`\n]+)`")
# `Suite.Name`, as GoogleTest writes it. `SomeClass.member_function` is none.
TEST = re.compile(r"^(?:\w+/)?[A-Z]\w*(?:/\w+)?\.(?:[A-Z]\w*(?:/\w+)?|\*)$")
FILE_NAME = re.compile(r"\.(md|txt|cmake|hpp|cpp|py|sh|json|yml|html|css|js|mjs|pc|db)$", re.I)
AFTER_TESTS = re.compile(r"\btests?:(.*)$", re.I)
MACHINE = re.compile(r"(?<![\w.])/(?:home|root|work|Users|mnt)/[\w.]|[A-Z]:\\\\?[A-Za-z]")
LINK = re.compile(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")


def plain(name):
    """A test's name without instantiation and parameters: A/Suite/0.Name/3 is Suite.Name."""
    suite, dot, test = name.partition(".")
    if not dot:
        return name
    parts = [p for p in suite.split("/") if not p.isdigit()]
    return f"{parts[-1]}.{test.split('/')[0]}"


def names_in(listing):
    """The names in what `--gtest_list_tests` printed."""
    suite = ""
    for line in listing.splitlines():
        word = line.split("#")[0].strip()
        if line.startswith("  ") and word:
            yield suite + word
        elif word.endswith("."):
            suite = word


def of_program(path):
    listing = subprocess.run([path, "--gtest_list_tests"], capture_output=True, text=True, timeout=60, check=True)
    return set(names_in(listing.stdout))


def is_google_test(path):
    path = pathlib.Path(path)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF" and b"gtest_" in file.read()


def of_build(build, ctest):
    """All tests that ctest knows, and all that the programs in its commands know: a wrapper may stand before one."""
    shown = subprocess.run([ctest, "--test-dir", build, "--show-only=json-v1"], capture_output=True, text=True, check=True)
    tests = json.loads(shown.stdout)["tests"]
    known = {t["name"] for t in tests}
    for program in sorted({word for t in tests for word in t.get("command", ())}):
        if is_google_test(program):
            known |= of_program(program)
    return known


def check(root, known):
    root = pathlib.Path(root)
    plain_names = {plain(n) for n in known} | set(known)
    suites = {n.partition(".")[0] for n in plain_names if "." in n}

    def exists(name):
        if name.endswith(".*"):
            return plain(name).partition(".")[0] in suites
        return name in plain_names or plain(name) in plain_names

    wrong = []
    for path in sorted([*root.glob("*.md"), *root.glob("docs/**/*.md")]):
        fenced = False
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            place = f"{path.relative_to(root).as_posix()}:{number}"
            if line.lstrip().startswith("```"):
                fenced = not fenced
            claims = {q for q in QUOTED.findall(line) if TEST.match(q) and not FILE_NAME.search(q)}
            behind = AFTER_TESTS.search(line)
            if behind:
                claims |= set(QUOTED.findall(behind.group(1)))
            if not fenced:
                wrong += [f"{place}: there is no test {c}" for c in sorted(claims) if not exists(c)]
                for target in LINK.findall(line):
                    file = target.partition("#")[0]
                    if file and "://" not in target and not target.startswith("mailto:") and not (path.parent / file).exists():
                        wrong.append(f"{place}: {target} leads nowhere")
            if MACHINE.search(line):
                wrong.append(f"{place}: a path of somebody's machine: {MACHINE.search(line).group(0)}")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("build")
    parser.add_argument("--ctest", default="ctest")
    parser.add_argument("binaries", nargs="*")
    arguments = parser.parse_args()
    known = of_build(arguments.build, arguments.ctest)
    for binary in arguments.binaries:
        known |= of_program(binary)
    wrong = check(arguments.root, known)
    print("\n".join(wrong) if wrong else f"every claim holds ({len(known)} tests known)")
    return 1 if wrong or not known else 0


if __name__ == "__main__":
    sys.exit(main())
