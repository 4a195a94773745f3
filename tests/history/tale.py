"""Histories made by hand, for the tests of the checker.

A tale keeps what its sessions hold, so a request sees what it should unless the
test says otherwise: `saw` is what it sees instead, `applied` whether a write is
really there afterwards, whatever its outcome says.
"""

import copy
import json

STEP = 1000  # microseconds between two moments


class Tale:
    def __init__(self, timeout=5000):
        self.lines, self.held = [], {}
        self.now, self._n = 0, 0
        self.note("run", timeout=timeout)

    def tick(self):
        self.now += STEP
        return self.now

    def note(self, op, **fields):
        self.lines.append({"op": op, "began": self.tick(), **fields})

    def do(self, op, s=None, outcome="ok", saw=True, applied=None, at=None, **fields):
        """One request. `at`: its four moments; `saw`: None for a stranger."""
        self._n += 1
        began, loaded, acted, ended = at or [self.tick() for _ in range(4)]
        line = {"n": self._n, "op": op, "began": began, "loaded": loaded, "acted": acted, "ended": ended, "outcome": outcome, **fields}
        if s is not None:
            line["s"] = s
        if saw is True:
            saw = self.held.get(s)
        if saw is not None:
            line["saw"] = copy.deepcopy(saw)
        if outcome == "killed":
            line = {k: line[k] for k in line if k in ("n", "op", "began", "s", "value", "becomes")}
        self.lines.append(line)
        if applied if applied is not None else outcome == "ok":
            self._apply(op, s, fields)
        return line

    def _apply(self, op, s, fields):
        if op == "log_in":
            self.held.pop(s, None)
            self.held[fields["becomes"]] = {"user": f"u{fields['becomes']}", "set": [], "log": [], "count": 0}
        elif op == "log_out":
            self.held.pop(s, None)
        elif op == "append":
            self.held[s]["log"].append(fields["value"])
        elif op == "insert":
            self.held[s]["set"].append(fields["value"])
        elif op == "add":
            self.held[s]["count"] += fields["value"]

    def log_in(self, s, over=None, **how):
        return self.do("log_in", over, becomes=s, **how)

    def audit(self, s, **how):
        how.setdefault("outcome", "ok" if s in self.held else "not_found")
        return self.do("read", s, audit=True, **how)

    def over(self, others=()):
        """The end of a run that was long enough, and its audit."""
        self.log_in(900)
        for _ in range(20):
            self.do("read", 900)
        for s in sorted({900, *self.held, *others}):
            self.audit(s)
        self.note("census", alive={held["user"]: 1 for held in self.held.values()})
        return self

    def text(self):
        return [json.dumps(line) for line in self.lines]


def begun():
    """A tale with one session, 0."""
    tale = Tale()
    tale.log_in(0)
    return tale
