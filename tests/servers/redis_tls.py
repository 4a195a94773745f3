"""Redis that speaks TLS only."""

import ssl

from certificates import SpeaksTls
from redis import Redis


class RedisTls(SpeaksTls, Redis):
    """As `Redis`, with TLS on its port."""

    scheme = "rediss"
    trust = "ca"

    def __init__(self, place, name="redis-tls", durable=True, settings=()):
        super().__init__(place, name, durable, settings=settings)

    def settings_with(self, made):
        return ["port 0", f"tls-port {self.port}", "tls-auth-clients no", f"tls-cert-file {made.certificate}",
                f"tls-key-file {made.key}", f"tls-ca-cert-file {made.ca}"]

    def tls(self):
        return ssl.create_default_context(cafile=self.certificates.ca)
