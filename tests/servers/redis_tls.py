"""Redis that speaks TLS only."""

import ssl
import urllib.parse

from certificates import Certificates
from redis import USER, Redis


class RedisTls(Redis):
    """As `Redis`, with TLS on its port. Clients need no certificate."""

    def __init__(self, place, name="redis-tls", durable=True, settings=()):
        super().__init__(place, name, durable, settings=settings)
        self.certificates = None

    def prepare(self):
        self.certificates = Certificates(self)
        super().prepare()

    def listening(self):
        made = self.certificates
        return ["bind 127.0.0.1", "port 0", f"tls-port {self.port}", "tls-auth-clients no", f"tls-cert-file {made.certificate}",
                f"tls-key-file {made.key}", f"tls-ca-cert-file {made.ca}"]

    def tls(self):
        return ssl.create_default_context(cafile=self.certificates.ca)

    @property
    def uri(self):
        return self._uri(self.certificates.ca)

    @property
    def uri_of_strangers(self):
        """With an authority that did not sign the server's certificate."""
        return self._uri(self.certificates.stranger)

    def _uri(self, ca):
        return f"rediss://{USER}:{self.password}@127.0.0.1:{self.port}?ca={urllib.parse.quote(ca, safe='')}"
