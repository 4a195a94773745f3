"""Copies of the protocol with one rule broken.

    mutate.py list TABLE                     a line per mutant, for CMake: name;file;breaks;try;store
    mutate.py write TABLE NAME FROM TO       the mutant's copy of a source file
    mutate.py markdown TABLE                 the table for docs/protocol.md

TABLE is mutants.txt. A text that is to be replaced must stand in the file
exactly once; else the build fails, so that mutants stay current.
"""
import sys


def read(path):
    """The mutants, each a dictionary; its edits are pairs of texts."""
    mutants, part, lines = [], None, []
    for line in open(path, encoding="utf-8").read().splitlines():
        if line.startswith("=== "):
            mutants.append({"name": line[4:], "about": "", "file": "", "store": "", "edits": []})
            part = None
        elif line in ("--- old", "--- new", "--- end"):
            if part == "old":
                old = "\n".join(lines)
            elif part == "new":
                mutants[-1]["edits"].append((old, "\n".join(lines)))
            part, lines = line[4:], []
        elif part in ("old", "new"):
            lines.append(line)
        elif mutants and ": " in line:
            key, value = line.split(": ", 1)
            mutants[-1][key] = value
    return mutants


def mutated(mutant, text):
    for old, new in mutant["edits"]:
        if text.count(old) != 1:
            sys.exit("mutant %s: this stands in %s %d times, not once:\n%s" % (mutant["name"], mutant["file"], text.count(old), old))
        text = text.replace(old, new)
    return text


def main(args):
    mutants = read(args[1])
    if args[0] == "list":
        for m in mutants:
            print(";".join((m["name"], m["file"] or "-", m["breaks"], m["try"], m["store"] or "-")))
    elif args[0] == "write":
        mutant = next(m for m in mutants if m["name"] == args[2])
        with open(args[3], encoding="utf-8") as source:
            text = mutated(mutant, source.read())
        with open(args[4], "w", encoding="utf-8") as out:
            out.write(text)
    elif args[0] == "markdown":
        for m in mutants:
            print("| `%s` | %s | %s | %s |" % (m["name"], m["about"], m["breaks"], m["try"].replace("|", ", ")))


main(sys.argv[1:])
