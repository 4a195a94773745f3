#!/usr/bin/env python3
"""Runs a command with real servers, which live as long as it does.

    with_server.py [--fast] KIND [KIND ...] -- COMMAND [ARGUMENT ...]
    with_server.py --check

Starts a server of each kind in a temporary directory, sets the environment
variables that tests read store URIs from (README.md has them), runs the command,
stops the servers, and ends with the command's status. If a server's programs are
not installed it ends with 77, or with 1 where CI=true. --fast: servers do not
wait for the disk, and may forget when they are killed. --check says what is
missing for any kind, and starts none.
"""

import os
import signal
import subprocess
import sys

sys.dont_write_bytecode = True

from control import Control  # noqa: E402
from kinds import KINDS, what_is_missing  # noqa: E402
from place import Place  # noqa: E402
from process import die_with  # noqa: E402

SECONDS_TO_END = 10


class Interrupted(BaseException):
    def __init__(self, number):
        self.number = number


def parse(words):
    if "--" not in words or words[-1] == "--":
        raise ValueError("a command is missing")
    options, command = words[:words.index("--")], words[words.index("--") + 1:]
    fast = "--fast" in options
    kinds = [word for word in options if word != "--fast"]
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ValueError(f"a kind is one of: {' '.join(KINDS)}" + (f"; not {' '.join(unknown)}" if unknown else ""))
    return kinds, fast, command


def start(place, kinds, durable):
    """Starts them all at once, and returns them by kind."""
    servers = {kind: KINDS[kind].make(place, durable) for kind in kinds}
    for server in servers.values():
        server.launch()
    for server in servers.values():
        server.wait()
    return servers


def run(command, environment, control):
    """The command's status; meanwhile does what it asks for. It gets the signals that we get, and time to end; and it ends when we do."""
    child = subprocess.Popen(command, env=environment, preexec_fn=die_with(os.getpid()))
    try:
        return control.serve_until(child)
    except Interrupted as interruption:
        child.send_signal(interruption.number)
        try:
            child.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            child.kill()
        raise


def interrupt(number, _frame):
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # once is enough
    raise Interrupted(number)


def main(words):
    if words == ["--check"]:
        return what_is_missing(KINDS)
    try:
        kinds, fast, command = parse(words)
    except ValueError as error:
        print(f"{error}\n\n{__doc__.strip()}", file=sys.stderr)
        return 2
    cannot = what_is_missing(kinds)
    if cannot:
        return cannot
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        with Place() as place:
            servers = start(place, kinds, durable=not fast)
            control = Control(servers, place.directory)
            environment = {**os.environ, "SANCHO_TEST_CONTROL": control.path}
            for kind, server in servers.items():
                environment.update(KINDS[kind].variables(server))
            status = run(command, environment, control)
    except Interrupted as interruption:
        return 128 + interruption.number
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
