"""Servers under measurement: started, pinned, asked whether they do what they are to, ended."""

import contextlib
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import time

SESSIONS = 1000
CORES = sorted(os.sched_getaffinity(0))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """`commands`: [(words, more environment)], of which one listens on `port`."""

    def __init__(self, commands, port, log):
        self.port, self.log = port, pathlib.Path(log)
        with open(log, "wb") as out:
            self.processes = [subprocess.Popen([str(w) for w in words], env={**os.environ, **more}, start_new_session=True, stdin=subprocess.DEVNULL,
                                               stdout=out, stderr=out, preexec_fn=lambda: os.sched_setaffinity(0, {CORES[0]}))
                              for words, more in commands]
        until = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > until or any(p.poll() is not None for p in self.processes):
                self.stop()
                raise RuntimeError(f"{commands} does not serve:\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.05)

    def _answers(self):
        """What stands in front may be up before what is behind it."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            connection.request("GET", "/")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _pids(self):
        """Of all that it started: they are in its sessions."""
        ours = {p.pid for p in self.processes}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) in ours:
                    yield int(entry.name)

    def cpu(self):
        """Seconds of CPU that it has used, to the nanosecond: the clocks of its processes, which count threads that ended too."""
        used = 0.0
        for pid in self._pids():
            with contextlib.suppress(OSError):
                used += time.clock_gettime((~pid << 3) | 2)
        return used

    def stop(self):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Asker:
    """One connection, kept where the server keeps it."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def ask(self, path, cookie=None):
        """(the text, the cookie now)"""
        self.connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"{path} is answered with {answer.status}: {text[:500]}")
        made = "; ".join(v.partition(";")[0] for k, v in answer.getheaders() if k.lower() == "set-cookie")
        return text.strip(), made or cookie


def try_out(port, on, cookies_file):
    """Sees that the server does what is measured, and writes down what its requests bring with them."""
    asker = Asker(port)
    if not on:
        if asker.ask("/read")[0] != "user1" or not asker.ask("/write")[0].isdigit():
            raise RuntimeError("without sessions it does not answer as it is to")
        return
    cookies = []
    for i in range(SESSIONS):
        cookies.append(asker.ask(f"/login?user=user{i}")[1])
    if len(set(cookies)) != SESSIONS:
        raise RuntimeError("a login makes no session of its own")
    for i in (0, SESSIONS - 1):
        if asker.ask("/read", cookies[i])[0] != f"user{i}" or [asker.ask("/write", cookies[i])[0] for _ in range(2)] != ["1", "2"]:
            raise RuntimeError("it keeps no sessions")
    pathlib.Path(cookies_file).write_text("\n".join(cookies) + "\n")
