"""One session's part of a history."""


class Story:
    """What happened to one session."""

    def __init__(self, number):
        self.number = number
        self.login = None
        self.operations = []
        self.ends = []   # (from when on it may be over, when it was acknowledged to be or None)
        self.reads = []  # requests that found it

    def add(self, o):
        self.operations.append(o)
        if o.saw is not None:
            self.reads.append(o)
        if o.op == "log_out" and o.acted:
            self.ends.append((o.loaded, o.acted))  # what came after that is only the page
        elif o.op == "log_out" and (o.saw or o.outcome == "killed") and o.kept is None:
            self.ends.append((o.loaded or o.began, None))
        elif o.op == "log_in" and (o.saw or o.outcome == "killed") and o.kept is not False:
            self.ends.append((o.writes_from, o.ended if o.kept else None))

    def may_be_over(self, moment):
        return any(start <= moment for start, _ in self.ends)

    def is_over(self, moment):
        return any(done is not None and done < moment for _, done in self.ends)


def stories(history):
    """All sessions of the run, by number."""
    found = {}
    for o in history.operations:
        if o.s is not None:
            found.setdefault(o.s, Story(o.s)).add(o)
        if o.becomes is not None:
            found.setdefault(o.becomes, Story(o.becomes)).login = o
    return found
