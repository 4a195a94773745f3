"""HTTP servers with sessions on and off in turn, under wrk: CPU of the server a request, requests a second, p99."""

import contextlib
import functools
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Callable

from report import build
from report.needs import ROOT
from report.servers import CORES, Server, free_port, try_out

SCRIPT = pathlib.Path(__file__).with_name("load.lua")
PATHS = ("read", "write")
MODES = ("off", "on")
CONNECTIONS = 32


@dataclass(frozen=True, eq=False)
class Site:
    """`commands(place, port, mode)`: [(words, environment)] that serve the site on the port with sessions `on` or `off`."""
    name: str
    store: str
    commands: Callable
    needs: list = field(default_factory=list)


@functools.cache
def awake():
    """What wrk runs with, so that no server has to wake it. With one core it would be in the server's way."""
    return {**os.environ, "LD_PRELOAD": str(build.program("sancho_bench_awake"))} if len(CORES) > 1 else None


def wrk(port, path, cookies, seconds):
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT), f"http://127.0.0.1:{port}/", "--", f"/{path}", str(cookies)]
    done = subprocess.run(words, env=awake(), capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {CORES[-1]}))
    result = next((line[7:] for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
    if done.returncode or not result:
        raise RuntimeError(f"wrk: {done.stdout}{done.stderr}")
    return json.loads(result)


def turn(server, path, cookies, seconds):
    before = server.cpu()
    result = wrk(server.port, path, cookies, seconds)
    used = server.cpu() - before
    if not result["requests"] or result["errors"]:
        raise RuntimeError(f"/{path} was answered {result['requests']} times, and {result['errors']} times with an error:\n"
                           + server.log.read_text(errors="replace")[-2000:])
    return {"cpu": used / result["requests"] * 1e6, "rate": result["requests"] / result["seconds"], "p99": result["p99"]}


def start(site, up, root):
    """(site, its servers by mode, the file of cookies), all of it up to the end of `up`."""
    place = pathlib.Path(up.enter_context(tempfile.TemporaryDirectory(prefix="sancho-bench-", dir=root)))
    place.chmod(0o755)
    servers = {}
    for mode in MODES:
        port = free_port()
        servers[mode] = up.enter_context(Server(site.commands(place, port, mode), port, place / f"{mode}.log"))
        try_out(port, mode == "on", place / "cookies")
    return site, servers, place / "cookies"


def take_turns(running, turns, seconds):
    """{(site, path): [{mode: figures}]}: each turn goes through all sites."""
    pairs = {}
    for number in range(-1, turns):  # one before that is not counted
        print(f"  turn {number + 1} of {turns}", file=sys.stderr)
        for site, servers, cookies in running:
            for path in PATHS:
                # Now the one comes first, now the other.
                modes = MODES if number % 2 else MODES[::-1]
                pair = {mode: turn(servers[mode], path, cookies, seconds) for mode in modes}
                if number >= 0:
                    pairs.setdefault((site, path), []).append(pair)
    return pairs


def row(site, path, pairs):
    ratios = sorted(p["on"]["cpu"] / p["off"]["cpu"] for p in pairs)
    medians = {mode: {what: round(statistics.median(p[mode][what] for p in pairs), 3) for what in ("cpu", "rate", "p99")} for mode in MODES}
    return {"site": site.name, "store": site.store, "path": path, "ratio": round(statistics.median(ratios), 3),
            "ratios": [round(ratios[0], 3), round(ratios[-1], 3)], **medians}


def compare(sites, turns, seconds, root=None):
    """A row for each site and path, and the sites that could not be measured, each with the reason."""
    not_measured, running = {}, []
    with contextlib.ExitStack() as up:
        for site in sites:
            try:
                running.append(start(site, up, root))
            except (RuntimeError, OSError, subprocess.SubprocessError, http.client.HTTPException) as trouble:
                said = str(trouble).replace(f"{ROOT}/", "").replace(tempfile.gettempdir(), "TMP")
                not_measured[site.name] = " ".join(said.split())[:300]
        pairs = take_turns(running, turns, seconds)
    return [row(site, path, mine) for (site, path), mine in pairs.items()], not_measured
