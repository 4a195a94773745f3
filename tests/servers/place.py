"""Where servers live: a temporary directory that does not outlive us."""

import os
import subprocess
import sys

from keeper import clean_up
from ports import free_port
from users import User

_KEEPER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "keeper.py")


class Place:
    """A temporary directory and the keeper who ends what runs in it, and removes it,
    when this process closes it or ends, however it ends.

        with Place() as place:
            redis = Redis(place)
            redis.start()
    """

    def __init__(self):
        self._keeper = subprocess.Popen([sys.executable, "-E", "-S", _KEEPER], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, cwd="/")
        self.directory = self._keeper.stdout.readline().strip()
        if not self.directory:
            raise OSError("the keeper of temporary directories did not start")
        self._keeper.wait()  # the keeper proper is its grandchild
        self._names = set()
        self._at_close = []

    def directory_for(self, name, user: User):
        """A new directory of that user's, called `name`, or `name-2` and so on."""
        unique, number = name, 1
        while unique in self._names:
            number += 1
            unique = f"{name}-{number}"
        self._names.add(unique)
        directory = os.path.join(self.directory, unique)
        os.mkdir(directory, 0o755)
        os.chmod(directory, 0o755)
        if user.become:
            os.chown(directory, user.uid, user.gid)
        return directory

    def free_port(self):
        """A port of 127.0.0.1 that is nobody else's until the place is closed."""
        port, holder = free_port()
        self.at_close(holder.close)
        return port

    def at_close(self, do):
        """Does it after everything has ended."""
        self._at_close.append(do)

    def close(self):
        """Ends everything, and returns when it is gone."""
        if self._keeper.stdin.closed:
            return
        self._keeper.stdin.close()
        self._keeper.stdout.read()  # until the keeper is gone
        self._keeper.stdout.close()
        clean_up(self.directory)  # in case that somebody killed the keeper
        for do in self._at_close:
            do()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
