"""The kinds of servers, by the names that `with_server.py` and CMake know them by."""

import os
import shutil
from dataclasses import dataclass
from typing import Callable

from galera import PROVIDER, Galera
from mariadb import Mariadb
from mariadb_tls import MariadbTls
from memcached import Memcached
from postgresql import Postgresql, PostgresqlPair, program
from postgresql_tls import PostgresqlTls
from process import PATH
from redis import Redis
from redis_cluster import RedisCluster
from redis_tls import RedisTls
from sentinel import Sentinel

SKIP = 77  # ctest's SKIP_RETURN_CODE


@dataclass
class Kind:
    programs: tuple             # and libraries, without which it cannot be started
    make: Callable              # (place, durable) -> server
    variables: Callable         # server -> environment variables with store URIs

    def missing(self):
        return [name for name in self.programs if not (shutil.which(name, path=PATH) or os.path.isfile(name))]


def what_is_missing(kinds):
    """0 if servers of these kinds can be started. Else says what is missing, and returns what a test is to end with."""
    programs = sorted({program for kind in kinds for program in KINDS[kind].missing()})
    if not programs:
        return 0
    print(f"SKIPPED: not installed: {' '.join(programs)}. `scripts/install servers` installs what is missing.", flush=True)
    return 1 if os.environ.get("CI") == "true" else SKIP


def _uri(variable):
    return lambda server: {variable: server.uri}


def _uri_and_strangers(variable):
    return lambda server: {variable: server.uri, f"{variable}_STRANGER": server.uri_of_strangers}


KINDS = {
    "postgresql": Kind(
        (program("initdb"), program("postgres")),
        lambda place, durable: Postgresql(place, durable=durable),
        lambda server: {"SANCHO_TEST_POSTGRESQL": server.uri, "SANCHO_TEST_POSTGRESQL_UNIX": server.unix_uri}),
    "postgresql_pair": Kind(
        (program("initdb"), program("postgres"), program("pg_basebackup")),
        lambda place, durable: PostgresqlPair(place, durable=durable),
        _uri("SANCHO_TEST_POSTGRESQL_PAIR")),
    "postgresql_tls": Kind(
        (program("initdb"), program("postgres"), "openssl"),
        lambda place, durable: PostgresqlTls(place, durable=durable),
        _uri_and_strangers("SANCHO_TEST_POSTGRESQL_TLS")),
    "mysql": Kind(
        ("mariadbd", "mariadb-install-db", "mariadb"),
        lambda place, durable: Mariadb(place, durable=durable),
        _uri("SANCHO_TEST_MYSQL")),
    "mysql_tls": Kind(
        ("mariadbd", "mariadb-install-db", "mariadb", "openssl"),
        lambda place, durable: MariadbTls(place, durable=durable),
        _uri_and_strangers("SANCHO_TEST_MYSQL_TLS")),
    "galera": Kind(
        ("mariadbd", "mariadb-install-db", "mariadb", "wsrep_sst_rsync", "rsync", PROVIDER),
        lambda place, durable: Galera(place, durable=durable),
        _uri("SANCHO_TEST_GALERA")),
    "redis": Kind(
        ("redis-server",),
        lambda place, durable: Redis(place, durable=durable),
        lambda server: {"SANCHO_TEST_REDIS": server.uri, "SANCHO_TEST_REDIS_UNIX": server.unix_uri}),
    "rediss": Kind(
        ("redis-server", "openssl"),
        lambda place, durable: RedisTls(place, durable=durable),
        _uri_and_strangers("SANCHO_TEST_REDISS")),
    "sentinel": Kind(
        ("redis-server",),
        lambda place, durable: Sentinel(place, durable=durable),
        _uri("SANCHO_TEST_SENTINEL")),
    "cluster": Kind(
        ("redis-server",),
        lambda place, durable: RedisCluster(place, durable=durable),
        _uri("SANCHO_TEST_CLUSTER")),
    "memcached": Kind(
        ("memcached",),
        lambda place, durable: Memcached(place),
        _uri("SANCHO_TEST_MEMCACHED")),
}
