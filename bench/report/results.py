"""What was measured, in docs/performance/results.json: each question by itself, so that one can be asked anew."""

import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PLACE = pathlib.Path("docs/performance")
FILE = PLACE / "results.json"
ENOUGH_TURNS = 9


def load(root=ROOT):
    path = root / FILE
    return json.loads(path.read_text()) if path.exists() else {}


def save(results, root=ROOT):
    path = root / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def is_rehearsal(result):
    return result["turns"] < ENOUGH_TURNS
