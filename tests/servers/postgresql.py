"""PostgreSQL: one server, and a standby that follows another."""

import glob
import os
import signal
import urllib.parse

from group import Group
from process import poll
from server import START_SECONDS, Server, Trouble

ROLE = "sancho"
ADMIN = "admin"


def program(name):
    """PostgreSQL's programs, the newest there are."""
    found = glob.glob(f"/usr/lib/postgresql/*/bin/{name}")
    return max(found, key=lambda path: float(path.split("/")[4]), default=name)


class Postgresql(Server):
    """A server with a role `sancho`, who has a password and a database of that name.

    `durable`: as installed, a commit is on the disk before it is answered. Else
    the disk is not waited for. `settings` are further lines of postgresql.conf."""

    user_name = "postgres"
    stop_signal = signal.SIGINT  # does not wait for clients to leave
    transport = "host"  # of who comes by its port, as pg_hba.conf has it

    def __init__(self, place, name="postgresql", durable=True, settings=()):
        super().__init__(place, name)
        self.port = place.free_port()
        self.data = os.path.join(self.directory, "data")
        self._durable = durable
        self._settings = settings

    def prepare(self):
        self.run(program("initdb"), "-D", self.data, "-U", ADMIN, "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
        self.configure()

    def configure(self):
        durability = [] if self._durable else ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]
        self.write("data/postgresql.conf", "\n".join([
            "listen_addresses = '127.0.0.1'", f"port = {self.port}", f"unix_socket_directories = '{self.directory}'",
            "password_encryption = 'scram-sha-256'", "wal_level = replica", "max_wal_senders = 4", "wal_keep_size = '64MB'",
            f"cluster_name = '{self.name}'", *durability, *self._settings]) + "\n")
        self.write("data/pg_ident.conf", f"own {self.user.name} {ADMIN}\n")
        self.write("data/pg_hba.conf", "\n".join([
            f"local all {ADMIN} peer map=own", f"local replication {ADMIN} peer map=own",
            "local all all scram-sha-256", f"{self.transport} all all 127.0.0.1/32 scram-sha-256"]) + "\n")

    def arguments(self):
        return [program("postgres"), "-D", self.data]

    def is_ready(self):
        """Its own file says so, as pg_ctl has it."""
        with open(os.path.join(self.data, "postmaster.pid")) as file:
            lines = file.read().split("\n")
        return lines[0] == str(self._process.pid) and len(lines) > 7 and lines[7].strip() in ("ready", "standby")

    def settle(self):
        self.sql(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{self.password}'", f"CREATE DATABASE {ROLE} OWNER {ROLE}")

    def sql(self, *statements, database="postgres"):
        """Runs statements as the administrator, and returns the last one's rows, columns parted by |."""
        each = [word for statement in statements for word in ("-c", statement)]
        return self.run(program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.directory, "-p", str(self.port),
                        "-U", ADMIN, "-d", database, *each).strip()

    @property
    def uri(self):
        return f"postgresql://{ROLE}:{self.password}@127.0.0.1:{self.port}/{ROLE}"

    @property
    def unix_uri(self):
        host = urllib.parse.quote(self.directory, safe="")
        return f"postgresql://{ROLE}:{self.password}@/{ROLE}?host={host}&port={self.port}"


class Standby(Postgresql):
    """A standby that follows `primary`, a server that runs. Same role and password.

    With `synchronous`, the primary answers no commit before the standby has it."""

    def __init__(self, place, primary, name="postgresql-standby", synchronous=False):
        super().__init__(place, name, durable=primary._durable)
        self.primary = primary
        self.password = primary.password
        self._synchronous = synchronous

    def prepare(self):
        source = f"host={self.primary.directory} port={self.primary.port} user={ADMIN}"
        self.run(program("pg_basebackup"), "-D", self.data, "-X", "stream", "--checkpoint=fast", "--no-sync", "-d", source)
        # Five seconds is the usual pause before it looks for its primary again.
        self._settings = [f"primary_conninfo = '{source} application_name={self.name}'", "wal_retrieve_retry_interval = '200ms'"]
        self.configure()
        self.write("data/standby.signal", "")

    def settle(self):
        poll(self.follows, START_SECONDS, f"{self.name} follows")
        if self._synchronous:
            self.primary.sql(f"ALTER SYSTEM SET synchronous_standby_names = '\"{self.name}\"'", "SELECT pg_reload_conf()")
            poll(lambda: self._state() == "streaming|sync", START_SECONDS, f"{self.name} is synchronous")

    def follows(self):
        return self._state().startswith("streaming")

    def promote(self):
        """Makes it a server that takes writes."""
        if self.sql("SELECT pg_promote(true, 60)") != "t":
            raise Trouble(f"{self.name} was not promoted")

    def _state(self):
        return self.primary.sql(f"SELECT state, sync_state FROM pg_stat_replication WHERE application_name = '{self.name}'")


class PostgresqlPair(Group):
    """A primary and a synchronous standby: what was acknowledged outlives the primary.
    The URI names both, and means the one that takes writes."""

    def __init__(self, place, durable=True):
        self.primary = Postgresql(place, "postgresql-primary", durable)
        self.standby = Standby(place, self.primary, synchronous=True)
        super().__init__([self.primary, self.standby])

    def launch(self):
        """The standby copies a primary that runs, so it comes after it."""
        self.primary.launch()

    def wait(self):
        self.primary.wait()
        if not self.standby.runs():
            self.standby.start()

    @property
    def uri(self):
        return f"postgresql://{ROLE}:{self.primary.password}@{self.addresses()}/{ROLE}?target_session_attrs=read-write"
