"""What happens to the load, one function a fault. Each is given the trial, which runs,
and the servers; and returns when all is well again. The seconds until the store must
serve again after each are in RECOVERY."""

import os

import paths  # noqa: F401
from process import poll

FULL = os.environ.get("SANCHO_FULL") == "1"
ROUNDS = 5 if FULL else 1          # of each fault in one run
PAUSE = 1000 if FULL else 300      # requests between two of them
FREEZE_SECONDS = 10
PATIENCE = 120

# Milliseconds until a call gives up: less than it is frozen for.
TIMEOUT = {"frozen": 1500}
RECOVERY = {"frozen": 2.0, "master_killed": 8.0, "promoted": 8.0, "node_killed": 15.0}


def nothing(trial, _servers):
    trial.let_pass(PAUSE * 5 * ROUNDS)


def clients_killed(trial, _servers):
    """kill -9 of processes of the application: nothing is half written, nothing that was
    acknowledged is lost, and the others do not even notice."""
    for _ in range(5 * ROUNDS):
        trial.let_pass(PAUSE // 3)
        trial.kill_a_process()


def restarted(trial, server):
    """An administrator restarts the server."""
    for _ in range(ROUNDS):
        with trial.fault("restarted"):
            server.stop()
            server.start()
        trial.let_pass(PAUSE)


def killed(trial, server):
    """kill -9 of the server, which is then started again on what it left."""
    for _ in range(ROUNDS):
        with trial.fault("killed"):
            server.kill()
            server.start()
        trial.let_pass(PAUSE)


def frozen(trial, server):
    """The server keeps its connections and answers nothing."""
    for _ in range(ROUNDS):
        with trial.fault("frozen"):
            server.freeze()
            try:
                trial.endure(FREEZE_SECONDS)
            finally:
                server.thaw()
        trial.let_pass(PAUSE)


def master_killed(trial, servers):
    """kill -9 of a master, of Redis Cluster or under Sentinels; a replica takes its place. It
    comes back as a replica."""
    for _ in range(ROUNDS):
        masters = servers.masters() if hasattr(servers, "masters") else [servers.master()]
        victim = trial.chance.choice(masters)
        with trial.fault("master_killed"):
            victim.kill()
            poll(lambda: _has_another_master(servers, victim, len(masters)), PATIENCE, "a replica takes over")
        trial.let_pass(PAUSE)
        with trial.fault("master_back"):
            victim.start()
            servers.wait_until_whole()
        trial.let_pass(PAUSE)


def _has_another_master(servers, victim, count):
    if not hasattr(servers, "masters"):
        master = servers.master()
        return master not in (None, victim) and master.info("replication")["role"] == "master"
    return len(servers.masters()) == count and all(
        "cluster_state:ok" in node.ask("CLUSTER", "INFO") for node in servers.nodes if node.runs())


def slots_moved(trial, cluster):
    """Hash slots move from one master to another, as when a cluster grows. Nobody notices."""
    slots = sorted({cluster.slot_of(key) for node in cluster.masters() for key in node.ask("KEYS", "*")})
    for slot in trial.chance.sample(slots, min(len(slots), 10 * ROUNDS)):
        source = cluster.owner(slot)
        target = trial.chance.choice([node for node in cluster.masters() if node is not source])
        cluster.open_move(slot, source, target)
        trial.let_pass(PAUSE // 10)
        cluster.move_keys(slot, source, target)
        trial.let_pass(PAUSE // 10)
        cluster.close_move(slot, target)
        trial.faults += 1
        trial.let_pass(PAUSE // 10)


def node_killed(trial, galera):
    """kill -9 of a node of Galera; the others go on, and it comes back."""
    for _ in range(ROUNDS):
        victim = trial.chance.choice(galera.nodes)
        with trial.fault("node_killed"):
            victim.kill()
            galera.wait_for_size(len(galera.nodes) - 1)
        trial.let_pass(PAUSE)
        with trial.fault("node_back"):
            victim.start()
            galera.wait_for_size(len(galera.nodes))
        trial.let_pass(PAUSE)


def promoted(trial, pair):
    """The primary dies, and its standby is promoted. It does not come back. A standby that
    nobody waits for is late, so that it is seen what is lost then."""
    if getattr(pair, "is_late", False):
        pair.hold_back()
        trial.let_pass(PAUSE // 3)
    with trial.fault("promoted"):
        pair.primary.kill()
        pair.standby.promote()
        pair.standby.sql("ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
    trial.let_pass(PAUSE)
