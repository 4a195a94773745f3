#!/usr/bin/env python3
"""Plays the load on one store while one thing happens to it, and judges the history.

    play_fault.py STORE FAULT --load PROGRAM [--seed N] [--keep DIRECTORY]

STORE and FAULT are of the table in venues.py. Prints the verdict, and ends with 1 if
there is an anomaly that the store does not permit. With SANCHO_FULL=1 it takes
longer; SANCHO_SEED repeats the draws; to a directory SANCHO_RESULTS a line is
added for scripts/promise_table. Ends with 77 if the servers are not installed or the
store is not built in.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import nullcontext

sys.dont_write_bytecode = True

import paths  # noqa: E402, F401
import faults  # noqa: E402
import results  # noqa: E402
from kinds import SKIP, what_is_missing  # noqa: E402
from place import Place  # noqa: E402
from trial import Trial  # noqa: E402
from venues import VENUES  # noqa: E402


def is_built_in(program, uri, directory):
    """Whether the program knows stores of that scheme. It ends with 2 if the URI cannot be."""
    done = subprocess.run([program, "--store", uri, "--history", os.path.join(directory, "try"), "--audit", "--patience", "0"],
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 2:
        print(f"SKIPPED: {done.stderr.strip()}", flush=True)
    return done.returncode != 2


def play(program, store, fault, seed, directory):
    """The verdict, and the line for the results; None if it cannot be played here."""
    venue = VENUES[store]
    with Place() if venue.kind else nullcontext() as place:
        server = venue.server(place)
        if server:
            server.start()
        uri = server.uri if server else venue.uri(directory)
        if not is_built_in(program, uri, directory):
            return None
        trial = Trial(program, uri, directory, seed, processes=venue.processes, rate=venue.rate, timeout=faults.TIMEOUT.get(fault, 5000)).begin()
        stuck = None
        try:
            trial.let_pass(faults.PAUSE)
            getattr(faults, fault)(trial, server)
            trial.let_pass(faults.PAUSE)
        except TimeoutError as error:
            stuck = str(error)
            if server:
                with open(os.path.join(directory, "servers.log"), "w") as file:
                    file.write(server.log())
        verdict = trial.end(venue.permits.get(fault, ()), venue.recovery.get(fault, faults.RECOVERY.get(fault, 5.0)))
    if stuck:
        verdict.found.setdefault("no-recovery", []).append(stuck)
    crowd = trial.processes * (trial.threads + 2) * (len(getattr(server, "nodes", "1")) + 1)
    if trial.most_sockets > crowd:
        verdict.found["pile-up"] = [f"{trial.most_sockets} sockets were open at once, for {trial.processes * trial.threads} workers"]
    return verdict, results.line(store, fault, trial, verdict)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("store", choices=sorted(VENUES))
    parser.add_argument("fault")
    parser.add_argument("--load", required=True)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SANCHO_SEED", 0)) or int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--keep", help="where the history is put if it is bad, and the servers' logs if they are stuck")
    arguments = parser.parse_args()
    venue = VENUES[arguments.store]
    if arguments.fault not in venue.faults:
        parser.error(f"{arguments.store} has {', '.join(venue.faults)}")
    cannot = what_is_missing([venue.kind]) if venue.kind else 0
    if cannot:
        return cannot
    print(f"{arguments.store}, {arguments.fault}; SANCHO_SEED={arguments.seed}", flush=True)
    # Where nobody is killed memory will do. Else the disk, so that they are in the middle of something.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) and arguments.fault != "clients_killed" else None
    with tempfile.TemporaryDirectory(prefix="sancho-fault-", dir=memory) as directory:
        played = play(os.path.abspath(arguments.load), arguments.store, arguments.fault, arguments.seed, directory)
        if played is None:
            return 1 if os.environ.get("CI") == "true" else SKIP
        verdict, line = played
        print(f"{verdict}\n{line['faults']} faults, {line['seconds']} s")
        results.append(line)
        if verdict.broken and arguments.keep:
            os.makedirs(arguments.keep, exist_ok=True)
            for name in ("history.jsonl", "servers.log"):
                if os.path.exists(os.path.join(directory, name)):
                    shutil.copy(os.path.join(directory, name), os.path.join(arguments.keep, f"{arguments.store}-{arguments.fault}-{name}"))
        return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
