"""What must not be in a history. Each rule yields (name of the anomaly, what it is).

Moments are whole microseconds, and of two that are the same nobody knows the order: what is
said to come before the other must be less, what may come before it may be as much.
"""

from collections import Counter, defaultdict

from history import FINE, PERMITTED_TROUBLE
from story import stories

ANOMALIES = {
    "lost-acknowledged-writes": "a write was acknowledged, and later requests do not find it",
    "phantom-writes": "something is there that nobody wrote, or before it was written",
    "failed-writes-applied": "a write failed for certain, and is there",
    "writes-applied-twice": "a write counts more than once",
    "stale-reads": "a request sees less than one that was over before it began",
    "undone-reads": "a request saw a write that nobody was told is done, and a crash undid it",
    "unordered-reads": "what two requests saw fits into no order of the writes",
    "revived-sessions": "a session was logged out, and opens all the same",
    "split-sessions": "one session is in the store twice",
    "lost-sessions": "a browser is answered as a stranger, and nobody logged it out",
    "wrong-user": "a cookie opens somebody else's session",
    "tokens-claimed-twice": "a form was submitted twice",
    "lost-tokens": "a form was refused to all who submitted it",
    "strange-trouble": "trouble of another kind than unavailable and in_doubt",
    "trouble-without-a-fault": "trouble while all was well",
    "late-calls": "a call took longer than its deadline",
    "no-recovery": "nothing succeeds any more after the fault",
    "unread-at-the-end": "nobody knows what became of a session",
    "proves-nothing": "too little happened to judge by",
}

MOST_TOKENS = 16  # Session::MAX_FORM_TOKENS
SECOND = 1_000_000


# ## Who is there

def sessions_live_and_end(story):
    for o in story.operations:
        if o.saw is not None and o.saw["user"] != f"u{story.number}":
            yield "wrong-user", f"{o} found {o.saw['user'] or 'nobody'}"
        if o.saw is not None and story.is_over(o.began):
            yield "revived-sessions", f"{o} found what had been ended before it began"
        elif o.outcome == "ok" and o.op in ("append", "insert", "add", "show") and story.is_over(o.acted):
            yield "revived-sessions", f"{o} was saved into what had been ended before"
        stranger = o.loaded and o.saw is None
        if stranger and not story.may_be_over(o.loaded):
            yield "lost-sessions", f"{o} was answered as a stranger"
        if o.outcome in ("dropped", "lost") and o.saw is not None and not story.may_be_over(o.ended):
            yield "lost-sessions", f"{o} found its session ended, and nobody had"


def the_end_is_known(story):
    login_worked = story.login is None or story.login.kept
    if not login_worked or story.ends:
        return
    last = [o for o in story.operations if o.audit and o.outcome in ("ok", "not_found")]
    if not last:
        yield "unread-at-the-end", f"session {story.number} was not read when all was over"


# ## What is in it

def _written(story, op):
    return {o.value: o for o in story.operations if o.op == op}


def _forgotten(reads, holds, since):
    """(requests that miss what was known at `since`, whether it is gone for good)."""
    later = [r for r in reads if r.began > since]
    missing = [r for r in later if not holds(r)]
    return missing, bool(missing) and not holds(later[-1])


def values_are_kept(story, op, slot):
    writes, reads = _written(story, op), story.reads
    seen_at = {}
    for r in reads:
        for value, times in Counter(r.saw[slot]).items():
            w = writes.get(value)
            if times > 1:
                yield "writes-applied-twice", f"{r} saw {value} {times} times"
            if w is None:
                yield "phantom-writes", f"{r} saw {value}, which nobody wrote there"
            elif w.kept is False:
                yield "failed-writes-applied", f"{r} saw {value}, of {w}"
            elif w.writes_from > r.loaded:
                yield "phantom-writes", f"{r} saw {value} before {w} wrote it"
            seen_at[value] = min(seen_at.get(value, r.loaded), r.loaded)
    sets = {r.n: set(r.saw[slot]) for r in reads}
    for value, w in writes.items():
        known = [moment for moment in (w.ended if w.kept else None, seen_at.get(value)) if moment is not None]
        if not known:
            continue
        missing, for_good = _forgotten(reads, lambda r, v=value: v in sets[r.n], min(known))
        if for_good and w.kept:
            yield "lost-acknowledged-writes", f"{w} is not seen any more by {missing[-1]}"
        elif for_good and w.kept is None:
            yield "undone-reads", f"{missing[0]} does not see {value}, which was there before, and {w} is in doubt"
        elif missing:
            yield "stale-reads", f"{missing[0]} does not see {value}, which was there before"


def the_counter_is_exact(story):
    adds = [o for o in story.operations if o.op == "add"]
    reads = story.reads
    low = {r.n: sum(a.value for a in adds if a.kept and a.ended < r.began) for r in reads}
    for r in reads:
        high = sum(a.value for a in adds if a.kept is not False and a.writes_from <= r.loaded)
        failed = any(a.kept is False and a.saw is not None and a.began <= r.loaded for a in adds)
        if r.saw["count"] > high:
            name = "failed-writes-applied" if failed else "writes-applied-twice"
            yield name, f"{r} counts {r.saw['count']}, and no more than {high} was added"
    short = [r for r in reads if r.saw["count"] < low[r.n]]
    if short and short[-1] is reads[-1]:
        yield "lost-acknowledged-writes", f"{short[-1]} counts {short[-1].saw['count']}, and {low[short[-1].n]} was added"
    elif short:
        yield "stale-reads", f"{short[0]} counts {short[0].saw['count']}, and {low[short[0].n]} was added"
    else:
        yield from _counter_never_falls(reads, _missing_for_good(adds, reads))


def _missing_for_good(adds, reads):
    """How much of what was added in doubt is not there at the end."""
    last = max(reads, key=lambda r: r.began, default=None)
    return 0 if last is None else sum(a.value for a in adds if a.kept is not False and a.writes_from <= last.loaded) - last.saw["count"]


def _counter_never_falls(reads, missing):
    over = sorted(reads, key=lambda r: r.loaded)
    most, at = 0, 0
    for r in reads:
        while over[at].loaded < r.began:
            most, at = max(most, over[at].saw["count"]), at + 1
        if r.saw["count"] < most:
            name = "undone-reads" if most - r.saw["count"] <= missing else "stale-reads"
            yield name, f"{r} counts {r.saw['count']}, and {most} was there before"


def reads_have_an_order(story):
    """All that was seen of a session lies on one line: each is the next one's beginning."""
    line = sorted(story.reads, key=lambda r: (len(r.saw["log"]), len(r.saw["set"]), r.saw["count"]))
    for a, b in zip(line, line[1:]):
        if (b.saw["log"][:len(a.saw["log"])] != a.saw["log"] or not set(a.saw["set"]) <= set(b.saw["set"])
                or a.saw["count"] > b.saw["count"]):
            yield "unordered-reads", f"{a} and {b} saw what cannot have been one after the other"


# ## Forms

def forms_are_submitted_once(story):
    shown, tries = _written(story, "show"), defaultdict(list)
    for o in story.operations:
        if o.op == "consume":
            tries[o.value].append(o)
    for value, all_tries in tries.items():
        winners = [o for o in all_tries if o.claimed]
        if len(winners) > 1:
            yield "tokens-claimed-twice", " and ".join(map(str, winners))
        for o in all_tries:
            # One whose page failed after a clear answer has had its answer.
            refused = o.acted and not o.claimed
            others = [x for x in all_tries if x is not o and (x.claimed or not x.acted) and x.began <= (o.acted or 0)
                      and (x.claimed or x.kept is None)]
            given_way = sum(1 for s in shown.values() if s.kept is not False and s.writes_from <= (o.acted or 0)) > MOST_TOKENS
            if refused and not others and not given_way and not story.may_be_over(o.acted):
                yield "lost-tokens", f"{o} was refused, and nobody else has form {value}"


# ## The store as a whole

def the_census_agrees(history, all_stories):
    for census in history.named("census"):
        for user, count in census["alive"].items():
            story = all_stories.get(int(user[1:])) if user[:1] == "u" and user[1:].isdigit() else None
            if story is None:
                yield "phantom-writes", f"the store has a session of {user or 'nobody'}, whom nobody logged in"
                continue
            if count > 1:
                yield "split-sessions", f"{user} has {count} live sessions"
            if story.is_over(census["began"]):
                yield "revived-sessions", f"{user}'s session was ended, and is in the store"
            if story.login is not None and story.login.kept is False:
                yield "failed-writes-applied", f"{user}'s session is in the store, and {story.login} failed"


def faults(history):
    """(from, until) of each; one that is never mended lasts."""
    mended = [note["began"] for note in history.named("mended")]
    for fault in history.named("fault"):
        yield fault["began"], min((m for m in mended if m >= fault["began"]), default=float("inf"))


def trouble_has_a_reason(history, recovery):
    times = [(begin, end + recovery * SECOND) for begin, end in faults(history)]
    for o in history.operations:
        if o.outcome in FINE or o.outcome == "killed":
            continue
        if o.outcome not in PERMITTED_TROUBLE:
            yield "strange-trouble", str(o)
        elif not any(o.ended >= begin and o.began <= end for begin, end in times):
            yield "trouble-without-a-fault", str(o)


def calls_keep_their_deadline(history, slack):
    for run in history.named("run"):
        most = (run["timeout"] + slack) * 1000
        for o in history.operations:
            if o.ended is None or o.audit:
                continue
            moments = [o.began, *(m for m in (o.loaded, o.acted) if m), o.ended]
            longest = max(b - a for a, b in zip(moments, moments[1:]))
            if longest > most:
                yield "late-calls", f"{o} took {longest / SECOND:.3f} s for one step"


def it_goes_on(history, recovery):
    load = [o for o in history.operations if not o.audit]
    fine = [o for o in load if o.outcome == "ok"]
    for _, end in faults(history):
        if not any(end <= o.began and o.ended <= end + recovery * SECOND for o in fine):
            yield "no-recovery", f"nothing succeeded within {recovery} s after the fault"
    if load:
        first, last = load[0].began, load[-1].began
        late = [o for o in load if o.began >= first + (last - first) * 9 // 10]
        # Where a machine is busy, a tenth may have a few strangers' requests and nobody else's.
        if any(o.outcome not in FINE for o in late) and not any(o.outcome == "ok" for o in late):
            yield "no-recovery", "nothing succeeded in the last tenth of the run"


def something_happened(history, all_stories):
    fine = sum(o.outcome == "ok" and not o.audit for o in history.operations)
    if not history.named("run") or fine < 10 or not any(o.audit for o in history.operations):
        yield "proves-nothing", f"{fine} requests succeeded, {len(all_stories)} sessions"


def anomalies(history, slack, recovery):
    """All of a history. `slack` in milliseconds, `recovery` in seconds."""
    all_stories = stories(history)
    for story in all_stories.values():
        yield from sessions_live_and_end(story)
        yield from the_end_is_known(story)
        if story.reads:
            found = [*values_are_kept(story, "append", "log"), *values_are_kept(story, "insert", "set"),
                     *the_counter_is_exact(story)]
            yield from found
            if not found:  # what is wrong by itself fits into no order either
                yield from reads_have_an_order(story)
        yield from forms_are_submitted_once(story)
    yield from the_census_agrees(history, all_stories)
    yield from trouble_has_a_reason(history, recovery)
    yield from calls_keep_their_deadline(history, slack)
    yield from it_goes_on(history, recovery)
    yield from something_happened(history, all_stories)
