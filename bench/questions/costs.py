import json
import subprocess

from report import build, svg

TITLE = "What does a request ask for?"
ASKS = """\
Calls of the store and of the heap (`operator new`), counted and not timed: they are the same everywhere, and the test
`guards.counts` holds them."""
NEEDS = []
PACKAGES = []


def measure(turns):
    program = build.program("sancho_request_counts")
    counts = json.loads(subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout)
    return {"rows": [{"request": kind.replace("_", " "), **count} for kind, count in counts.items()], "not_measured": {}}


def calls(row):
    return ", ".join(name if n == 1 else f"{name} ×{n}" for name, n in row["calls"].items()) or "none"


def table(result):
    lines = ["| request, on `memory:` | calls of the store | allocations |", "|---|---|---|"]
    return "\n".join(lines + [f"| {r['request']} | {calls(r)} | {r['allocations']} |" for r in result["rows"]])


def picture(result):
    return svg.bars("Calls of the store, and allocations", ["calls", "allocations"],
                    [(r["request"], [sum(r["calls"].values()), r["allocations"]]) for r in result["rows"]])
