"""Galera: three MariaDB servers that are one database."""

import glob
import os
import re

from group import Group
from mariadb import USER, Mariadb
from process import poll

NODES = 3
APPLIERS = 4  # one alone does not catch up with those who write meanwhile on a busy machine
JOIN_SECONDS = 240  # it answers when it has caught up
PROVIDER = next(iter(glob.glob("/usr/lib/galera/libgalera_smm.so")), "/usr/lib/libgalera_smm.so")


class GaleraNode(Mariadb):
    """One of them. `bus` is the port on which nodes find each other."""

    start_seconds = JOIN_SECONDS

    def __init__(self, place, durable, password=None):
        super().__init__(place, "galera", durable, password)
        self.bus, self._ist, self._sst = place.free_port(), place.free_port(), place.free_port()
        self._cluster = None
        self._start = []  # what is said at this start only

    def join(self, nodes):
        """Before the first start: tells it who the others are."""
        self._cluster = "gcomm://" + ",".join(f"127.0.0.1:{node.bus}" for node in nodes)

    def arguments(self):
        provider = [f"gmcast.listen_addr=tcp://127.0.0.1:{self.bus}", f"ist.recv_addr=127.0.0.1:{self._ist}", "gcache.size=16M"]
        wsrep = ["--wsrep-on=ON", f"--wsrep-provider={PROVIDER}", f"--wsrep-cluster-address={self._cluster}",
                 f"--wsrep-node-name={self.name}", "--wsrep-node-address=127.0.0.1", f"--wsrep-node-incoming-address=127.0.0.1:{self.port}",
                 f"--wsrep-provider-options={';'.join(provider)}", "--wsrep-sst-method=rsync",
                 f"--wsrep-sst-receive-address=127.0.0.1:{self._sst}", f"--wsrep-slave-threads={APPLIERS}",
                 "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2"]
        return [*super().arguments(), *wsrep, *self._start]

    def launch(self, bootstraps=False):
        """As the unit of the package does it: one that was killed first finds in its tables how far
        it had come, so that it is sent what it missed instead of everything."""
        self._start = []
        self._start = ["--wsrep-new-cluster"] * bootstraps + ([] if self._is_new else self._where_it_was())
        super().launch()

    def _where_it_was(self):
        found = re.findall(r"Recovered position:\s*(\S+)", self.run(*self.arguments(), "--wsrep-recover"))
        return [f"--wsrep-start-position={position}" for position in found[-1:]]

    def status(self, name):
        """What SHOW STATUS has for this name."""
        return self.sql(f"SHOW GLOBAL STATUS LIKE '{name}'").partition("\t")[2]

    def may_bootstrap(self):
        """Whether it was the last to leave the cluster."""
        try:
            with open(os.path.join(self.data, "grastate.dat")) as file:
                return re.search(r"^safe_to_bootstrap:\s*1", file.read(), re.MULTILINE) is not None
        except FileNotFoundError:
            return False

    def is_ready(self):
        return super().is_ready() and self.status("wsrep_ready") == "ON"


class Joiner(GaleraNode):
    """Begins with nothing, and is sent the data of one that runs."""

    def prepare(self):
        self.run("mkdir", self.data)

    def settle(self):
        pass


class Galera(Group):
    """A write that one node has acknowledged is certified on all; a node that reads
    with wsrep_sync_wait=1 sees it."""

    def __init__(self, place, durable=True):
        first = GaleraNode(place, durable)
        super().__init__([first, *(Joiner(place, durable, first.password) for _ in range(NODES - 1))])
        for node in self.nodes:
            node.join(self.nodes)
        self._is_new = True

    def launch(self):
        """At first one node only, since the others need one that runs."""
        if self._is_new:
            self.nodes[0].launch(bootstraps=True)
            return
        if not any(node.runs() for node in self.nodes):
            # If all were killed there is none: then they find each other, and go on.
            for node in [node for node in self.nodes if node.may_bootstrap()][:1]:
                node.launch(bootstraps=True)
        super().launch()

    def wait(self):
        if self._is_new:
            # One after the other: two that come at once may not find a view to share, and give up.
            self.nodes[0].wait()
            for node in self.nodes[1:]:
                node.start()
            self._is_new = False
        super().wait()
        self.wait_for_size(NODES)

    def wait_for_size(self, size):
        """Until each node that runs is in a cluster of that many, and takes writes."""
        poll(lambda: all(node.status("wsrep_cluster_size") == str(size) and node.status("wsrep_local_state_comment") == "Synced"
                         and node.status("wsrep_cluster_status") == "Primary" for node in self.nodes if node.runs()),
             JOIN_SECONDS, f"the Galera cluster has {size} nodes")

    @property
    def uri(self):
        return f"mysql://{USER}:{self.nodes[0].password}@{self.addresses()}/{USER}"
