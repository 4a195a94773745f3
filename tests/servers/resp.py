"""The little of Redis's protocol that starting servers takes."""

import socket

_TEXT = ("utf-8", "surrogateescape")  # any bytes come back as they came


class ErrorReply(Exception):
    """The server answered with an error."""


class Connection:
    """A connection to a Redis server; `tls` is an `ssl.SSLContext`.

        Connection(port).ask("PING")  ->  "PONG"
    """

    def __init__(self, port, tls=None, timeout=5):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        if tls:
            self._socket = tls.wrap_socket(self._socket, server_hostname="127.0.0.1")
        self._file = self._socket.makefile("rb")

    def ask(self, *words):
        parts = [str(word).encode(*_TEXT) for word in words]
        self._socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        return self._reply()

    def close(self):
        self._file.close()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _reply(self):
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError("the server closed the connection")
        kind, rest = line[:1], line[1:-2].decode(*_TEXT)
        if kind == b"+":
            return rest
        if kind == b"-":
            raise ErrorReply(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == "-1" else self._file.read(int(rest) + 2)[:-2].decode(*_TEXT)
        if kind == b"*":
            return None if rest == "-1" else [self._reply() for _ in range(int(rest))]
        raise EOFError(f"no reply: {line!r}")
