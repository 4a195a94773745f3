"""Reads what session_load has written: one JSON object a line.

    {"op": "run", "timeout": ms, ...}              the run begins; "over": it ends
    {"op": "process", "p": 0, "pid": 123}          a process of it; "process_ended"
    {"op": "fault", "name": "freeze"}              written by who does it; then "mended"
    {"op": "census", "alive": {"u3": 1}}           live sessions in the store, by user
    {"n": 7, "op": "append", "s": 3, ...}          a request of session 3, whose user is u3

A request that changes something has a line before it, without "ended", and one
after. If the second is missing, its process was killed, and nobody knows.

| field     | what                                                                          |
|-----------|-------------------------------------------------------------------------------|
| began, loaded, acted, ended | microseconds of CLOCK_MONOTONIC: the request begins, its session is there, what acts at once has acted, all is over |
| value     | what is appended to "log", inserted into "set", added to "count"; the form's number |
| becomes   | log_in: the session's number, if it succeeds                                    |
| saw       | what the session held when the request began; absent for a stranger           |
| outcome   | ok, not_found, dropped (the session ended meanwhile), lost (the login), or the kind of trouble |
| maybe     | trouble, and it may have happened nevertheless                                |
| claimed   | consume: this request has won the form                                        |
"""

import json
from dataclasses import dataclass, field

FINE = ("ok", "not_found", "dropped", "lost")
PERMITTED_TROUBLE = ("unavailable", "in_doubt")


@dataclass
class Operation:
    """One request."""
    n: int
    op: str
    began: int
    s: int | None = None
    becomes: int | None = None
    value: int | None = None
    loaded: int | None = None
    acted: int | None = None
    ended: int | None = None  # None: its process was killed
    outcome: str = "killed"
    maybe: bool = False
    claimed: bool = False
    audit: bool = False
    message: str = ""
    saw: dict | None = None
    p: int = 0
    t: int = 0
    renew: bool = False

    @property
    def kept(self):
        """True: acknowledged. False: it did not happen and will not. None: nobody knows."""
        if self.outcome == "ok":
            return True
        if self.maybe or self.outcome in ("killed", "in_doubt", "exception"):
            return None
        return False

    @property
    def writes_from(self):
        """The earliest moment at which others may have seen its write."""
        return self.acted or self.loaded or self.began

    def __str__(self):
        who = f"request {self.n} ({self.op}{'' if self.s is None else f', session {self.s}'}, {self.outcome}"
        return f"{who}{': ' + self.message if self.message else ''})"


@dataclass
class History:
    operations: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    torn: int = 0  # lines cut off by a kill

    def named(self, op):
        return [note for note in self.notes if note["op"] == op]


def read(lines):
    """The history that these lines are."""
    history, by_number = History(), {}
    for line in lines:
        line = line.strip()
        if not line:
            continue
        try:
            fields = json.loads(line)
        except ValueError:
            history.torn += 1
            continue
        if "n" not in fields:
            history.notes.append(fields)
        elif "ended" in fields or fields["n"] not in by_number:
            by_number[fields["n"]] = Operation(**fields)
    history.operations = sorted(by_number.values(), key=lambda o: o.began)
    return history
