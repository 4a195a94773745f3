"""HTTP/1.1 over a bare socket: what is sent is sent to the byte, and what comes back is kept in its order."""

import re
import socket

ID = re.compile(r"[A-Za-z0-9_-]{43}(?:[A-Za-z0-9_-]{4})?")
SID = "__Host-Http-sid"
PRE = "__Host-Http-pre"


class Reply:
    def __init__(self, status, lines, body=""):
        self.status, self.lines, self.body = status, lines, body

    def all(self, name):
        return [value for other, value in self.lines if other.lower() == name.lower()]

    def one(self, name):
        values = self.all(name)
        assert len(values) == 1, f"{len(values)} lines of {name}: {values}"
        return values[0]

    def cookies(self):
        """Those that are set or removed: name -> value."""
        return dict(line.split(";")[0].split("=", 1) for line in self.all("Set-Cookie"))

    @property
    def id(self):
        """The id that the session's cookie is set to."""
        value = self.cookies().get(SID)
        assert value, f"no session cookie: {self}"
        return value

    def __str__(self):
        return f"{self.status} {self.lines} {self.body[:200]!r}"


class Gone(Exception):
    """The connection ended before the answer did."""


class Connection:
    def __init__(self, port, timeout=30):
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode("latin-1"))

    def ask(self, *words, **more):
        """As `request` takes them."""
        text = request(*words, **more)
        self.send(text)
        return self.receive(text.startswith("HEAD "))

    def receive(self, head=False):
        """The next answer; with `head`, one that has no body."""
        reply = self.receive_head()
        if not head and reply.status not in (204, 304):
            reply.body = self.body(reply).decode("latin-1")
        return reply

    def receive_head(self):
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")[:-2]
        protocol, status, *_ = lines[0].split(" ", 2)
        assert protocol in ("HTTP/1.1", "HTTP/1.0"), lines[0]
        pairs = [line.partition(":") for line in lines[1:]]
        return Reply(int(status), [(name, value.strip(" \t")) for name, _, value in pairs])

    def body(self, reply):
        if [value.lower() for value in reply.all("Transfer-Encoding")] == ["chunked"]:
            whole = b""
            while piece := self.chunk():
                whole += piece
            return whole
        if reply.all("Content-Length"):
            return self.exactly(int(reply.one("Content-Length")))
        whole = self.rest
        while data := self.socket.recv(65536):
            whole += data
        self.rest = b""
        return whole

    def chunk(self):
        size = int(self.until(b"\r\n").split(b";")[0], 16)
        return self.exactly(size + 2)[:-2]

    def until(self, mark):
        while mark not in self.rest:
            self.fill()
        at = self.rest.index(mark) + len(mark)
        found, self.rest = self.rest[:at], self.rest[at:]
        return found

    def exactly(self, size):
        while len(self.rest) < size:
            self.fill()
        found, self.rest = self.rest[:size], self.rest[size:]
        return found

    def fill(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            raise Gone
        self.rest += data


def request(method, target, *lines, body=None, origin="Sec-Fetch-Site: same-origin", type="application/x-www-form-urlencoded"):
    """The bytes of a request. Lines are whole: `Cookie: a=b`."""
    head = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *([origin] if origin and method == "POST" else []), *lines]
    if method == "POST":
        body = body or ""
        head += [*([f"Content-Type: {type}"] if type else []), f"Content-Length: {len(body)}"]
    return "\r\n".join(head) + "\r\n\r\n" + (body or "")


def cookie(*pairs, **named):
    return "Cookie: " + "; ".join([*pairs, *(f"{name}={value}" for name, value in named.items())])


def sid(value):
    return f"Cookie: {SID}={value}"


class Visitor:
    """A browser: a cookie jar, and a connection that is made anew when the server has closed it."""

    def __init__(self, port):
        self.port, self.jar, self.connection = port, {}, None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    @property
    def id(self):
        return self.jar.get(SID)

    def ask(self, method, target, *lines, **more):
        if self.jar:
            lines = (*lines, cookie(*(f"{name}={value}" for name, value in self.jar.items())))
        reply = self.through(request(method, target, *lines, **more))
        for line in reply.all("Set-Cookie"):
            name, value = line.split(";")[0].split("=", 1)
            if "Max-Age=0" in line:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        return reply

    def through(self, text):
        for fresh in (self.connection is None, True):
            if fresh:
                self.close()
                self.connection = Connection(self.port)
            try:
                self.connection.send(text)
                reply = self.connection.receive(text.startswith("HEAD "))
            except (Gone, ConnectionError):
                if fresh:
                    raise
                continue
            if "close" in [value.lower() for value in reply.all("Connection")]:
                self.close()
            return reply
