import json
import statistics
import subprocess
import tempfile

from report import build, svg

TITLE = "Do writers at once share a sync?"
ASKS = """\
Sixteen threads commit to sessions of their own on `sqlite:` with `synchronous=full`, beside one hand that puts sixteen
updates into each transaction, so that sixteen share one sync. Microseconds a commit."""
NEEDS = []
PACKAGES = ["libsqlite3-0"]


def measure(turns):
    program = build.program("sancho_bench_shared_commits")
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run([program, place, str(max(turns, 3))], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"sancho_bench_shared_commits: {done.stderr}")
    pairs = [json.loads(line) for line in done.stdout.splitlines()]
    return {"rows": [{"store": "sqlite-full", "writers": 16, "ours": statistics.median(p["ours"] for p in pairs),
                      "floor": statistics.median(p["floor"] for p in pairs),
                      "ratio": round(statistics.median(p["ours"] / p["floor"] for p in pairs), 3)}], "not_measured": {}}


def table(result):
    lines = ["| store | writers | ours, µs | batched by hand | ratio |", "|---|---|---|---|---|"]
    return "\n".join(lines + [f"| {r['store']} | {r['writers']} | {r['ours']:,.0f} | {r['floor']:,.0f} | **{r['ratio']:.2f}** |" for r in result["rows"]])


def picture(result):
    return svg.bars("Microseconds a commit", ["sixteen threads", "by hand"], [(r["store"], [r["ours"], r["floor"]]) for r in result["rows"]], " µs")
