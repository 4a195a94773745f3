"""A server's process and its children, as one."""

import ctypes
import os
import signal
import subprocess
import threading
import time

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"  # servers are among the administrator's programs
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_libc = ctypes.CDLL(None)


def poll(condition, seconds, what):
    """Waits until the condition holds, and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.01)


def die_with(parent):
    """For `preexec_fn`: the kernel kills this process when the thread that started it ends.

    It comes after the change of user, which would undo it. It is the second line
    behind the keeper, and does not reach grandchildren."""
    def prepare():
        _libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # it ended before the kernel was told
    return prepare


def _parents():
    """Each process of the machine with its parent and its state."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        found[int(pid)] = (int(parent), state)
    return found


def family(pid):
    """A process and all that descend from it."""
    parents, found = _parents(), [pid]
    for each in found:
        found += [child for child, (parent, _) in parents.items() if parent == each]
    return found


def gone(pids):
    """Whether all of them have ended."""
    now = _parents()
    return all(now.get(pid, (0, "Z"))[1] == "Z" for pid in pids)


def environment(directory):
    """What a server is told: nothing of ours."""
    return {"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": directory,
            "TMPDIR": directory}


class Process:
    """A process that was started as `user` in `directory`, and writes to the file `log`."""

    def __init__(self, arguments, directory, user, log):
        # A thread that ends would take its children along.
        lasting = threading.current_thread() is threading.main_thread()
        with open(log, "ab") as output:
            self._child = subprocess.Popen(
                arguments, cwd=directory, env=environment(directory), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, preexec_fn=die_with(os.getpid()) if lasting else None, **user.become)
        self.pid = self._child.pid

    def runs(self):
        return self._child.poll() is None

    def status(self):
        return self._child.returncode

    def signal(self, number):
        if self.runs():
            self._child.send_signal(number)

    def wait(self, seconds):
        """True if it ended within that time."""
        try:
            self._child.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def signal_all(self, number):
        """First the father, so that none is born meanwhile."""
        if not self.runs():
            return []
        self.signal(signal.SIGSTOP)
        pids = family(self.pid)
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        return pids

    def kill(self):
        """Returns when all of them are gone."""
        pids = self.signal_all(signal.SIGKILL)
        self._child.wait()
        poll(lambda: gone(pids), 30, "killed processes are gone")
