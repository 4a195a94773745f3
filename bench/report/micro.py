"""What Google Benchmark says of ours and of the floor, which take turns in one run."""

import json
import statistics
import subprocess

REQUESTS = {"load": "load", "read": "read", "read_apart": "read, apart", "write": "write", "log_in": "log in", "log_in_in_place": "log in, in place"}


def worlds(program):
    return subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout.split()


def measure(program, world, turns):
    """A row for each request and number of threads; microseconds of all threads together, and of CPU. Google Benchmark shuffles the turns."""
    out = subprocess.run([program, world, f"--benchmark_repetitions={turns}", "--benchmark_min_time=0.05",
                          "--benchmark_enable_random_interleaving=true", "--benchmark_format=json"],
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    turns_of = {}
    for b in json.loads(out)["benchmarks"]:
        if b["run_type"] == "iteration":
            assert b["time_unit"] == "ns"
            what, side = b["name"][len(world) + 1:].split("/")[:2]
            turns_of.setdefault((what, b["threads"]), {}).setdefault(side, []).append((b["real_time"] / 1000, b["cpu_time"] / 1000))
    store, sessions = world.split("/")
    return [{"store": store, "sessions": int(float(sessions)), "request": what, "threads": threads,
             **{side: dict(zip(("us", "cpu"), (round(statistics.median(t), 4) for t in zip(*each)))) for side, each in sides.items()}}
            for (what, threads), sides in sorted(turns_of.items(), key=lambda row: (list(REQUESTS).index(row[0][0]), row[0][1]))]


def time(us):
    return f"{us:.2f}" if us < 10 else f"{us:,.0f}"


def table(rows):
    """Ours beside the floor by one thread and by two."""
    lines = ["| store | sessions | request | ours, 1 thread | floor | ratio | ratio of CPU | ours, 2 threads | floor | ratio |", "|---|---|---|---|---|---|---|---|---|---|"]
    by_threads = {(r["store"], r["sessions"], r["request"], r["threads"]): r for r in rows}
    for (store, sessions, request, threads), one in by_threads.items():
        two = by_threads.get((store, sessions, request, 2))
        if threads == 1 and two:
            cells = [time(one["ours"]["us"]), time(one["floor"]["us"]), f"**{one['ours']['us'] / one['floor']['us']:.2f}**",
                     f"{one['ours']['cpu'] / one['floor']['cpu']:.2f}",
                     time(two["ours"]["us"]), time(two["floor"]["us"]), f"**{two['ours']['us'] / two['floor']['us']:.2f}**"]
            lines.append(f"| {store} | {sessions:,} | {REQUESTS[request]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def label(row):
    return f"{row['store']}, {row['sessions']:,}: {REQUESTS[row['request']]}"
