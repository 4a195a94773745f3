"""The servers that are measured: ours, and the peers'."""

import os
import pathlib
import pwd
import shutil
import subprocess

from report import build
from report.load import Site
from report.needs import Folder, FromNpm, Module, PEERS, Program

GORILLA = "/usr/share/gocode/src/github.com/gorilla/sessions"
WRK = Program("wrk", "wrk")


def ours(name, target, off="off"):
    """The site behind one of our adapters; builds it. `off`: what it calls itself without sessions."""
    program = build.program(target)
    return Site(name, "memory", lambda _place, port, mode: [([program, port, mode if mode == "on" else off], {})])


def node(name, file, packages):
    return Site(name, "memory", lambda _place, port, mode: [(["node", PEERS / file, port, mode], {"NODE_ENV": "production"})],
                [Program("node", "nodejs"), Program("npm", "npm"), *map(FromNpm, packages)])


def wsgi(name, module, package):
    def commands(_place, port, mode):
        return [(["/usr/bin/gunicorn", "--chdir", PEERS, "--bind", f"127.0.0.1:{port}", "--workers", "1", "--worker-class", "gthread", "--threads", "32",
                  "--keep-alive", "60", "--log-level", "warning", f"{module}_site:application"],
                 {"MODE": mode, "PYTHONDONTWRITEBYTECODE": "1"})]

    return Site(name, "memory", commands, [Module(module, package), Program("/usr/bin/gunicorn", "gunicorn")])


def gorilla():
    def commands(place, port, mode):
        program = pathlib.Path(build.ROOT) / "build" / "peers" / "gorilla"
        program.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["go", "build", "-o", str(program), str(PEERS / "gorilla.go")], check=True,
                       env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "GOCACHE": str(program.parent / "cache")})
        return [([program, port, mode, place], {})]

    return Site("gorilla/sessions", "files", commands,
                [Program("go", "golang-go"), Folder(GORILLA, "golang-github-gorilla-sessions-dev")])


NGINX = """\
worker_processes 1; daemon off; pid {place}/{mode}-nginx.pid; error_log stderr; {user}
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {place}/{mode}-body; fastcgi_temp_path {place}/{mode}-fastcgi; proxy_temp_path {place}/{mode}-proxy;
  uwsgi_temp_path {place}/{mode}-uwsgi; scgi_temp_path {place}/{mode}-scgi; keepalive_requests 100000000;
  upstream php {{ server unix:{place}/{mode}.sock; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME {script}; fastcgi_param MODE {mode};
      fastcgi_param SESSIONS {place}; fastcgi_pass php; fastcgi_keep_conn on; }}
  }}
}}
"""
FPM = """\
[global]
error_log = /dev/stderr
daemonize = no
[www]
{user}
listen = {place}/{mode}.sock
listen.mode = 0666
pm = static
pm.max_children = 4
"""


def php_fpm():
    return next((p.name for p in sorted(pathlib.Path("/usr/sbin").glob("php-fpm*"))), "php-fpm")


def php():
    def commands(place, port, mode):
        # As root, its workers are somebody else.
        somebody = pwd.getpwnam("www-data" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name)
        if os.getuid() == 0:
            os.chown(place, somebody.pw_uid, somebody.pw_gid)
        script = place / "php.php"
        shutil.copy(PEERS / "php.php", script)
        script.chmod(0o644)
        user = {"fpm": f"user = {somebody.pw_name}", "nginx": f"user {somebody.pw_name};"} if os.getuid() == 0 else {"fpm": "", "nginx": ""}
        (place / f"{mode}.conf").write_text(FPM.format(place=place, mode=mode, user=user["fpm"]))
        (place / f"{mode}-nginx.conf").write_text(NGINX.format(place=place, mode=mode, port=port, script=script, user=user["nginx"]))
        return [([f"/usr/sbin/{php_fpm()}", "-F", "-y", place / f"{mode}.conf"], {}),
                (["/usr/sbin/nginx", "-e", "stderr", "-c", place / f"{mode}-nginx.conf"], {})]

    return Site("PHP (fpm, nginx)", "files", commands, [Program(php_fpm(), "php-fpm"), Program("nginx", "nginx-light")])


def peers():
    return [node("Express, express-session", "express.js", ("express", "express-session")),
            node("Fastify, @fastify/session", "fastify.js", ("fastify", "@fastify/session", "@fastify/cookie")),
            php(), wsgi("Django (gunicorn)", "django", "python3-django"), gorilla(), wsgi("Beaker (gunicorn)", "beaker", "python3-beaker")]
