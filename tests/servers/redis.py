"""Redis: one server, on loopback and on a unix socket."""

import os

from resp import Connection, ErrorReply
from server import Server

USER = "sancho"


class Redis(Server):
    """A Redis that lets nobody in but the user `sancho` with its password.

    `durable`: each write is on the disk before it is answered. Else the disk sees none.
    `settings` are further lines of its configuration."""

    user_name = "redis"
    scheme = "redis"

    def __init__(self, place, name="redis", durable=True, password=None, settings=()):
        super().__init__(place, name)
        self.port = place.free_port()
        self.socket = os.path.join(self.directory, "socket")
        self.password = password or self.password
        self._durable = durable
        self._settings = settings

    def configuration(self):
        # Nobody can log in as the default user; but Redis 7.0 asks for its rights when it reads transactions from its
        # log, and drops those that it may not do.
        durability = ["appendonly yes", "appendfsync always"] if self._durable else ["appendonly no"]
        return ["bind 127.0.0.1", f"port {self.port}", f"dir {self.directory}", f"unixsocket {self.socket}",
                "unixsocketperm 777", 'save ""', "user default off ~* &* +@all",
                f"user {USER} on >{self.password} ~* &* +@all", *durability, *self._settings]

    def prepare(self):
        self.write("redis.conf", "\n".join(self.configuration()) + "\n")

    def arguments(self):
        return ["redis-server", os.path.join(self.directory, "redis.conf")]

    def is_ready(self):
        try:
            return self.ask("PING") == "PONG"
        except ErrorReply:
            return False  # it loads its data

    def connect(self):
        """A connection that has logged in."""
        connection = Connection(self.port, self.tls())
        connection.ask("AUTH", USER, self.password)
        return connection

    def ask(self, *words):
        """One command over a connection of its own."""
        with self.connect() as connection:
            return connection.ask(*words)

    def info(self, section):
        """INFO as a dictionary."""
        lines = self.ask("INFO", section).split("\r\n")
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def tls(self):
        return None

    @property
    def uri(self):
        return f"{self.scheme}://{USER}:{self.password}@127.0.0.1:{self.port}"

    @property
    def unix_uri(self):
        return f"redis+unix://{USER}:{self.password}@{self.socket}"
