"""Judges a history of session_load.

    check_history.py FILE [--permit NAME,NAME] [--slack MS] [--recovery S] [--json]

Prints how often each anomaly is there and examples of it; exits with 1 if there
is one that is not permitted. A store's page says which it permits. `--slack`: by
how much a call may miss its deadline on a busy machine. `--recovery`: by when
after a fault all must be well again.
"""

import argparse
import json
import sys
from collections import defaultdict
from dataclasses import dataclass

import history
import rules


@dataclass
class Verdict:
    """What is in a history."""
    operations: int
    outcomes: dict     # outcome -> how often
    found: dict        # anomaly -> examples
    permitted: tuple
    torn: int
    seconds: float = 0

    @property
    def broken(self):
        """The anomalies that nobody has permitted."""
        return {name: examples for name, examples in self.found.items() if name not in self.permitted}

    def counts(self):
        return {name: len(examples) for name, examples in sorted(self.found.items())}

    def __str__(self):
        outcomes = ", ".join(f"{count} {name}" for name, count in sorted(self.outcomes.items()))
        lines = [f"{self.operations} requests ({outcomes})"]
        for name, examples in sorted(self.found.items()):
            lines.append(f"{'permitted' if name in self.permitted else 'BROKEN'}: {name}, {len(examples)} times: {rules.ANOMALIES.get(name, '')}")
            lines += [f"    {example}" for example in examples[:3]]
        return "\n".join(lines)


def judge(lines, permit=(), slack=1000, recovery=5):
    """The verdict on these lines."""
    unknown = set(permit) - set(rules.ANOMALIES)
    if unknown:
        raise ValueError(f"no such anomaly: {', '.join(sorted(unknown))}")
    past = history.read(lines)
    found, outcomes = defaultdict(list), defaultdict(int)
    for name, what in rules.anomalies(past, slack, recovery):
        found[name].append(what)
    for o in past.operations:
        outcomes[o.outcome] += 1
    return Verdict(len(past.operations), dict(outcomes), dict(found), tuple(permit), past.torn)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--permit", default="", help="anomalies, joined by commas")
    parser.add_argument("--slack", type=float, default=1000)
    parser.add_argument("--recovery", type=float, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with open(arguments.file, errors="replace") as file:
        verdict = judge(file, [name for name in arguments.permit.split(",") if name], arguments.slack, arguments.recovery)
    print(json.dumps({"operations": verdict.operations, "anomalies": verdict.counts()}) if arguments.json else verdict)
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
