"""MariaDB that speaks TLS only."""

from certificates import SpeaksTls
from mariadb import Mariadb


class MariadbTls(SpeaksTls, Mariadb):
    """As `Mariadb`, and on its port nobody is let in without TLS."""

    trust = "tls=verify&tls_ca"

    def __init__(self, place, name="mariadb-tls", durable=True):
        super().__init__(place, name, durable)

    def settings_with(self, made):
        return ["--require-secure-transport=ON", f"--ssl-cert={made.certificate}", f"--ssl-key={made.key}"]
