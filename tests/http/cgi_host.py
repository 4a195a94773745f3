"""A small web server that runs a CGI program for each request (RFC 3875).

    cgi_host.py PROGRAM [ARGUMENT ...]

One request a connection, as the oldest servers do. What the program has on its
standard output is sent as it comes. Several lines of one name become one
variable, those of `Cookie` joined with `; `.
"""

import socket
import subprocess
import sys
import threading

MOST = 64 * 1024


class Bad(Exception):
    pass


class Request:
    def __init__(self, connection, address):
        self.connection, self.address, self.rest = connection, address, b""

    def head(self):
        while b"\r\n\r\n" not in self.rest:
            if len(self.rest) > MOST:
                raise Bad
            self.fill()
        text, _, self.rest = self.rest.partition(b"\r\n\r\n")
        first, *lines = text.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise Bad
        self.method, self.target = words[:2]
        self.lines = []
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise Bad
            self.lines.append((name.lower(), value.strip(" \t")))

    def fill(self):
        data = self.connection.recv(65536)
        if not data:
            raise EOFError
        self.rest += data

    def body(self):
        """As much of it as there is: the program has to notice that it broke off."""
        lengths = [value for name, value in self.lines if name == "content-length"]
        size = int(lengths[0]) if lengths else 0
        try:
            while len(self.rest) < size:
                self.fill()
        except (EOFError, OSError):
            pass
        return self.rest[:size]

    def variables(self):
        path, _, query = self.target.partition("?")
        variables = {"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "127.0.0.1", "SERVER_SOFTWARE": "cgi_host",
                     "REQUEST_METHOD": self.method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_ADDR": self.address}
        for name, value in self.lines:
            variable = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}.get(name, "HTTP_" + name.upper().replace("-", "_"))
            if "_" in name or name == "proxy":  # would pass for another name
                continue
            joint = "; " if name == "cookie" else ", "
            variables[variable] = variables[variable] + joint + value if variable in variables else value
        return variables


def relay(program, request):
    """Runs the program, and sends its head as HTTP's and what follows as it comes."""
    body = request.body()
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=request.variables()) as process:
        try:
            process.stdin.write(body)
            process.stdin.close()
        except BrokenPipeError:
            pass
        lines = []
        while (line := process.stdout.readline().rstrip(b"\r\n")):
            lines.append(line)
        status = b"200 OK"
        if lines and lines[0].lower().startswith(b"status:"):
            status = lines.pop(0).partition(b":")[2].strip()
        elif not lines:
            status = b"500 no head"
        request.connection.sendall(b"HTTP/1.1 " + status + b"\r\n" + b"".join(line + b"\r\n" for line in lines) + b"Connection: close\r\n\r\n")
        while piece := process.stdout.read1(65536):
            request.connection.sendall(piece)


def serve(program, connection, address):
    with connection:
        try:
            connection.settimeout(20)
            request = Request(connection, address)
            request.head()
            relay(program, request)
        except (Bad, ValueError, UnicodeError):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except (EOFError, OSError):
            pass


def main(program):
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    print("port", server.getsockname()[1], flush=True)
    server.settimeout(0.5)  # a signal that comes a moment before it waits is seen then
    while True:
        try:
            connection, address = server.accept()
        except TimeoutError:
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(program, connection, address[0]), daemon=True).start()


if __name__ == "__main__":
    import os
    import signal
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    main(sys.argv[1:])
