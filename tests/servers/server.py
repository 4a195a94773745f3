"""What all servers can do."""

import os
import secrets
import signal
import subprocess

from place import Place
from process import Process, environment, poll
from users import user_for

START_SECONDS = 90  # on a machine that is very busy


class Trouble(Exception):
    """A server did not do what it was asked to; the message has the end of its log."""


class Server:
    """One server in a directory of its own. It keeps its data and its ports until its
    place is closed, whatever happens to its processes.

    Those who make one give it a `Place` and call `start`. A subclass says
    `program`, `arguments`, `is_ready`, and `uri`."""

    user_name = "nobody"
    stop_signal = signal.SIGTERM
    start_seconds = START_SECONDS

    def __init__(self, place: Place, name):
        self.user = user_for(self.user_name)
        self.directory = place.directory_for(name, self.user)
        self.name = os.path.basename(self.directory)
        self.password = secrets.token_hex(12)
        self._log = os.path.join(self.directory, "log")
        self._process = None
        self._is_new = True
        place.at_close(self.kill)

    # What a subclass says.

    def prepare(self):
        """Makes the data directory; once, before the first start."""

    def arguments(self):
        """The command line."""
        raise NotImplementedError

    def is_ready(self):
        """Whether it answers; may raise OSError if not."""
        raise NotImplementedError

    def settle(self):
        """Makes users and the like; once, after the first start."""

    @property
    def uri(self):
        """By which a store is opened."""
        raise NotImplementedError

    # What it does.

    def launch(self):
        """Starts the process and does not wait for it."""
        if self.runs():
            raise Trouble(f"{self.name} runs already")
        if self._is_new:
            self.prepare()
        self._process = Process(self.arguments(), self.directory, self.user, self._log)

    def wait(self):
        """Waits until what was launched answers."""
        poll(self._answers, self.start_seconds, f"{self.name} answers")
        if self._is_new:
            self.settle()
            self._is_new = False

    def start(self):
        """Starts it, on the data and the port that it had; returns when it answers."""
        self.launch()
        self.wait()

    def stop(self):
        """Asks it to end, as an administrator would, and waits for it."""
        self.thaw()
        if self.runs():
            self._process.signal(self.stop_signal)
            if not self._process.wait(60):
                self._process.kill()

    def kill(self):
        """kill -9, it and its children."""
        if self.runs():
            self._process.kill()

    def freeze(self):
        """It keeps its connections and answers nothing."""
        self._process.signal_all(signal.SIGSTOP)

    def thaw(self):
        if self.runs():
            self._process.signal_all(signal.SIGCONT)

    def runs(self):
        return self._process is not None and self._process.runs()

    def log(self):
        """What it has written so far."""
        if not os.path.exists(self._log):
            return ""
        with open(self._log, errors="replace") as file:
            return file.read()

    # For subclasses.

    def run(self, *arguments, text=None):
        """Runs a program as the server's user, and returns what it prints."""
        done = subprocess.run(arguments, input=text or "", cwd=self.directory, env=environment(self.directory), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=START_SECONDS, **self.user.become)
        if done.returncode != 0:
            raise Trouble(f"{os.path.basename(arguments[0])} for {self.name} failed:\n{done.stdout}")
        return done.stdout

    def write(self, name, text):
        """A file in the server's directory that only the server can read."""
        path = os.path.join(self.directory, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        if self.user.become:
            os.chown(path, self.user.uid, self.user.gid)
        return path

    def _answers(self):
        if not self.runs():
            raise Trouble(f"{self.name} ended with {self._process.status()}. Its log ends with:\n{self.log()[-4000:]}")
        try:
            return self.is_ready()
        except (OSError, EOFError):
            return False
