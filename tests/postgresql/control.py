#!/usr/bin/env python3
"""A PostgreSQL server that a test commands: one line in, one line out.

    control.py SERVERS-FOLDER [--fast] [SETTING ...]

First it prints the server's URI. Then it obeys `freeze`, `thaw`, `start`, `stop`,
`kill` and `sql STATEMENT`, and answers `ok ROWS` or `no WHY`. It ends, and the
server with it, when its input does.
"""

import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])

from place import Place  # noqa: E402
from postgresql import Postgresql  # noqa: E402


def line(text):
    return str(text or "").replace("\n", " ")


def main(words):
    settings = [word for word in words if word != "--fast"]
    with Place() as place:
        server = Postgresql(place, durable="--fast" not in words, settings=settings)
        server.start()
        print(server.uri, flush=True)
        for command in sys.stdin:
            verb, _, rest = command.rstrip("\n").partition(" ")
            try:
                if verb == "sql":
                    answer = server.sql(rest, database="sancho")
                elif verb in ("freeze", "thaw", "start", "stop", "kill"):
                    answer = getattr(server, verb)()
                else:
                    raise ValueError(f"{verb} is no command")
                print("ok " + line(answer), flush=True)
            except Exception as error:  # the test says what is wrong
                print("no " + line(error), flush=True)


if __name__ == "__main__":
    main(sys.argv[2:])
