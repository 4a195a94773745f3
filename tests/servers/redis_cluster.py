"""Redis Cluster: three masters and a replica of each."""

from cluster_slots import SLOTS, SlotMoves
from group import Group
from process import poll
from redis import USER, Redis
from resp import ErrorReply
from server import START_SECONDS

MASTERS = 3
NODE_TIMEOUT_MS = 1000


class ClusterNode(Redis):
    """One of them; `id` is its name within the cluster."""

    def __init__(self, place, durable, password=None):
        super().__init__(place, "cluster", durable, password)
        self.bus = place.free_port()
        self.id = None

    def configuration(self):
        return [*super().configuration(), "cluster-enabled yes", f"cluster-node-timeout {NODE_TIMEOUT_MS}", f"cluster-port {self.bus}",
                f"masteruser {USER}", f"masterauth {self.password}", "repl-diskless-sync-delay 0"]

    def settle(self):
        self.id = self.ask("CLUSTER", "MYID")

    def peers(self):
        """CLUSTER NODES: for each node that this one knows, its fields; its own first."""
        rows = [line.split(" ") for line in self.ask("CLUSTER", "NODES").splitlines()]
        return sorted(rows, key=lambda row: row[0] != self.id)

    def is_master(self):
        return "master" in self.peers()[0][2]

    def sees_all_well(self, count):
        """Whether it knows `count` nodes, none of them failing, half of them masters, and is in touch with its own master."""
        peers = self.peers()
        flags = [row[2] for row in peers]
        masters = sum("master" in flag for flag in flags)
        well = not any(word in flag for flag in flags for word in ("fail", "handshake", "noaddr"))
        whole = "cluster_state:ok" in self.ask("CLUSTER", "INFO")
        in_touch = "master" in flags[0] or self.info("replication").get("master_link_status") == "up"
        return (len(peers), masters) == (count, count // 2) and well and whole and in_touch


class RedisCluster(SlotMoves, Group):
    """Each master has a third of the slots. All nodes have the same user and password."""

    def __init__(self, place, durable=True):
        first = ClusterNode(place, durable)
        super().__init__([first, *(ClusterNode(place, durable, first.password) for _ in range(2 * MASTERS - 1))])
        self._is_new = True

    def wait(self):
        super().wait()
        if self._is_new:
            self._create()
            self._is_new = False
        self.wait_until_whole()

    def wait_until_whole(self):
        """Until all nodes agree that all is well and each replica follows: before that, a failover takes long."""
        poll(lambda: self._all(lambda node: node.sees_all_well(2 * MASTERS)), START_SECONDS, "the Redis cluster is whole")

    def masters(self):
        return [node for node in self.nodes if node.runs() and node.is_master()]

    def replica_of(self, master):
        """A node that follows this one."""
        return next(node for node in self.nodes if node.runs() and node.peers()[0][3] == master.id)

    @property
    def uri(self):
        return f"redis-cluster://{USER}:{self.nodes[0].password}@{self.addresses()}"

    def _create(self):
        """What `redis-cli --cluster create` does, without its pauses."""
        first, masters, replicas = self.nodes[0], self.nodes[:MASTERS], self.nodes[MASTERS:]
        for number, node in enumerate(masters):
            node.ask("CLUSTER", "ADDSLOTSRANGE", number * SLOTS // MASTERS, (number + 1) * SLOTS // MASTERS - 1)
        for number, node in enumerate(self.nodes):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            first.ask("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus)
        names = {node.id for node in self.nodes}
        poll(lambda: self._all(lambda node: {row[0] for row in node.peers()} == names), START_SECONDS, "the cluster's nodes know each other")
        for master, replica in zip(masters, replicas):
            replica.ask("CLUSTER", "REPLICATE", master.id)

    def _all(self, holds):
        try:
            return all(holds(node) for node in self.nodes)
        except (OSError, EOFError, ErrorReply):
            return False
