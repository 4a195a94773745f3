"""docs/performance.md and its pictures, from the results alone."""

import questions
from report import goals, results as kept

PAGE = "docs/performance.md"

HEAD = """\
# Performance

What a session costs beside what the engine under it costs when it is asked by hand, and beside what others cost. Written
by `bench/run` from [performance/results.json](performance/results.json), which has every figure.

Ours and the other side are measured in one run and take turns; figures are medians. **Compare ratios, and only within one
table**: times drift from machine to machine and with whatever else runs there. A question that was asked with fewer than
nine turns is marked as a rehearsal; what it says about the goals is provisional.

```
bench/run                  # asks all that can be asked here, and says what the rest needs
bench/run http --turns 15  # asks one anew, and keeps the answers to the others
bench/run --write          # writes this page and its pictures again
```

What no clock can disturb (instructions, calls of the store, allocations) is guarded by the tests with the label `guards`;
[bench/JOURNAL.md](../bench/JOURNAL.md) says what was tried to get here, and what came of it.

## The goals

*The floor* is the same work done by hand: on `memory:` by *the table*, an `unordered_map` with a `shared_mutex`, elsewhere
on the engine itself. What one thread does on `memory:` is judged by its CPU time.
"""


def heading_of(name):
    return f"## {questions.ALL[name].TITLE}"


def where(result):
    """When, where and how a question was asked."""
    lines = [f"- measured on {result['date']}, on {result['machine']}; the load was {result['load']} when it began",
             f"- `{result['command']}`: {result['turns']} turn{'s' if result['turns'] != 1 else ''}"
             + (" – **a rehearsal**" if kept.is_rehearsal(result) else "")]
    versions = "; ".join(f"{name} {version}" for name, version in sorted(result["versions"].items()))
    return lines + [f"- {result['compiler']}" + (f"; {versions}" if versions else "")]


def answer(name, result):
    """What came of a question."""
    module, lines = questions.ALL[name], []
    if result["rows"]:
        lines += [*where(result), "", module.table(result), ""]
        if module.picture(result):
            lines += [f"![{module.TITLE}](performance/{name}.svg)", ""]
    lines += [f"- not measured: {what}: {why}" for what, why in sorted(result["not_measured"].items())]
    return "\n".join(lines).rstrip() + "\n"


def section(name, results):
    nothing = {"rows": [], "not_measured": {"this": "not asked yet"}}
    return "\n".join([heading_of(name), "", questions.ALL[name].ASKS, "", answer(name, results.get(name, nothing))])


def files(results):
    """{path: text} of all that is written."""
    text = "\n".join([HEAD, goals.table(results), "", *(section(name, results) for name in questions.ALL)])
    pictures = {name: questions.ALL[name].picture(result) for name, result in results.items() if name in questions.ALL and result["rows"]}
    return {PAGE: text, **{f"docs/performance/{name}.svg": picture for name, picture in pictures.items() if picture}}


def write(results, root):
    for path, text in files(results).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def differences(results, root):
    """The files that are not what the results say."""
    wanted = files(results)
    there = {path.relative_to(root).as_posix() for path in (root / "docs/performance").glob("*.svg")}
    return sorted([path for path, text in wanted.items() if not (root / path).is_file() or (root / path).read_text() != text] + list(there - wanted.keys()))
