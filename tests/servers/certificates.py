"""A certificate authority of our own, and a certificate for 127.0.0.1; made when they are needed."""

import os
import urllib.parse


def _openssl(server, *arguments):
    server.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", *arguments)


class Certificates:
    """In `server`'s directory, made with openssl as its user:

    `ca`            of the authority that signed the server's certificate
    `stranger`      of another authority, whom the server is not known to
    `certificate`   the server's, for the address 127.0.0.1 and the name localhost
    `key`           the server's; only the server can read it"""

    def __init__(self, server):
        self._directory = server.directory
        self.ca, self.stranger, self.certificate = self._path("ca.crt"), self._path("stranger.crt"), self._path("server.crt")
        self.key = self._path("server.key")
        self._make_authority(server, "ca")
        self._make_authority(server, "stranger")
        _openssl(server, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                 "-addext", "basicConstraints=critical,CA:FALSE", "-CA", self.ca, "-CAkey", self._path("ca.key"),
                 "-keyout", self.key, "-out", self.certificate)

    def _make_authority(self, server, name):
        _openssl(server, "-subj", f"/CN=Sancho test authority ({name})", "-keyout", self._path(f"{name}.key"),
                 "-out", self._path(f"{name}.crt"))

    def _path(self, name):
        return os.path.join(self._directory, name)


class SpeaksTls:
    """Of a server that takes nobody in the clear on its port. Clients need no certificate.

    Stands before the server's class, and says `trust`, the option of a store's URI that names an authority's file, with
    what it needs; and `settings_with`, the server's settings with its certificates."""

    certificates = None

    def settings_with(self, made):
        return []

    def prepare(self):
        self.certificates = Certificates(self)
        self._settings = [*self._settings, *self.settings_with(self.certificates)]
        super().prepare()

    @property
    def uri(self):
        return self._uri(self.certificates.ca)

    @property
    def uri_of_strangers(self):
        """With an authority that did not sign the server's certificate."""
        return self._uri(self.certificates.stranger)

    def _uri(self, ca):
        return f"{super().uri}?{self.trust}={urllib.parse.quote(ca, safe='')}"
