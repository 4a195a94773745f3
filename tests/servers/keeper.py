"""The keeper: a process that cleans up after the one that starts servers.

A test may be killed at any moment, and then runs no code of its own. The keeper
makes the directory in which all servers live, and waits for the end of its
standard input, which the kernel closes when the test process is gone. Then it
ends every process that works in that directory, and removes it.

It is no child of the test process and in no session with it, so what kills the
test with all its children (ctest does after a timeout) leaves the keeper alone.

    python3 keeper.py   prints the directory's name, and when stdin ends: "gone"
"""

import ctypes
import glob
import os
import shutil
import signal
import sys
import tempfile
import time


def processes_in(directory):
    """The processes of our user that work in the directory: servers and their children."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            place = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue  # another's, or gone
        if place == directory or place.startswith(directory + "/"):
            found.append(int(pid))
    return found


def _end_processes(directory):
    # A process that is being born may be missed, but then its parent was seen: so
    # until none is left.
    for _ in range(1000):
        left = processes_in(directory)
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.005)


def _as_user(uid, gid, do):
    """Does it in a child that is this user, because in a container even root may not
    see where others' processes work, and because a user can end its own only."""
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(gid)
                os.setuid(uid)
            do()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def _remove_shared_memory(directory):
    """PostgreSQL leaves a System V segment behind when it is killed; its number stands in postmaster.pid."""
    remove = 0  # IPC_RMID
    for name in glob.glob(glob.escape(directory) + "/**/postmaster.pid", recursive=True):
        with open(name) as file:
            lines = file.read().split("\n")
        if len(lines) > 6 and len(lines[6].split()) == 2:
            ctypes.CDLL(None).shmctl(int(lines[6].split()[1]), remove, None)


def clean_up(directory):
    """Ends all that runs in the directory, and removes it."""
    try:
        owners = {(entry.stat().st_uid, entry.stat().st_gid) for entry in os.scandir(directory)}
    except FileNotFoundError:
        return
    for uid, gid in owners:
        _as_user(uid, gid, lambda: _end_processes(directory))
    _remove_shared_memory(directory)
    shutil.rmtree(directory, ignore_errors=True)


def _leave_the_family():
    """After this we are nobody's child and in a session of our own."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)


def _tell(line):
    """To whoever started us, who may have been killed by now: then nobody wants to know."""
    try:
        os.write(1, line.encode() + b"\n")
    except OSError:
        pass


def main():
    _leave_the_family()
    # A unix socket's name has room for 107 bytes.
    base = tempfile.gettempdir()
    directory = tempfile.mkdtemp(prefix="sancho-servers-", dir=base if len(base) < 40 else "/tmp")
    os.chmod(directory, 0o755)  # servers are other users
    os.chdir("/")
    _tell(directory)
    while os.read(0, 4096):
        pass
    clean_up(directory)
    _tell("gone")


if __name__ == "__main__":
    sys.exit(main())
