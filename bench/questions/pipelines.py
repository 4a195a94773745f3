import re
import subprocess
import sys

from report import build, svg
from report.needs import Program, ROOT

TITLE = "Do coroutines pipeline as well as a hand does?"
ASKS = """\
Sixteen coroutines on one thread and one connection, beside sixteen commands that are pipelined by hand with hiredis or
libpq. The same commands or statements of the same rows; a *request* is a whole one that reads, beside a bare load. The
ratio is of throughput: 1 is as much as by hand, and more is better."""
PACKAGES = ["libhiredis0.14", "libpq5", "redis-server", "postgresql"]
SIDES = {"redis": ("sancho_bench_redis", "SANCHO_TEST_REDIS"), "postgresql": ("sancho_bench_postgresql", "SANCHO_TEST_POSTGRESQL_UNIX")}
NEEDS = [Program("redis-server", "redis-server")]
WITH_SERVER = ROOT / "tests" / "servers" / "with_server.py"
LINE = re.compile(r"^(\w+)\s+ours\s+([\d.]+) us \(CPU\s+([\d.]+)\)\s+by hand\s+([\d.]+) us \(CPU\s+([\d.]+)\)\s+throughput, ours to by hand: ([\d.]+)")


def read(said):
    """Rows of what such a program says."""
    for line in said.splitlines():
        if match := LINE.match(line):
            us, cpu, floor, floor_cpu, ratio = map(float, match.groups()[1:])
            yield {"call": match[1], "ours": {"us": us, "cpu": cpu}, "floor": {"us": floor, "cpu": floor_cpu}, "ratio": ratio}


def measure(turns):
    result = {"rows": [], "not_measured": {}}
    for store, (target, variable) in SIDES.items():
        try:
            program = build.program(target)
        except build.NotThere as reason:
            result["not_measured"][store] = str(reason)
            continue
        # It has turns enough of its own.
        done = subprocess.run([sys.executable, WITH_SERVER, "--fast", store, "--", "sh", "-c", f'exec "{program}" "${variable}"'],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        rows = list(read(done.stdout))
        if done.returncode == 77:
            result["not_measured"][store] = done.stdout.strip().removeprefix("SKIPPED: ")
        elif done.returncode or not rows:
            raise RuntimeError(f"{target}: {done.stdout}")
        result["rows"] += [{"store": store, **row} for row in rows]
    return result


def table(result):
    lines = ["| store | call | ours, µs | CPU | by hand, µs | CPU | throughput, ours to by hand |", "|---|---|---|---|---|---|---|"]
    for r in result["rows"]:
        lines.append(f"| {r['store']} | {r['call']} | {r['ours']['us']:.2f} | {r['ours']['cpu']:.2f} | {r['floor']['us']:.2f} | {r['floor']['cpu']:.2f} | **{r['ratio']:.2f}** |")
    return "\n".join(lines)


def picture(result):
    return svg.bars("Throughput, of that by hand", ["ours"], [(f"{r['store']}: {r['call']}", [r["ratio"]]) for r in result["rows"]], goal=0.9)
