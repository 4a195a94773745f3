"""Where the load is played: each store's engine, how durable it is, and what its
page permits after which fault."""

import os
import signal
from dataclasses import dataclass, field
from typing import Callable

import paths  # noqa: F401
from kinds import KINDS
from postgresql import PostgresqlPair, Standby

# What asynchronous replication may forget, and all that follows from it: a
# session without its last writes, without its logout, or not at all.
FORGETTING = ("lost-acknowledged-writes", "lost-sessions", "revived-sessions", "tokens-claimed-twice", "lost-tokens", "stale-reads")

# InnoDB shows others a commit before its log is on the disk and its writer is
# told: a crash in between undoes what they have seen.
UNDOING = ("undone-reads",)


@dataclass
class Venue:
    """`kind` of server (see tests/servers), or None for a store that is files: then `uri`
    makes its URI in a directory. `make`: another server than is usual for the kind."""
    kind: str | None = None
    uri: Callable | None = None
    make: Callable | None = None
    processes: int = 3
    rate: int = 100  # requests a second of each of its threads, if the store serves so many
    faults: tuple = ()
    permits: dict = field(default_factory=dict)  # fault -> anomalies
    recovery: dict = field(default_factory=dict)  # fault -> seconds, where it takes longer than elsewhere

    def server(self, place):
        """The server, which is not started yet; None for files."""
        make = self.make or (KINDS[self.kind].make if self.kind else None)
        return make(place, True) if make else None


class AsynchronousPair(PostgresqlPair):
    """The primary waits for no standby, which lacks the last moment when it is promoted."""

    is_late = True

    def __init__(self, place, durable=True):
        super().__init__(place, durable)
        self.standby = Standby(place, self.primary, "postgresql-late")
        self.nodes = [self.primary, self.standby]

    def hold_back(self):
        """From now on the standby is sent nothing more."""
        (sender,) = self.primary.sql("SELECT pid FROM pg_stat_replication").split()
        os.kill(int(sender), signal.SIGSTOP)


ONE_SERVER = ("nothing", "clients_killed", "restarted", "killed", "frozen")

VENUES = {
    "memory": Venue(uri=lambda directory: "memory:", processes=1, faults=("nothing",)),
    "dir": Venue(uri=lambda directory: "dir:" + os.path.join(directory, "sessions"), faults=("nothing", "clients_killed")),
    "sqlite": Venue(uri=lambda directory: "sqlite:" + os.path.join(directory, "sessions.db"), faults=("nothing", "clients_killed")),
    "lmdb": Venue(uri=lambda directory: "lmdb:" + os.path.join(directory, "sessions.lmdb"), faults=("nothing", "clients_killed")),
    # Once it goes on, the server first forks for everybody who knocked and gave up meanwhile.
    "postgresql": Venue("postgresql", faults=ONE_SERVER, recovery={"frozen": 4.0}),
    "postgresql_pair": Venue("postgresql_pair", faults=("nothing", "promoted")),
    "postgresql_async": Venue("postgresql_pair", make=AsynchronousPair, faults=("promoted",), permits={"promoted": FORGETTING}),
    "async_postgresql": Venue("postgresql", faults=("restarted", "killed", "frozen")),  # the load of tests/postgresql/async_load.cpp
    "async_postgresql_pair": Venue("postgresql_pair", faults=("promoted",)),
    "mysql": Venue("mysql", faults=ONE_SERVER, permits={"killed": UNDOING}),
    # A node that comes back has to apply what it missed faster than others write on; nothing holds them up for it.
    "galera": Venue("galera", rate=25, faults=("nothing", "node_killed")),
    "redis": Venue("redis", faults=ONE_SERVER),
    "sentinel": Venue("sentinel", faults=("nothing", "master_killed"), permits={"master_killed": FORGETTING}),
    "cluster": Venue("cluster", faults=("nothing", "master_killed", "slots_moved"), permits={"master_killed": FORGETTING}),
    # The same servers; the load (async_session_load) reaches them by the stores for coroutines.
    "async_redis": Venue("redis", faults=("restarted", "killed", "frozen")),
    "async_cluster": Venue("cluster", faults=("master_killed", "slots_moved"), permits={"master_killed": FORGETTING}),
    # It keeps nothing when it ends: then everybody has to log in again, and no more than that.
    "memcached": Venue("memcached", faults=ONE_SERVER, permits={fault: ("lost-sessions", "lost-tokens") for fault in ("restarted", "killed")}),
}
