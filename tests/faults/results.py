"""One line of JSON for each run, in a directory that SANCHO_RESULTS names."""

import json
import os


def line(store, fault, trial, verdict):
    return {"what": "fault", "store": store, "fault": fault, "faults": trial.faults, "requests": verdict.operations,
            "outcomes": dict(sorted(verdict.outcomes.items())), "anomalies": verdict.counts(), "permitted": sorted(verdict.permitted),
            "kept": not verdict.broken, "processes": trial.processes, "threads": trial.threads, "sockets": trial.most_sockets,
            "seed": trial.seed, "seconds": verdict.seconds}


def append(result):
    directory = os.environ.get("SANCHO_RESULTS")
    if not directory:
        return
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "faults.jsonl"), "a") as file:
        file.write(json.dumps(result) + "\n")
