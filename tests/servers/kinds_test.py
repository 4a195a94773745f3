"""Facts about each kind of server: kinds_test.py KIND. Each starts, answers, can be
killed and has its data when it is started again; and what is special to it."""

import socket
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True

from galera import Galera  # noqa: E402
from kinds import what_is_missing  # noqa: E402
from mariadb import USER, Mariadb  # noqa: E402
from mariadb_tls import MariadbTls  # noqa: E402
from memcached import Memcached  # noqa: E402
from place import Place  # noqa: E402
from postgresql import Postgresql, PostgresqlPair, program  # noqa: E402
from postgresql_tls import PostgresqlTls  # noqa: E402
from process import poll  # noqa: E402
from redis import Redis  # noqa: E402
from redis_cluster import RedisCluster  # noqa: E402
from redis_tls import RedisTls  # noqa: E402
from resp import Connection, ErrorReply  # noqa: E402
from sentinel import Sentinel  # noqa: E402
from server import Trouble  # noqa: E402

SECONDS = 60


def run(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=SECONDS)


def refused(port):
    """Whether nobody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=SECONDS).close()
        return False
    except ConnectionRefusedError:
        return True


class Facts(unittest.TestCase):
    def server(self, make, **more):
        place = Place()
        self.addCleanup(place.close)
        server = make(place, **more)
        server.start()
        return server

    def assert_keeps(self, server, write, read):
        """What was written is there after a kill and after a stop, at the same address."""
        write()
        for end in (server.kill, server.stop):
            uri = server.uri
            end()
            self.assertTrue(refused(server.port))
            server.start()
            self.assertEqual(server.uri, uri)
            self.assertEqual(read(), "kept")

    def assert_freezes(self, server, asks):
        """Frozen, it takes connections and answers nobody; thawed, it answers."""
        server.freeze()
        with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
            connection.settimeout(0.2)
            connection.sendall(b"PING\r\n")
            with self.assertRaises(TimeoutError):
                connection.recv(1)
        server.thaw()
        self.assertTrue(asks())


class PostgresqlFacts(Facts):
    def psql(self, uri, statement):
        return run(program("psql"), "-X", "-A", "-t", "-c", statement, uri)


class PostgresqlTest(PostgresqlFacts):
    def test_it_keeps_what_it_has_and_freezes(self):
        server = self.server(Postgresql)
        self.assert_keeps(server, lambda: self.psql(server.uri, "CREATE TABLE t AS SELECT 'kept' AS a"),
                          lambda: self.psql(server.unix_uri, "SELECT a FROM t").stdout.strip())
        self.assert_freezes(server, lambda: self.psql(server.uri, "SELECT 1").stdout)
        self.assertEqual(server.sql("SHOW fsync"), "on")
        self.assertIn("database system is ready", server.log())

    def test_a_wrong_password_opens_nothing(self):
        server = self.server(Postgresql, durable=False)
        for uri in (server.uri, server.unix_uri):
            done = self.psql(uri.replace(server.password, "wrong"), "SELECT 1")
            self.assertIn("password authentication failed", done.stderr)
        self.assertEqual(server.sql("SHOW fsync"), "off")

    def test_of_a_pair_the_standby_has_all_that_was_acknowledged(self):
        pair = self.server(PostgresqlPair)
        self.psql(pair.uri, "CREATE TABLE t AS SELECT 'kept' AS a")
        pair.primary.kill()
        self.assertIn("read-only", self.psql(pair.standby.uri, "DROP TABLE t").stderr)
        pair.standby.promote()
        self.assertEqual(self.psql(pair.uri, "UPDATE t SET a = a RETURNING a").stdout.split(), ["kept", "UPDATE", "1"])


class PostgresqlTlsTest(PostgresqlFacts):
    def test_it_speaks_tls_only_and_its_authority_has_signed(self):
        server = self.server(PostgresqlTls)
        self.assertEqual(self.psql(server.uri, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").stdout, "t\n")
        self.assertIn("certificate verify failed", self.psql(server.uri_of_strangers, "SELECT 1").stderr)
        self.assertIn("no encryption", self.psql(server.uri.replace("verify-full", "disable"), "SELECT 1").stderr)
        self.assert_keeps(server, lambda: self.psql(server.uri, "CREATE TABLE t AS SELECT 'kept' AS a"),
                          lambda: self.psql(server.uri, "SELECT a FROM t").stdout.strip())


class MysqlFacts(Facts):
    def mysql(self, server, statement, password=None, more=()):
        return run("mariadb", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", f"--port={server.port}", f"--user={USER}",
                   f"--password={password or server.password}", *more, "--batch", "--skip-column-names", "-e", statement, USER)


class MysqlTest(MysqlFacts):
    def test_it_keeps_what_it_has_and_freezes(self):
        server = self.server(Mariadb)
        self.assert_keeps(server, lambda: self.mysql(server, "CREATE TABLE t AS SELECT 'kept' AS a"),
                          lambda: self.mysql(server, "SELECT a FROM t").stdout.strip())
        self.assertEqual(server.sql("SELECT @@innodb_flush_log_at_trx_commit"), "1")
        server.freeze()
        with socket.create_connection(("127.0.0.1", server.port), timeout=0.2) as connection:
            with self.assertRaises(TimeoutError):
                connection.recv(1)
        server.thaw()
        self.assertEqual(self.mysql(server, "SELECT 1").stdout, "1\n")

    def test_a_wrong_password_opens_nothing(self):
        server = self.server(Mariadb, durable=False)
        self.assertIn("Access denied", self.mysql(server, "SELECT 1", "wrong").stderr)
        self.assertEqual(server.sql("SELECT @@innodb_flush_log_at_trx_commit"), "0")


class MysqlTlsTest(MysqlFacts):
    def test_it_speaks_tls_only_and_its_authority_has_signed(self):
        server = self.server(MariadbTls)

        def ask(statement, ca=None):
            return self.mysql(server, statement, more=(f"--ssl-ca={ca or server.certificates.ca}", "--ssl-verify-server-cert"))
        self.assertIn("TLS", ask("SHOW SESSION STATUS LIKE 'Ssl_version'").stdout)
        self.assertIn("certificate", ask("SELECT 1", server.certificates.stranger).stderr)
        self.assertIn("Access denied", self.mysql(server, "SELECT 1", more=("--skip-ssl",)).stderr)
        self.assert_keeps(server, lambda: ask("CREATE TABLE t AS SELECT 'kept' AS a"), lambda: ask("SELECT a FROM t").stdout.strip())


class GaleraTest(MysqlFacts):
    def test_two_go_on_without_the_third_and_all_come_back(self):
        galera = self.server(Galera)
        first, second, third = galera.nodes
        self.mysql(first, "CREATE TABLE t (a varchar(9) PRIMARY KEY)")
        first.kill()
        galera.wait_for_size(2)
        self.mysql(second, "INSERT INTO t VALUES ('kept')")
        first.start()
        galera.wait_for_size(3)
        for restart in (galera.kill, galera.stop):
            restart()
            galera.start()
            for node in galera.nodes:
                self.assertEqual(self.mysql(node, "SET wsrep_sync_wait = 1; SELECT a FROM t").stdout.strip(), "kept")


class RedisFacts(Facts):
    def write(self, master, replicas):
        """Returns when so many replicas have it."""
        with master.connect() as connection:
            connection.ask("SET", "a", "kept")
            self.assertEqual(connection.ask("WAIT", replicas, SECONDS * 1000), replicas)


class RedisTest(Facts):
    def test_it_keeps_what_it_has_and_freezes(self):
        server = self.server(Redis)
        self.assert_keeps(server, lambda: server.ask("SET", "a", "kept"), lambda: server.ask("GET", "a"))
        self.assert_freezes(server, lambda: server.ask("PING"))
        self.assertEqual(server.ask("CONFIG", "GET", "appendfsync"), ["appendfsync", "always"])

    def test_nobody_is_let_in_without_the_password(self):
        server = self.server(Redis, durable=False)
        with Connection(server.port) as connection:
            with self.assertRaisesRegex(ErrorReply, "NOAUTH"):
                connection.ask("PING")
            with self.assertRaisesRegex(ErrorReply, "WRONGPASS"):
                connection.ask("AUTH", "sancho", "wrong")
        self.assertEqual(server.ask("CONFIG", "GET", "appendonly"), ["appendonly", "no"])

    def test_its_unix_socket_answers(self):
        server = self.server(Redis)
        done = run("redis-cli", "-s", server.socket, "--user", "sancho", "--pass", server.password, "--no-auth-warning", "PING")
        self.assertEqual(done.stdout, "PONG\n")
        self.assertEqual(server.unix_uri, f"redis+unix://sancho:{server.password}@{server.socket}")

    def test_one_that_cannot_start_says_why(self):
        with Place() as place, self.assertRaisesRegex(Trouble, "pigeon"):
            Redis(place, settings=["pigeon yes"]).start()


class RedissTest(Facts):
    def ping(self, server, ca):
        return run("redis-cli", "-p", str(server.port), "--tls", "--cacert", ca, "--user", "sancho", "--pass", server.password,
                   "--no-auth-warning", "PING")

    def test_it_speaks_tls_only_and_its_authority_has_signed(self):
        server = self.server(RedisTls)
        made = server.certificates
        self.assertEqual(self.ping(server, made.ca).stdout, "PONG\n")
        self.assertIn("certificate verify failed", self.ping(server, made.stranger).stderr)
        with Connection(server.port) as connection, self.assertRaises((OSError, EOFError)):
            connection.ask("PING")
        self.assert_keeps(server, lambda: server.ask("SET", "a", "kept"), lambda: server.ask("GET", "a"))


class SentinelTest(RedisFacts):
    def test_a_replica_becomes_master_and_the_old_one_follows(self):
        group = self.server(Sentinel)
        old = group.master()
        self.write(old, replicas=2)
        old.kill()
        new = poll(lambda: next((node for node in [group.master()] if node not in (None, old)), None), SECONDS, "another master")
        self.assertEqual(new.ask("GET", "a"), "kept")
        old.start()
        group.wait_until_whole()
        poll(lambda: old.info("replication")["role"] == "slave", SECONDS, "the old one follows")
        self.assertIs(group.master(), new)
        group.kill()
        group.start()
        self.assertEqual(group.master().ask("GET", "a"), "kept")


class ClusterTest(RedisFacts):
    @staticmethod
    def own_lines(cluster):
        """What each master says of itself in CLUSTER NODES; a move of a slot is in brackets."""
        return [" ".join(node.peers()[0]) for node in cluster.masters()]

    def test_a_slot_moves_in_steps_and_a_replica_takes_over(self):
        cluster = self.server(RedisCluster)
        slot = cluster.slot_of("a")
        source = cluster.owner(slot)
        target, other = [node for node in cluster.masters() if node is not source]
        source.ask("SET", "a", "kept")
        cluster.open_move(slot, source, target)
        self.assertEqual(["[" in line for line in self.own_lines(cluster)].count(True), 2)
        cluster.give_up_move(slot)
        self.assertEqual(["[" in line for line in self.own_lines(cluster)].count(True), 0)
        cluster.open_move(slot, source, target)
        with self.assertRaisesRegex(ErrorReply, f"ASK {slot} 127.0.0.1:{target.port}"):
            source.ask("GET", "{a}absent")
        self.assertEqual(source.ask("GET", "a"), "kept")
        cluster.move_keys(slot, source, target)
        with self.assertRaisesRegex(ErrorReply, "ASK"):
            source.ask("GET", "a")
        cluster.close_move(slot, target)
        for node in (source, other):
            with self.assertRaisesRegex(ErrorReply, f"MOVED {slot} 127.0.0.1:{target.port}"):
                node.ask("GET", "a")
        self.assertIs(cluster.owner(slot), target)

        replica = cluster.replica_of(target)
        self.write(target, replicas=1)
        target.kill()
        poll(lambda: cluster.owner(slot) is replica, SECONDS, "the replica takes over")
        self.assertEqual(replica.ask("GET", "a"), "kept")
        target.start()
        cluster.wait_until_whole()
        cluster.move_slot(slot, other)
        self.assertEqual(other.ask("GET", "a"), "kept")
        cluster.kill()
        cluster.start()
        self.assertEqual(cluster.owner(slot).ask("GET", "a"), "kept")


class MemcachedTest(Facts):
    def test_two_answer_and_forget_when_they_end(self):
        group = self.server(Memcached)
        self.assertEqual(len(group.nodes), 2)
        node = group.nodes[0]
        self.assertTrue(self.ask(node, "set a 0 0 4\r\nkept").startswith("STORED"))
        self.assertIn("kept", self.ask(node, "get a"))
        self.assert_freezes(node, lambda: self.ask(node, "version"))
        node.kill()
        self.assertTrue(refused(node.port))
        self.assertTrue(self.ask(group.nodes[1], "version"))
        node.start()
        self.assertEqual(self.ask(node, "get a"), "END\r\n")

    def ask(self, node, words):
        with socket.create_connection(("127.0.0.1", node.port), timeout=SECONDS) as connection:
            connection.sendall(words.encode() + b"\r\n")
            return connection.recv(4096).decode()


if __name__ == "__main__":
    kind = sys.argv.pop(1)
    cannot = what_is_missing([kind])
    if cannot:
        sys.exit(cannot)
    unittest.main(defaultTest=kind.title().replace("_", "") + "Test", verbosity=2)
