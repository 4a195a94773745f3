from report import scale_program, svg

TITLE = "Does the store stay flat to ten million sessions?"
ASKS = """\
Single calls of the store `memory:` beside the hash table of the first question, with records of 200 bytes: nanoseconds of
the thread's CPU a call, one thread. A *write* is a load and a commit. Bytes are what the process grows by for a session,
with users to find their sessions by, and without (*anonymous*). *scaling* is what two threads read more than one, in one
store and in a store each."""
NEEDS = []
PACKAGES = []
CALLS = ("load", "touch", "write")


def measure(turns):
    # Its turns are its own: fifteen.
    return {"rows": scale_program.rows(turns, (*CALLS, "bytes", "growth", "scaling")), "not_measured": {}}


def of(result, what):
    return [r for r in result["rows"] if r["what"] == what]


def table(result):
    lines = ["| sessions | call | ours, ns | floor | ratio |", "|---|---|---|---|---|"]
    lines += [f"| {r['sessions']:,} | {r['what']} | {r['ours_ns']:,.0f} | {r['floor_ns']:,.0f} | **{r['ratio']:.2f}** |" for call in CALLS for r in of(result, call)]
    sizes = {}
    for r in of(result, "bytes"):
        sizes.setdefault(r["sessions"], {})[r["side"]] = f"{r['bytes']:,.0f}"
    if sizes:
        lines += ["", "| sessions | bytes a session | anonymous | floor |", "|---|---|---|---|"]
        lines += [f"| {n:,} | " + " | ".join(of_side.get(side, "–") for side in ("ours", "anonymous", "floor")) + " |" for n, of_side in sizes.items()]
    growth = {}
    for r in of(result, "growth"):
        growth.setdefault(r["sessions"], {})[r["side"]] = f"{r['longest_ns'] / 1e6:,.2f}"
    if growth:
        lines += ["", "| on the way to so many sessions | longest insertion in ms, ours | floor |", "|---|---|---|"]
        lines += [f"| {n:,} | {sides.get('ours', '–')} | {sides.get('floor', '–')} |" for n, sides in growth.items()]
    if scaling := of(result, "scaling"):
        lines += ["", "| sessions | by | two threads, one store | a store each | ratio |", "|---|---|---|---|---|"]
        lines += [f"| {r['sessions']:,} | {'the clock' if r['clock'] == 'wall' else 'CPU time'} | {r['ours']:.2f} | {r['nothing_shared']:.2f} | **{r['ratio']:.2f}** |" for r in scaling]
    return "\n".join(lines)


def picture(result):
    return svg.lines("Nanoseconds a load", "sessions", "nanoseconds",
                     {side: [(r["sessions"], r[f"{side}_ns"]) for r in of(result, "load")] for side in ("ours", "floor")}) if of(result, "load") else None
