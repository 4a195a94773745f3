from report import build, micro, svg

TITLE = "What does a store cost beside its engine?"
ASKS = """\
The same requests on stores that keep sessions on the disk, beside the same engine asked by hand:

| store | floor |
|---|---|
| `sqlite:` | prepared `SELECT`, `UPDATE` with a condition, `INSERT`, the same pragmas, a connection a thread |
| `lmdb:` | get in a read transaction that is kept and renewed; get and put in a write transaction |
| `dir:` | open, read, close; temporary file, write, `fdatasync`, `rename`, `fsync` of the directory |

Writes read the session first, on both sides. Rows that flush the disk (writes and logins
of `dir:`, and of the others with `full`) measure mostly the disk; the ratio of CPU time leaves the waiting out. Where two
threads write on `sqlite:`, ours take turns with each write; the floor's nap for a millisecond and more when the other is
writing (SQLite's own busy handler), and meanwhile the other goes on alone, with its caches warm. The tables
of the two `sqlite:` sides are not built alike: ours has what expiry and finding by user need, and is searched by a number,
the floor's by the key."""
LOADS = """\
A *load* is the store's part of a read, without a cookie, a session or a scope, beside the same read by hand; one thread:"""
NEEDS = []
PACKAGES = ["libbenchmark-dev", "libsqlite3-0", "liblmdb0"]


def measure(turns):
    program = build.program("sancho_bench")
    return {"rows": [row for world in micro.worlds(program) if not world.startswith("memory/") for row in micro.measure(program, world, turns)],
            "not_measured": {}}


def table(result):
    lines = [micro.table(result["rows"]), "", LOADS, "", "| store | sessions | ours, µs | floor | ratio |", "|---|---|---|---|---|"]
    lines += [f"| {r['store']} | {r['sessions']:,} | {micro.time(r['ours']['us'])} | {micro.time(r['floor']['us'])} | **{r['ours']['us'] / r['floor']['us']:.2f}** |"
              for r in result["rows"] if r["request"] == "load"]
    return "\n".join(lines)


def picture(result):
    return svg.bars("Time of a request, of the engine's by hand", ["read", "write", "log in"],
                    [(f"{store}, {sessions:,}", [next((r["ours"]["us"] / r["floor"]["us"] for r in result["rows"] if
                                                       (r["store"], r["sessions"], r["request"], r["threads"]) == (store, sessions, request, 1)), None)
                                                 for request in ("read", "write", "log_in")])
                     for store, sessions in dict.fromkeys((r["store"], r["sessions"]) for r in result["rows"])], " x", goal=1.15)
