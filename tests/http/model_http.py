"""HTTP for the site in Python, as it should be or not: each connection is a `Line`.

What is wrong is asked of the model, as in model_site.py.
"""

import os
import socket
import time


class Refusal:
    """The answer to a method that a wrong site does not know."""
    status, text, lines, pieces = 405, "", (), False

    @staticmethod
    def after(_):
        pass


class Line:
    """One connection."""

    def __init__(self, model, connection, address):
        self.model, self.socket, self.address, self.rest = model, connection, address, b""
        self.sticky = []

    def run(self):
        try:
            self.socket.settimeout(20)
            while self.one():
                pass
        except (OSError, ValueError, IndexError, EOFError, UnicodeError):
            pass
        finally:
            if self.model.wrong("leaks"):
                self.model.kept_fds.append(os.dup(self.socket.fileno()))
            if self.model.wrong("keeps_requests"):
                self.model.kept_requests.append(self)
            self.socket.close()

    def fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.rest += data

    def one(self):
        while b"\r\n\r\n" not in self.rest:
            if len(self.rest) > 65536 and not self.model.wrong("no_limit"):
                raise ValueError
            self.fill()
        text, _, self.rest = self.rest.partition(b"\r\n\r\n")
        first, *lines = text.decode("latin-1").split("\r\n")
        method, target, *version = first.split(" ")
        if len(version) != 1 and not self.model.wrong("sloppy"):
            raise ValueError
        head = [(name.lower(), value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines)]
        body = self.body(head) if not self.model.wrong("early") else ""
        if self.model.wrong("sticky"):
            self.sticky = [line for line in head if line[0] == "cookie"] or self.sticky
            head = [line for line in head if line[0] != "cookie"] + self.sticky
        page = self.model.answer("GET" if method == "HEAD" else method, target, head, body, self.address)
        if self.model.wrong("no_head") and method == "HEAD":
            page = Refusal
        try:
            self.send(page, method == "HEAD")
        finally:
            page.after(self.gone())
        if self.model.wrong("early"):
            self.body(head)
        return True

    def gone(self):
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(20)

    def body(self, head):
        fields = dict(reversed(head))
        length = fields.get("content-length", "0")
        if not self.model.wrong("first_length") and (sum(name in ("content-length", "transfer-encoding") for name, _ in head) > 1 or not length.isdigit()):
            raise ValueError
        if fields.get("transfer-encoding") == "chunked":
            return "" if self.model.wrong("no_chunks") else self.chunks()
        size = int(length, 0)
        while len(self.rest) < size:
            self.fill()
        body, self.rest = self.rest[:size].decode("latin-1"), self.rest[size:]
        return body

    def chunks(self):
        whole = ""
        while True:
            while b"\r\n" not in self.rest:
                self.fill()
            line, _, self.rest = self.rest.partition(b"\r\n")
            size = int(line.split(b";")[0], 16)
            while len(self.rest) < size + 2:
                self.fill()
            whole, self.rest = whole + self.rest[:size].decode("latin-1"), self.rest[size + 2:]
            if not size:
                return whole

    def send(self, page, head_only):
        lines = [f"HTTP/1.1 {page.status} X", *(f"{name}: {value}" for name, value in page.lines), f"Content-Length: {len(page.text)}"]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        if page.pieces:
            time.sleep(0.1)
        if not head_only:
            self.socket.sendall(page.text.encode("latin-1"))
