"""MariaDB: one server."""

import os
import socket

from server import Server

USER = "sancho"


class Mariadb(Server):
    """A server with a user `sancho`, who has a password and a database of that name.

    `durable`: as installed, a commit is on the disk before it is answered. Else
    the disk is not waited for. `settings` are further options of the command line."""

    user_name = "mysql"

    def __init__(self, place, name="mariadb", durable=True, password=None, settings=()):
        super().__init__(place, name)
        self.port = place.free_port()
        self.data = os.path.join(self.directory, "data")
        self.socket = os.path.join(self.directory, "socket")
        self.password = password or self.password
        self._durable = durable
        self._settings = settings

    def prepare(self):
        # The user the server runs as is its administrator, by the socket and without a password.
        self.run("mariadb-install-db", "--no-defaults", f"--datadir={self.data}", "--skip-test-db", "--skip-name-resolve",
                 "--innodb-log-file-size=8M", f"--auth-root-socket-user={self.user.name}")

    def arguments(self):
        durability = [] if self._durable else ["--innodb-flush-log-at-trx-commit=0"]
        return ["mariadbd", "--no-defaults", f"--datadir={self.data}", f"--socket={self.socket}", f"--pid-file={self.directory}/pid",
                f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve", f"--tmpdir={self.directory}",
                "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M", "--character-set-server=utf8mb4",
                *durability, *self._settings]

    def is_ready(self):
        """It greets those who come."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(self.socket)
            return connection.recv(5)[4:] == b"\x0a"

    def settle(self):
        self.sql(f"CREATE DATABASE {USER}; CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{self.password}';"
                 f"CREATE USER {USER}@localhost IDENTIFIED BY '{self.password}';"
                 f"GRANT ALL ON {USER}.* TO {USER}@'127.0.0.1', {USER}@localhost")

    def sql(self, statements):
        """Runs statements as the administrator, and returns the rows, columns parted by tabs."""
        return self.run("mariadb", "--no-defaults", f"--socket={self.socket}", f"--user={self.user.name}", "--batch",
                        "--skip-column-names", text=statements).strip()

    @property
    def uri(self):
        return f"mysql://{USER}:{self.password}@127.0.0.1:{self.port}/{USER}"
