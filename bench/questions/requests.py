import subprocess

from report import build, micro, scale_program, svg
from report.results import ENOUGH_TURNS

TITLE = "What does a request cost?"
ASKS = """\
On `memory:`, beside an `unordered_map` with a `shared_mutex`: its read copies the name, its write replaces the payload, its
login inserts. A *read* of ours is a whole request: the `Cookie` line is parsed, the session loaded, the user's name asked
for, and the request finished, without a `Set-Cookie`. A *write* loads the session too, changes a slot and commits. A
*login* makes a session for somebody who had none; the store begins with so many sessions, and has hundreds of thousands
more in the end. Microseconds a request, of all threads together."""
# The longer a server runs, the more this is its case.
IN_PLACE = """\
The same logins where as many sessions end as come: in turns a hundredth of the sessions logs in, and the oldest hundredth
(a hundred at least), which nobody has touched since, is removed while the clock stands still. One thread's CPU:"""
TWO_THREADS = """\
Two threads read so many times as much as one, on one store, and where each has a store of its own and nothing is shared. The
four take turns of a twentieth of a second; the last column is the median of the turns' ratios:"""
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
    return {"rows": [row for world in worlds for row in micro.measure(program, world, turns)], "two_threads": two_threads(turns), "not_measured": {}}


def two_threads(turns):
    """What two threads read more than one. Its turns are its own."""
    sizes = [size for size in ("1e3", "1e4", "1e5", "1e6") if turns >= ENOUGH_TURNS or float(size) <= REHEARSED]
    return scale_program.lines_of(subprocess.run([build.program("sancho_bench_threads"), *sizes], check=True, stdout=subprocess.PIPE, text=True).stdout)


def table(result):
    rows = result["rows"]
    lines = [micro.table(rows), "", TWO_THREADS, "", "| sessions | one store | a store each | ratio |", "|---|---|---|---|"]
    lines += [f"| {r['sessions']:,} | {r['shared']:.2f} | {r['apart']:.2f} | **{r['ratio']:.2f}** |" for r in result.get("two_threads", [])]
    for request, text in (("log_in_in_place", IN_PLACE), ("read_apart", APART)):
        if some := [r for r in rows if r["request"] == request]:
            lines += ["", text, "", "| sessions | ours, µs | floor | ratio |", "|---|---|---|---|"]
            lines += [f"| {r['sessions']:,} | {micro.time(r['ours']['cpu'])} | {micro.time(r['floor']['cpu'])} | **{r['ours']['cpu'] / r['floor']['cpu']:.2f}** |" for r in some]
    return "\n".join(lines)


def picture(result):
    return svg.bars("Microseconds a request, one thread", ["ours", "floor"],
                    [(micro.label(r), [r["ours"]["us"], r["floor"]["us"]]) for r in result["rows"] if r["threads"] == 1 and r["request"] != "read_apart"], " µs")
