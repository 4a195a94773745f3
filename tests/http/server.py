"""Servers of the site: an adapter's program by itself, or behind what it needs to be reached by HTTP."""

import os
import pathlib
import re
import select
import shutil
import signal
import socket as sockets
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


class Process:
    """A program that tells its port on its first line."""

    def __init__(self, command, log):
        self.log = log
        with open(log, "ab") as errors:
            self.popen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL)

    def port(self):
        ready, _, _ = select.select([self.popen.stdout], [], [], 30)
        line = self.popen.stdout.readline().decode() if ready else ""
        found = re.fullmatch(r"(?:port |http://127\.0\.0\.1:)(\d+)/?\n", line)
        if not found:
            raise RuntimeError(f"no port from {self.popen.args}: {line!r} {pathlib.Path(self.log).read_text()[-2000:]}")
        return int(found.group(1))

    def files(self):
        return len(os.listdir(f"/proc/{self.popen.pid}/fd"))

    def stop(self):
        self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(20)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise
        finally:
            self.popen.stdout.close()


class Direct:
    """A program that speaks HTTP."""

    def __init__(self, program, options, directory):
        self.process = Process([*program, "--port", "0", *options], directory / "log")
        self.port = self.process.port()

    def files(self):
        """Open files of the program, to see whether it leaks; none where it ends with each request."""
        return self.process.files()

    def stop(self):
        return self.process.stop()


class Cgi(Direct):
    """A program that is run once for each request."""

    def __init__(self, program, options, directory):
        host = [sys.executable, "-B", str(HERE / "cgi_host.py"), *program, *options]
        self.process = Process(host, directory / "log")
        self.port = self.process.port()

    def files(self):
        return None


class Fastcgi:
    """A program behind nginx, by a socket in the file system."""

    def __init__(self, program, options, directory):
        self.socket = directory / "site.socket"
        self.process = Process([*program, *(["--socket"] if options else []), str(self.socket), *options], directory / "log")
        wait_for(self.socket.exists, "the program's socket")
        self.port, self.nginx = start_nginx(directory, self.socket)

    def files(self):
        return self.process.files()

    def stop(self):
        self.nginx.terminate()
        self.nginx.wait(20)
        return self.process.stop()


FRONTS = {"direct": Direct, "cgi": Cgi, "fastcgi": Fastcgi}

NGINX = """
{user}worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/nginx.log; daemon off;
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {directory}/body; fastcgi_temp_path {directory}/fastcgi;
  proxy_temp_path {directory}/proxy; scgi_temp_path {directory}/scgi; uwsgi_temp_path {directory}/uwsgi;
  keepalive_requests 5000; server_tokens off;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      fastcgi_pass unix:{socket};
      fastcgi_buffering off;
      include {parameters};
    }}
  }}
}}
"""


def start_nginx(directory, socket):
    last = None
    for _ in range(5):  # somebody else may take the port in between
        with sockets.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        file = directory / "nginx.conf"
        # As root it would serve as somebody who may not look into the directory.
        user = "" if os.geteuid() else "user root; "
        file.write_text(NGINX.format(user=user, directory=directory, port=port, socket=socket, parameters="/etc/nginx/fastcgi_params"))
        nginx = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(file), "-e", str(directory / "nginx.log")], stderr=subprocess.DEVNULL)

        def listens():
            if nginx.poll() is not None:
                raise RuntimeError((directory / "nginx.log").read_text())
            with sockets.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        try:
            wait_for(listens, "nginx")
            return port, nginx
        except RuntimeError as error:
            last = error
    raise last


def wait_for(condition, what, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.01)


class Site:
    """One server with its store, and the switch that puts the store out of order."""

    def __init__(self, front, program, options=(), store="sqlite:{directory}/sessions.db?synchronous=normal"):
        # In memory where that can be had: what a power cut leaves is tested elsewhere.
        self.home = tempfile.TemporaryDirectory(prefix="sancho-http-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.directory = pathlib.Path(self.home.name)
        self.switch = self.directory / "down"
        uri = store.format(directory=self.directory)
        try:
            self.server = FRONTS[front](program, ["--store", uri, "--down", str(self.switch), *options], self.directory)
        except BaseException:
            self.home.cleanup()
            raise
        self.port = self.server.port

    def down(self, what="all"):
        """To be used as a context: meanwhile the store is down, for everything or for `writes`."""
        return Down(self.switch, what)

    def files(self):
        return self.server.files()

    def stop(self):
        try:
            return self.server.stop()
        finally:
            self.home.cleanup()


class Down:
    def __init__(self, switch, what):
        self.switch, self.what = switch, what

    def __enter__(self):
        self.switch.write_text(self.what)

    def __exit__(self, *_):
        self.switch.unlink()
