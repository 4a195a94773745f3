from report import build, svg
from report.load import compare
from report.sites import WRK, ours

TITLE = "What do sessions cost a web server?"
ASKS = """\
The same server with the same handlers, with sessions in `memory:` and without any; `wrk` asks it over 32 connections that
are kept, with the cookies of 1000 sessions. *read* answers the user's name, *write* counts one up. The server has one core
and `wrk` another; both servers are up and take turns of two seconds. `wrk` looks for answers without sleeping, as far as
it has a core of its own: to wake it would be the server's work, and the more of it, the longer it slept. CPU is all that the
server's process used, the kernel's work included, microseconds a request; the ratio is the median of the pairs', and the range is theirs.

With cpp-httplib sessions come with a server class, which asks the system less often than the library's own. *cpp-httplib* is
that class both times; *cpp-httplib, its own* is the library's without sessions, and that class with."""
NEEDS = REQUIRED = [WRK]
PACKAGES = ["wrk", "libcpp-httplib-dev", "libboost1.81-dev"]
SERVERS = {"cpp-httplib": ["sancho_bench_httplib"], "cpp-httplib, its own": ["sancho_bench_httplib", "own"], "Beast": ["sancho_bench_beast"],
           "Beast, coroutines": ["sancho_bench_beast_async"]}
SECONDS = 2


def our_sites(servers):
    sites, not_measured = [], {}
    for name, target in servers.items():
        try:
            sites.append(ours(name, *target))
        except build.NotThere as reason:
            not_measured[name] = str(reason)
    return sites, not_measured


def measure(turns):
    sites, not_measured = our_sites(SERVERS)
    rows, more = compare(sites, turns, SECONDS)
    return {"rows": rows, "not_measured": {**not_measured, **more}}


def table(result):
    lines = ["| server | store | request | CPU, off | CPU, on | on / off | range | requests/s, off | on | p99 in ms, off | on |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    for r in result["rows"]:
        off, on = r["off"], r["on"]
        lines.append(f"| {r['site']} | {r['store']} | {r['path']} | {off['cpu']:.1f} | {on['cpu']:.1f} | **{r['ratio']:.2f}** | {r['ratios'][0]:.2f} – {r['ratios'][1]:.2f} | "
                     f"{off['rate']:,.0f} | {on['rate']:,.0f} | {off['p99']:.2f} | {on['p99']:.2f} |")
    return "\n".join(lines)


def picture(result):
    return svg.bars("CPU of the server, microseconds a request", ["sessions off", "sessions on"],
                    [(f"{r['site']}: {r['path']}", [r["off"]["cpu"], r["on"]["cpu"]]) for r in result["rows"]], " µs")
