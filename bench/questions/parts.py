import json
import statistics
import subprocess

from report import build, svg

TITLE = "What is a request made of?"
ASKS = """\
A read on `memory:` with a thousand sessions, all in the processor's caches: its parts each by itself, in nanoseconds of
CPU, and the whole. What is left when the parts are taken from the whole is the session object, the clocks, and the
decisions at both ends. The last row belongs to a login."""
NEEDS = []
PACKAGES = ["libbenchmark-dev"]
PARTS = {"id": "the cookie is found, and the id decoded", "key": "the key is made of the id: one block of SHA-256",
         "load": "the record is looked up and copied", "payload": "its payload is checked and taken apart",
         "scope": "a scope is made and finished, for a visitor without a cookie", "read": "**the whole request**",
         "table": "the floor's: an `unordered_map` with a `shared_mutex`, and the name is copied",
         "chance": "what a login draws of the operating system's randomness, 84 bytes, in batches"}


def measure(turns):
    out = subprocess.run([build.program("sancho_bench_parts"), f"--benchmark_repetitions={turns}", "--benchmark_min_time=0.05",
                          "--benchmark_enable_random_interleaving=true", "--benchmark_format=json"],
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    times = {}
    for b in json.loads(out)["benchmarks"]:
        if b["run_type"] == "iteration":
            times.setdefault(b["name"], []).append(b["cpu_time"])
    return {"rows": [{"part": part, "ns": round(statistics.median(times[part]), 1)} for part in PARTS], "not_measured": {}}


def table(result):
    return "\n".join(["| part | ns |", "|---|---|"] + [f"| {PARTS[r['part']]} | {r['ns']:.0f} |" for r in result["rows"]])


def picture(result):
    return svg.bars("Nanoseconds of CPU", ["ns"], [(r["part"], [r["ns"]]) for r in result["rows"]], " ns")
