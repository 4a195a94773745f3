#!/usr/bin/env python3
"""bench/guards.py - guards of speed that no clock and no load can disturb.

    bench/guards.py instructions|counts [--build DIR]   holds one against bench/guards.json; 77: cannot be had here
    bench/guards.py --accept [--build DIR]              writes what is counted now into bench/guards.json
    bench/guards.py --show PATH [--build DIR]           where the instructions of a hot path are spent

`instructions` are those of our own object code (not of libc, libstdc++ or libcrypto)
in a thousand requests of each hot path, counted by callgrind: more than 5 % above
the accepted number fails. `counts` are calls of the store and allocations of each
kind of request: they are exactly as accepted. DIR is build/test, the build of the
preset `test` by Debian 12's g++; other compilers make other code, and are skipped.
"""

import argparse
import json
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASELINE = ROOT / "bench" / "guards.json"
GROWTH = 0.05
SKIPPED = 77
ACCEPT = "If that is as it should be, `bench/guards.py --accept` writes it down, and the commit says why."


class CannotBeHad(Exception):
    """It is nobody's fault, and no number is to be compared."""


# ## Counting

def by_function(text):
    """{(object, function): instructions} of a callgrind file with plain names and positions."""
    costs, where, function, inclusive = {}, "", "", False
    for line in text.splitlines():
        if line.startswith("ob="):
            where = line[3:]
        elif line.startswith("fn="):
            function = line[3:]
        elif line.startswith("calls="):
            inclusive = True  # the next line is what the called ones cost
        elif line[:1].isdigit():
            if not inclusive:
                costs[where, function] = costs.get((where, function), 0) + int(line.split()[1])
            inclusive = False
    return costs


def callgrind(program, path):
    """The instructions of one hot path by our own functions."""
    with tempfile.TemporaryDirectory() as place:
        out = pathlib.Path(place) / "callgrind.out"
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=hot_requests", "--compress-strings=no", "--compress-pos=no",
             f"--callgrind-out-file={out}", str(program), path], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{program} {path} under callgrind ended with {done.returncode}:\n{done.stderr}")
        costs = by_function(out.read_text())
    own = {function: cost for (where, function), cost in costs.items() if where == str(program)}
    if not own:
        raise RuntimeError(f"callgrind counted nothing of {program}")
    return own


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def count_instructions(build):
    program = pathlib.Path(build["hot_paths"]).resolve()
    return {path: sum(callgrind(program, path).values()) for path in output(program).split()}


def count_calls(build):
    return json.loads(output(build["request_counts"]))


# ## Comparing

def environment(build):
    if not shutil.which("valgrind"):
        raise CannotBeHad("valgrind is not installed")
    return {"compiler": build["compiler"], "flags": build["flags"], "processor": platform.machine(),
            "valgrind": ".".join(output("valgrind", "--version").strip().removeprefix("valgrind-").split(".")[:2])}


def same_environment(here, baseline):
    for what, accepted in baseline.items():
        if here[what] != accepted:
            raise CannotBeHad(f"the numbers were accepted for the {what} “{accepted}”, and this is “{here[what]}”")


def compare_instructions(now, accepted):
    """What is wrong, a line each; and what may be noted."""
    wrong, notes = [], []
    for path in sorted(now.keys() | accepted.keys()):
        if path not in now or path not in accepted:
            wrong.append(f"{path}: {'not counted' if path not in now else 'nothing is accepted'}")
            continue
        change = now[path] / accepted[path] - 1
        line = f"{path}: {now[path]:,} instructions a thousand requests, {accepted[path]:,} are accepted ({change:+.1%})"
        (wrong if now[path] > accepted[path] * (1 + GROWTH) else notes).append(line)
        if change < -GROWTH:
            notes.append(f"{path}: that is less: accept it, so that the guard stands where the code is")
    return wrong, notes


def compare_counts(now, accepted):
    wrong, notes = [], []
    for kind in sorted(now.keys() | accepted.keys()):
        ours, theirs = now.get(kind), accepted.get(kind)
        (notes if ours == theirs else wrong).append(f"{kind}: {json.dumps(ours)}" + ("" if ours == theirs else f", and {json.dumps(theirs)} is accepted"))
    return wrong, notes


def hold(guard, build, baseline):
    """The status that the test ends with."""
    try:
        if guard == "instructions":
            same_environment(environment(build), baseline["environment"])
            wrong, notes = compare_instructions(count_instructions(build), baseline["instructions"])
        else:
            same_environment({"compiler": build["compiler"], "flags": build["flags"]},
                             {what: baseline["environment"][what] for what in ("compiler", "flags")})
            wrong, notes = compare_counts(count_calls(build), baseline["counts"])
    except CannotBeHad as reason:
        print(f"SKIPPED: {reason}")
        return SKIPPED
    print("\n".join(notes))
    if wrong:
        print("\n" + "\n".join(f"WRONG: {line}" for line in wrong) + f"\n{ACCEPT}")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("guard", nargs="?", choices=("instructions", "counts"))
    parser.add_argument("--accept", action="store_true")
    parser.add_argument("--show", metavar="PATH")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "test")
    parser.add_argument("--baseline", type=pathlib.Path, default=BASELINE)
    options = parser.parse_args()
    build = json.loads((options.build / "bench" / "guards_build.json").read_text())
    if options.show:
        own = callgrind(pathlib.Path(build["hot_paths"]).resolve(), options.show)
        for function, cost in sorted(own.items(), key=lambda entry: -entry[1])[:40]:
            print(f"{cost / sum(own.values()):6.1%} {cost:12,}  {function[:150]}")
        return 0
    if options.accept:
        found = {"environment": environment(build), "instructions": count_instructions(build), "counts": count_calls(build)}
        options.baseline.write_text(json.dumps(found, indent=1) + "\n")
        return 0
    if not options.guard:
        parser.error("instructions, counts, --accept or --show")
    return hold(options.guard, build, json.loads(options.baseline.read_text()))


if __name__ == "__main__":
    sys.exit(main())
