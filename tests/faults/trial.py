"""One run of the load with something happening to it, and the verdict."""

import json
import os
import random
import signal
import subprocess
import time

import paths  # noqa: F401
import check_history
from process import die_with, poll

PATIENCE = 60  # seconds until something must have happened on a machine that is very busy


def now():
    """CLOCK_MONOTONIC in microseconds, as the load has it."""
    return time.monotonic_ns() // 1000


class Trial:
    """Runs `program` (session_load) on the store `uri`.

        trial = Trial(program, uri, directory, seed=1)
        trial.begin()
        trial.let_pass(500)
        with trial.fault("freeze"):
            ...
        trial.let_pass(500)
        verdict = trial.end()
    """

    def __init__(self, program, uri, directory, seed, processes=3, threads=4, sessions=6, timeout=5000, rate=100):
        self.history = os.path.join(directory, "history.jsonl")
        self.processes, self.threads, self.seed, self.timeout = processes, threads, seed, timeout
        self.chance = random.Random(seed)
        self.faults = 0
        self.most_sockets = 0
        self._answered, self._read = 0, 0
        self._pids = {}
        self._command = [program, "--store", uri, "--history", self.history]
        self._load = ["--seconds", "600", "--processes", processes, "--threads", threads, "--sessions", sessions,
                      "--rate", rate, "--seed", seed, "--timeout", timeout, "--respawn", "--patience", PATIENCE]
        self._child = None
        self._began = time.monotonic()

    def begin(self):
        self._child = subprocess.Popen([*self._command, *map(str, self._load)], preexec_fn=die_with(os.getpid()))
        return self

    def let_pass(self, requests):
        """Until so many more requests have been answered by the store, well or not."""
        goal = self.answered() + requests
        poll(lambda: self.answered() >= goal, PATIENCE, f"{requests} requests are answered")

    def answered(self):
        """How many requests have had what they asked for."""
        self._look()
        return self._answered

    def pids(self):
        """The processes of the load that run now, by their numbers."""
        self._look()
        return dict(self._pids)

    def _look(self):
        if self._child.poll() not in (None, 0):
            raise RuntimeError(f"the load ended with {self._child.returncode}")
        if not os.path.exists(self.history):
            return
        with open(self.history, "rb") as file:
            file.seek(self._read)
            text = file.read()
        text = text[:text.rfind(b"\n") + 1]
        self._read += len(text)
        for line in text.split(b"\n"):
            self._answered += b'"outcome":"ok"' in line
            if line.startswith(b'{"op":"process'):
                note = json.loads(line)
                if note["op"] == "process":
                    self._pids[note["p"]] = note["pid"]
                else:
                    self._pids.pop(note["p"], None)

    def note(self, op, **fields):
        """A line of the history's."""
        with open(self.history, "ab") as file:
            file.write(("\n" + json.dumps({"op": op, "began": now(), **fields}, separators=(",", ":")) + "\n").encode())

    def fault(self, name):
        """Trouble is to be expected within it, and for a while after."""
        return _Fault(self, name)

    def kill_a_process(self):
        """kill -9 of one of the load's processes; another one takes its place."""
        number, pid = self.chance.choice(sorted(self.pids().items()))
        self.note("killed", p=number)
        os.kill(pid, signal.SIGKILL)
        self.faults += 1
        poll(lambda: number not in self.pids(), PATIENCE, "the killed process is gone")

    def endure(self, seconds):
        """Lets time pass, and counts the sockets that the load has open meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.most_sockets = max(self.most_sockets, self._sockets())
            time.sleep(0.05)

    def _sockets(self):
        count = 0
        for pid in self.pids().values():
            try:
                for name in os.listdir(f"/proc/{pid}/fd"):
                    count += os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:")
            except OSError:
                pass  # it was closed, or the process is gone
        return count

    def end(self, permit=(), recovery=5.0):
        """Stops the load, has all sessions read, and judges."""
        self._child.send_signal(signal.SIGTERM)
        self._child.wait(PATIENCE * 2)
        with open(self.history, errors="replace") as file:
            verdict = check_history.judge(file, permit, slack=1500, recovery=recovery)
        verdict.seconds = round(time.monotonic() - self._began, 1)
        if self._child.returncode != 0:
            verdict.found.setdefault("unread-at-the-end", []).append(f"the load ended with {self._child.returncode}")
        return verdict


class _Fault:
    def __init__(self, trial, name):
        self._trial, self._name = trial, name

    def __enter__(self):
        self._trial.faults += 1
        self._trial.note("fault", name=self._name)

    def __exit__(self, *_):
        self._trial.note("mended", name=self._name)
