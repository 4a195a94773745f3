"""Beaker, its sessions in memory, around a bare WSGI program: MODE=on|off gunicorn beaker_site:application"""
import os
from urllib.parse import parse_qs

from beaker.middleware import SessionMiddleware

on = os.environ["MODE"] == "on"
counts = 0


def answer(environ):
    global counts
    path, session = environ["PATH_INFO"], environ.get("beaker.session")
    if on and path == "/login":
        session["user"] = parse_qs(environ["QUERY_STRING"])["user"][0]
        session["cart"] = "x" * 60
        session.save()
        return "in"
    if path == "/read":
        return session["user"] if on else "user1"
    if path != "/write":
        return None
    if not on:
        counts += 1
        return str(counts)
    session["count"] = session.get("count", 0) + 1
    session.save()
    return str(session["count"])


def bare(environ, start_response):
    text = answer(environ)
    body = ((text or "no such page") + "\n").encode()
    start_response("404 Not Found" if text is None else "200 OK",
                   [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


application = SessionMiddleware(bare, {"session.type": "memory", "session.cookie_expires": True}) if on else bare
