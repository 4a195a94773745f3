import json
import statistics
import subprocess

from report import build, svg

TITLE = "How long does a store take to open?"
ASKS = """\
Opening a store that has nothing in it and one that is full, in turn, on a file system in memory. What `memory:` holds
begins with the process, and a server opens its own."""
NEEDS = []
PACKAGES = ["libsqlite3-0", "liblmdb0"]
SCHEMES = ("sqlite", "lmdb", "dir")
REHEARSED = 100_000


def measure(turns):
    program = build.program("sancho_bench_opening")
    sessions = 1_000_000 if turns >= 9 else REHEARSED
    result = {"rows": [], "not_measured": {}}
    for scheme in SCHEMES:
        done = subprocess.run([program, scheme, str(sessions), str(max(turns, 3) * 3)], capture_output=True, text=True)
        if done.returncode:
            result["not_measured"][scheme] = done.stderr.strip()
            continue
        pairs = [json.loads(line) for line in done.stdout.splitlines()]
        result["rows"].append({"store": scheme, "sessions": sessions, "empty": round(statistics.median(p["empty"] for p in pairs), 1),
                               "full": round(statistics.median(p["full"] for p in pairs), 1),
                               "ratio": round(statistics.median(p["full"] / p["empty"] for p in pairs), 3)})
    return result


def table(result):
    lines = ["| store | sessions | empty, µs | full, µs | ratio |", "|---|---|---|---|---|"]
    return "\n".join(lines + [f"| {r['store']} | {r['sessions']:,} | {r['empty']:,.0f} | {r['full']:,.0f} | **{r['ratio']:.2f}** |" for r in result["rows"]])


def picture(result):
    return svg.bars("Microseconds to open a store", ["empty", "full"], [(r["store"], [r["empty"], r["full"]]) for r in result["rows"]], " µs")
