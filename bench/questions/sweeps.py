from report import scale_program, svg

TITLE = "Does anybody wait for a sweep?"
ASKS = """\
A store `memory:` of which 1 % expires every second is swept by calls that remove a hundred sessions at most. A call's time
is CPU time of its thread, the shortest of three times that all of it was done, and no lock is held for longer than the
longest call."""
NEEDS = []
PACKAGES = []


def measure(turns):
    return {"rows": scale_program.rows(turns, ("sweep",)), "not_measured": {}}


def table(result):
    lines = ["| sessions | removed | ns each | longest call, ms |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {r['sessions']:,} | {r['removed']:,} | {r['ns_each']:,.0f} | **{r['longest_ns'] / 1e6:.3f}** |" for r in result["rows"]])


def time(ns):
    return f"{ns / 1e6:.2g} ms" if ns >= 1e6 else f"{ns / 1e3:.3g} µs" if ns >= 1e3 else f"{ns} ns"


def picture(result):
    """How long the calls took, of the largest store."""
    largest = max(result["rows"], key=lambda r: r["sessions"])
    bins = sorted((int(below), n) for below, n in largest["histogram_ns"].items())
    return svg.bars(f"Calls of a sweep by their time, {largest['sessions']:,} sessions", ["% of the calls"],
                    [(f"{time(below // 2)} to {time(below)}", [100 * n / largest["calls"]]) for below, n in bins], " %")
