"""The client's half of a WebSocket (RFC 6455), over a bare socket."""

import base64
import os
import struct
import time

from client import Connection, Gone

TEXT, CLOSE = 1, 8


class Closed(Exception):
    """The other side has closed, with a code and a word, or (None) without."""

    def __init__(self, code, reason=""):
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


class WebSocket:
    def __init__(self, port, target, *lines, origin=None, timeout=30):
        self.connection = Connection(port, timeout)
        origin = f"Origin: http://127.0.0.1:{port}" if origin is None else origin
        head = [f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(), *([origin] if origin else []), *lines]
        self.connection.send("\r\n".join(head) + "\r\n\r\n")
        self.reply = self.connection.receive_head()
        if self.reply.status != 101:
            self.reply.body = self.connection.body(self.reply).decode()

    def close(self):
        self.connection.close()

    def send(self, text, kind=TEXT):
        data = text.encode() if isinstance(text, str) else text
        assert len(data) < 126
        mask = os.urandom(4)
        self.connection.send(bytes([0x80 | kind, 0x80 | len(data)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self, answer_close=True):
        """The next text. Throws `Closed`."""
        try:
            first, size = self.connection.exactly(2)
            assert size < 126
            data = self.connection.exactly(size)
        except Gone:
            raise Closed(None) from None
        if first & 0x0f == CLOSE:
            if answer_close:
                self.send(data, CLOSE)
            raise Closed(struct.unpack("!H", data[:2])[0], data[2:].decode())
        return data.decode()

    def ask(self, text):
        self.send(text)
        return self.receive()

    def until_closed(self, seconds, answer_close=True):
        """How it was closed, and how long that took; None if it was not."""
        began = time.monotonic()
        self.connection.socket.settimeout(seconds)
        try:
            while True:
                self.receive(answer_close)
        except Closed as closed:
            return closed, time.monotonic() - began
        except TimeoutError:
            return None
        finally:
            self.connection.socket.settimeout(30)
