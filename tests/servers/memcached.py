"""memcached."""

import socket

from group import Group
from server import Server


class MemcachedNode(Server):
    """One memcached. It keeps nothing when it ends. It takes records of up to 2 MB, because
    the tests' largest have one. `settings` are further options of the command line."""

    user_name = "memcache"

    def __init__(self, place, name="memcached", megabytes=64, settings=()):
        super().__init__(place, name)
        self.port = place.free_port()
        self._megabytes = megabytes
        self._settings = settings

    def arguments(self):
        return ["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-t", "2", "-I", "2m", "-m",
                str(self._megabytes), *self._settings]

    def is_ready(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(b"version\r\n")
            return connection.recv(64).startswith(b"VERSION")

    @property
    def uri(self):
        return f"memcached://127.0.0.1:{self.port}"


class Memcached(Group):
    """Several that share the keys among them."""

    def __init__(self, place, count=2):
        super().__init__([MemcachedNode(place) for _ in range(count)])

    @property
    def uri(self):
        return "memcached://" + self.addresses()
