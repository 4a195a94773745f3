"""Redis with replicas, watched by Sentinels who make one of them the master when it dies."""

import os

from group import Group
from process import poll
from redis import USER, Redis
from resp import Connection, ErrorReply
from server import START_SECONDS, Server

MASTER = "mymaster"


class DataNode(Redis):
    """A master, or a replica of `master`."""

    def __init__(self, place, durable, settings, master=None):
        super().__init__(place, "sentinel-data", durable, master and master.password, settings)
        self._master = master

    def configuration(self):
        follow = [f"replicaof 127.0.0.1 {self._master.port}"] if self._master else []
        return [*super().configuration(), f"masteruser {USER}", f"masterauth {self.password}", "repl-diskless-sync-delay 0", *follow]


class SentinelNode(Server):
    """One Sentinel. It asks for no password."""

    user_name = "redis"

    def __init__(self, place, data):
        super().__init__(place, "sentinel")
        self.port = place.free_port()
        self._data = data

    def prepare(self):
        watched, quorum = self._data[0], 2
        self.write("sentinel.conf", "\n".join([
            "bind 127.0.0.1", f"port {self.port}", f"dir {self.directory}",
            f"sentinel monitor {MASTER} 127.0.0.1 {watched.port} {quorum}",
            f"sentinel auth-user {MASTER} {USER}", f"sentinel auth-pass {MASTER} {watched.password}",
            f"sentinel down-after-milliseconds {MASTER} 1500", f"sentinel failover-timeout {MASTER} 5000"]) + "\n")

    def arguments(self):
        return ["redis-server", os.path.join(self.directory, "sentinel.conf"), "--sentinel"]

    def is_ready(self):
        # It looks around each second instead of each ten, and speaks of itself twice as
        # often. Four pings within the time that makes a master dead: with the usual one
        # a second, a busy machine has masters deposed that are well.
        return self.ask("SENTINEL", "DEBUG", "INFO-PERIOD", 1000, "PUBLISH-PERIOD", 1000, "PING-PERIOD", 300) == "OK"

    def ask(self, *words):
        with Connection(self.port) as connection:
            return connection.ask(*words)

    def knows(self, replicas, sentinels):
        """Whether it has found all of them."""
        fields = self.ask("SENTINEL", "MASTER", MASTER)
        fields = dict(zip(fields[::2], fields[1::2]))
        return (int(fields["num-slaves"]), int(fields["num-other-sentinels"])) == (replicas, sentinels)

    @property
    def uri(self):
        return f"redis+sentinel://127.0.0.1:{self.port}/{MASTER}"


class Sentinel(Group):
    """A master, two replicas and three Sentinels, ready for a failover.

    `data` are the Redis servers, the first master first; `sentinels` the others.
    `settings` are further lines of the data nodes' configuration, such as
    "min-replicas-to-write 1"."""

    def __init__(self, place, durable=True, settings=()):
        first = DataNode(place, durable, settings)
        self.data = [first, *(DataNode(place, durable, settings, first) for _ in range(2))]
        self.sentinels = [SentinelNode(place, self.data) for _ in range(3)]
        super().__init__([*self.data, *self.sentinels])
        self._is_new = True

    def launch(self):
        """At first the data nodes only: a Sentinel that finds a master without replicas takes long to look again."""
        for node in self.data if self._is_new else self.nodes:
            if not node.runs():
                node.launch()

    def wait(self):
        if self._is_new:
            for node in self.data:
                node.wait()
            poll(lambda: self._following() == 2, START_SECONDS, "the replicas follow")
            self._is_new = False
            self.launch()
        super().wait()
        self.wait_until_whole()

    def wait_until_whole(self):
        """Until each replica follows and each Sentinel knows all: before that a failover may find nobody."""
        def ready():
            try:
                return self._following() == 2 and all(sentinel.knows(2, 2) for sentinel in self.sentinels)
            except (OSError, EOFError, ErrorReply):
                return False
        poll(ready, START_SECONDS, "replicas follow, and the sentinels know them")

    def _following(self):
        return [node.info("replication").get("master_link_status") for node in self.data].count("up")

    def master(self):
        """The data node that a majority of the Sentinels takes for the master; None without one."""
        votes = []
        for sentinel in self.sentinels:
            try:
                votes.append(int(sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)[1]))
            except (OSError, EOFError, ErrorReply):
                pass
        return next((node for node in self.data if votes.count(node.port) >= 2), None)

    @property
    def uri(self):
        sentinels = ",".join(f"127.0.0.1:{node.port}" for node in self.sentinels)
        return f"redis+sentinel://{USER}:{self.data[0].password}@{sentinels}/{MASTER}"
