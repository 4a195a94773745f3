"""Reads the include lines of the tree and says which point the wrong way.

    check_arrows.py ROOT

Prints `file:line: what is wrong`, one a line; exits with 1 if there is any.
Rules about what a folder *reaches* follow the includes of our own files, so a
helper header is no way around them.
"""

import pathlib
import re
import sys

from rules import (ANNOUNCED, ANY_FRAMEWORK, COROUTINE_SIDE, COROUTINE_STORE, COROUTINE_STORE_SIDE, COROUTINES, DECORATOR_SIDE,
                   FRAMEWORKS, INPUT_OUTPUT, NO_CLOCK, NO_OWN_CHANCE, NOT_QUIET, OUTSIDE_THE_CORE, QUIET, ROOMS, SOCKETS, STANDARD,
                   STORE_SIDE, TEST_FRAMEWORK, UNSHOWN)

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def blank(text, strings):
    """The text without comments (and strings), every line where it was."""
    def keep_lines(match):
        whole = match.group(0)
        if whole.startswith("/"):
            return "\n" * whole.count("\n")
        return '""' + "\n" * whole.count("\n") if strings else whole
    return TOKEN.sub(keep_lines, text)


class File:
    def __init__(self, root, path):
        self.root = root
        self.name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        code = blank(text, strings=False)
        # (line, how it is quoted, what is included)
        self.includes = [(line_of(code, m.start()), m.group(1), m.group(2)) for m in INCLUDE.finditer(code)]
        self.words = INCLUDE.sub("", blank(text, strings=True))

    def under(self, *folders):
        return any(self.name.startswith(f + "/") for f in folders)

    def resolve(self, quote, target):
        """The name in the tree of an included file of ours, or None."""
        here = (self.root / self.name).parent
        places = [self.root / "include", self.root / "src"]
        for place in ([here] if quote == '"' else []) + places:
            path = (place / target).resolve()
            if path.is_file() and path.is_relative_to(self.root):
                return path.relative_to(self.root).as_posix()
        return None


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


class House:
    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        paths = [p for folder in ("include", "src", "adapters") for p in sorted((self.root / folder).rglob("*"))]
        self.files = {f.name: f for f in (File(self.root, p) for p in paths if p.suffix in (".hpp", ".cpp", ".h"))}
        self.wrong = []

    def say(self, file, line, what):
        self.wrong.append(f"{file.name}:{line}: {what}")

    def reached(self, file, seen=None):
        """Names of all files of ours that this one includes, directly or not."""
        seen = set() if seen is None else seen
        for _, quote, target in file.includes:
            name = file.resolve(quote, target)
            if name in self.files and name not in seen:
                seen.add(name)
                self.reached(self.files[name], seen)
        return seen

    def words(self, file, table):
        for pattern, what in table:
            for match in pattern.finditer(file.words):
                self.say(file, line_of(file.words, match.start()), f"`{match.group(0)}`: {what}")

    def check(self):
        for file in self.files.values():
            suite = file.under("src/conformance") or file.name == "include/sancho/conformance.hpp"
            if file.under("include"):
                self.public_header(file, suite)
            elif file.under("src/stores"):
                self.contract_only(file, STORE_SIDE, "a store")
            elif file.under("src/decorators"):
                self.contract_only(file, DECORATOR_SIDE, "a decorator")
            elif file.under("src") and not suite:
                self.core(file)
            elif file.under("adapters"):
                self.adapter(file)
            if file.under("src"):
                self.room(file)
            if file.under("src/protocol"):
                self.protocol(file)
            if file.under("src") and not suite:  # whose walks are repeated from a seed
                self.words(file, NO_OWN_CHANCE)
            if file.under("src", "include") and not suite and file.name not in NOT_QUIET:
                self.words(file, QUIET)
        return self.wrong

    def public_header(self, file, suite):
        framework = FRAMEWORKS.get(pathlib.PurePosixPath(file.name).stem) if file.under("include/sancho/adapters") else None
        outermost = suite or file.under("include/sancho/stores", "include/sancho/adapters", "include/sancho/decorators") or \
            file.name == "include/sancho/open_store.hpp"
        for line, quote, target in file.includes:
            if target.startswith("sancho/"):
                if f"include/{target}" not in self.files:
                    self.say(file, line, f"{target} is no public header")
                elif OUTSIDE_THE_CORE.match(target) and not outermost and not self.among_coroutines(file, target) \
                        and target != f"sancho/stores/{self.coroutine_store(file)}.hpp":
                    self.say(file, line, f"the core knows no {target}")
            elif not (target in STANDARD and quote == "<" or framework and framework.match(target)
                      or file.under(*COROUTINE_SIDE) and COROUTINES.match(target) or suite and TEST_FRAMEWORK.match(target)):
                self.say(file, line, f"a public header includes sancho/ and the standard library, not {target}")

        for match in UNSHOWN.finditer(file.words):
            for offset, text in enumerate(match.group(1).split("\n")):
                if text.strip() and not ANNOUNCED.match(text.strip()):
                    line = line_of(file.words, match.start()) + offset
                    self.say(file, line, "a shared library would not show it: say `namespace sancho SANCHO_EXPORT {` (export.hpp)")
                    break

    @staticmethod
    def among_coroutines(file, target):
        return file.under(*COROUTINE_SIDE) and target.startswith("sancho/async/")

    @staticmethod
    def coroutine_store(file):
        """The NAME of an asynchronous store, if the file is one's."""
        match = COROUTINE_STORE.match(file.name)
        return match and (match.group(1) or match.group(2))

    def room(self, file):
        mine = next((room for room in ROOMS if file.under(room)), None)
        if not mine:
            return self.say(file, 1, "it lies in no room of src/")
        known = tuple(room + "/" for room in (mine, *ROOMS[mine]))
        for line, quote, target in file.includes:
            ours = file.resolve(quote, target)
            if ours and ours.startswith("src/") and not ours.startswith(known):
                self.say(file, line, f"{mine} knows no {ours}")

    def core(self, file):
        coroutines = file.under(*COROUTINE_SIDE)
        for line, _, target in file.includes:
            known = coroutines and COROUTINES.match(target)
            if ANY_FRAMEWORK.match(target) and not known or TEST_FRAMEWORK.match(target):
                self.say(file, line, f"the core knows no framework, so not {target}")
        for name in sorted(self.reached(file)):
            public = name.removeprefix("include/")
            if self.among_coroutines(file, public) or coroutines and name.startswith("src/async/"):
                continue
            if name.startswith(("src/stores/", "adapters/", "src/async/")) or OUTSIDE_THE_CORE.match(public):
                self.say(file, 1, f"the core knows no store, no coroutine and no adapter, yet reaches {name}")

    def contract_only(self, file, side, who):
        store = self.coroutine_store(file)
        for line, _, target in file.includes:
            known = store and COROUTINES.match(target)
            if ANY_FRAMEWORK.match(target) and not known or TEST_FRAMEWORK.match(target):
                self.say(file, line, f"{who} knows no framework, so not {target}")
        for name in sorted(self.reached(file)):
            public = name.removeprefix("include/")
            if store and public in (COROUTINE_STORE_SIDE, f"sancho/async/{store}.hpp"):
                continue
            if public != name and not side.match(public) or name.startswith(("src/protocol/", "adapters/")):
                self.say(file, 1, f"{who} knows the contract only, yet reaches {name}")

    def adapter(self, file):
        folder = file.name.split("/")[1]
        framework = FRAMEWORKS.get(folder)
        for line, quote, target in file.includes:
            ours = file.resolve(quote, target)
            allowed = ours.startswith(("include/", f"adapters/{folder}/")) if ours else \
                target in STANDARD or SOCKETS.match(target) or framework and framework.match(target)
            if not allowed:
                self.say(file, line, f"an adapter includes public headers and its framework, not {target}")

    def protocol(self, file):
        for line, _, target in file.includes:
            if INPUT_OUTPUT.match(target):
                self.say(file, line, f"the protocol decides and does nothing, so no <{target}>")
        self.words(file, NO_CLOCK)


def main():
    house = House(sys.argv[1])
    wrong = house.check()
    print("\n".join(wrong) if wrong else f"{len(house.files)} files, and every arrow points the right way")
    if not house.files:
        print("no files at all: is this the root of the tree?")
    return 1 if wrong or not house.files else 0


if __name__ == "__main__":
    sys.exit(main())
