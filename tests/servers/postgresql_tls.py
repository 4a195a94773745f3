"""PostgreSQL that speaks TLS only."""

from certificates import SpeaksTls
from postgresql import Postgresql


class PostgresqlTls(SpeaksTls, Postgresql):
    """As `Postgresql`, and on its port nobody is let in without TLS."""

    transport = "hostssl"
    trust = "sslmode=verify-full&sslrootcert"

    def __init__(self, place, name="postgresql-tls", durable=True):
        super().__init__(place, name, durable)

    def settings_with(self, made):
        return ["ssl = on", f"ssl_cert_file = '{made.certificate}'", f"ssl_key_file = '{made.key}'"]
