from report import build, micro, svg
from report.results import ENOUGH_TURNS

TITLE = "What does a request cost?"
ASKS = """\
On `memory:`, beside an `unordered_map` with a `shared_mutex`: its read copies the name, its write replaces the payload, its
login inserts. A *read* of ours is a whole request: the `Cookie` line is parsed, the session loaded, the user's name asked
for, and the request finished, without a `Set-Cookie`. A *write* loads the session too, changes a slot and commits. A
*login* makes a session for somebody who had none. Microseconds a request, of all threads together."""
# A server does other things between two requests.
APART = """\
In a loop the processor has the memory of the next visits on its way while it waits for this one's, if visits are as short as
the table's. The same reads, each begun when the one before has ended (`lfence`), one thread's CPU:"""
NEEDS = []
PACKAGES = ["libbenchmark-dev"]
REHEARSED = 100_000


def measure(turns):
    program = build.program("sancho_bench")
    worlds = [world for world in micro.worlds(program) if world.startswith("memory/")]
    if turns < ENOUGH_TURNS:  # large tables take minutes to fill
        worlds = [world for world in worlds if float(world.split("/")[1]) <= REHEARSED]
    return {"rows": [row for world in worlds for row in micro.measure(program, world, turns)], "not_measured": {}}


def scaling(rows, sessions):
    """(what two threads do more than one in ours, and in a loop that shares nothing) with a read, or nothing."""
    reads = {r["threads"]: r for r in rows if r["request"] == "read" and r["sessions"] == sessions}
    if {1, 2} <= reads.keys() and "alone" in reads[1]:
        return tuple(reads[1][side]["us"] / reads[2][side]["us"] for side in ("ours", "alone"))
    return None


def table(result):
    rows = result["rows"]
    lines = [micro.table(rows), "", "Two threads read so many times as much as one:", "", "| sessions | ours | a table for each thread, without a lock | ratio |", "|---|---|---|---|"]
    for sessions in sorted({r["sessions"] for r in rows}):
        if both := scaling(rows, sessions):
            lines.append(f"| {sessions:,} | {both[0]:.2f} | {both[1]:.2f} | **{both[0] / both[1]:.2f}** |")
    if apart := [r for r in rows if r["request"] == "read_apart"]:
        lines += ["", APART, "", "| sessions | ours, µs | floor | ratio |", "|---|---|---|---|"]
        lines += [f"| {r['sessions']:,} | {micro.time(r['ours']['cpu'])} | {micro.time(r['floor']['cpu'])} | **{r['ours']['cpu'] / r['floor']['cpu']:.2f}** |" for r in apart]
    return "\n".join(lines)


def picture(result):
    return svg.bars("Microseconds a request, one thread", ["ours", "floor"],
                    [(micro.label(r), [r["ours"]["us"], r["floor"]["us"]]) for r in result["rows"] if r["threads"] == 1 and r["request"] != "read_apart"], " µs")
