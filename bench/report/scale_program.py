"""What `sancho_bench_scale` says: how the store `memory:` bears more sessions."""

import json
import subprocess

from report import build
from report.results import ENOUGH_TURNS

TARGET = "sancho_bench_scale"
SIZES = ("1e3", "1e4", "1e5", "1e6", "1e7")
_said = {}  # two questions ask it, and it is not quick


def lines_of(said):
    """The JSON lines among what it says."""
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def rows(turns, wanted):
    """Its lines about what is wanted; in a rehearsal those of small tables."""
    sizes = SIZES if turns >= ENOUGH_TURNS else SIZES[:3]
    if sizes not in _said:
        done = subprocess.run([build.program(TARGET), *sizes], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{TARGET} ended with {done.returncode}: {done.stderr[-2000:]}")
        _said[sizes] = lines_of(done.stdout)
    return [line for line in _said[sizes] if line["what"] in wanted]
