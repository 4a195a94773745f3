"""The site in Python, as it should be and in many ways as it should not: to see that the suite finds out.

    model_site.py [--wrong NAME ...] --port 0 --store URI --down FILE [the site's options]

Sessions are a table in memory. It is as simple as it can be where nothing is
wrong; each wrong thing is one `if self.wrong(...)`.
"""

import argparse
import os
import re
import secrets
import signal
import socket
import sys
import threading
import time
import urllib.parse

from model_http import Line

SID, PRE = "__Host-Http-sid", "__Host-Http-pre"
FLAGS = "; Path=/; Secure; HttpOnly; SameSite=Lax"
REMOVED = "=" + FLAGS + "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
ID = re.compile(r"[A-Za-z0-9_-]{43}")
SAFE = ("GET", "HEAD", "OPTIONS")


class Failure(Exception):
    """Becomes an answer without the handler's."""
    def __init__(self, status):
        super().__init__(status)
        self.status = status


class Session:
    def __init__(self, user="", visits=0):
        self.user, self.visits, self.tokens, self.since, self.next = user, visits, set(), time.monotonic(), None

    def tell(self):
        return f"{self.user or 'nobody'} {self.visits}"


class Page:
    def __init__(self, status=200, text="", lines=(), pieces=False):
        self.status, self.text, self.lines, self.pieces, self.after = status, text, list(lines), pieces, lambda gone: None


class Model:
    def __init__(self, options):
        self.options, self.sessions, self.ended, self.lock, self.kept_fds, self.kept_requests, self.pages = options, {}, set(), threading.RLock(), [], [], 0

    def wrong(self, name):
        return name in self.options.wrong

    # ## What is asked

    def store(self, write=False):
        try:
            with open(self.options.down) as file:
                what = file.read()
        except FileNotFoundError:
            return
        if what != "writes" or write and not self.wrong("ignores_refusals"):
            raise Failure(503)

    def end(self, id):
        if id:
            self.ended.add(id)
        return self.sessions.pop(id, None)

    def cookie_of(self, head, name):
        text = "; ".join(value for other, value in head if other == "cookie")
        if self.wrong("first_line"):
            text = next((value for other, value in head if other == "cookie"), "")
        if self.wrong("decodes"):
            text = urllib.parse.unquote(text)
        values = [pair.strip(" \t").partition("=")[2] for pair in text.split(";") if pair.strip(" \t").partition("=")[0] == name]
        if len(text) > 16384 and not self.wrong("no_limit"):
            return None
        if self.wrong("last_of_two"):
            return values[-1] if values else None
        if self.wrong("repairs"):
            values = [urllib.parse.unquote(value).strip('"=') for value in values]
        return values[0] if len(values) == 1 else None

    def id_of(self, head):
        transport = self.options.transport
        if transport == "cookie":
            value = self.cookie_of(head, SID)
            return value if value and ID.fullmatch(value) else None
        name, before = ("authorization", "Bearer ") if transport == "bearer" else ("shop-session", "")
        values = [value for other, value in head if other == name]
        if self.wrong("cookie_too") and self.cookie_of(head, SID):
            return self.cookie_of(head, SID)
        if len(values) != 1 and not (values and self.wrong("first_header")):
            return None
        if not values[0].lower().startswith(before.lower()):
            return None
        if self.wrong("any_blanks"):
            return values[0][len(before):].strip()
        return values[0][len(before):] if ID.fullmatch(values[0][len(before):]) else None

    def refusal(self, method, head):
        if method in SAFE:
            return
        first = {name: ", ".join(value for other, value in head if other == name) for name, _ in head}
        site, origin = first.get("sec-fetch-site"), first.get("origin")
        own = site == "same-origin" if site else origin in ("http://127.0.0.1",)
        if not own and (self.options.transport == "cookie" or self.wrong("guards_headers")) and not self.wrong("any_origin"):
            raise Failure(403)
        type = first.get("content-type", "").split(";")[0].strip().lower()
        if self.options.json_only and (type != "application/json" or "," in first["content-type"]) and not self.wrong("any_type"):
            raise Failure(415)

    # ## What is answered

    def put(self, id, lines):
        if self.options.transport == "cookie":
            flags = FLAGS.replace("; Secure", "") if self.wrong("insecure") else FLAGS
            lines.append(("Set-Cookie", SID + (f"={id}{flags}" if id else REMOVED)))
        else:
            lines.append(("Session-Id" if self.options.transport == "bearer" else "Shop-Session", id))
            if self.wrong("silent_logout") and not id:
                lines.pop()
            if self.wrong("both"):
                lines.append(("Set-Cookie", f"{SID}={id}{FLAGS}"))

    def answer(self, method, target, head, body, address):
        """The page for a request, with the session's lines."""
        lines, refused = [], None
        try:
            self.refusal(method, head)
            page = self.serve(method, target, head, body, address, lines)
        except Failure as failure:
            refused = failure.status
            page = Page(refused, "no")
            if refused == 503:
                page.lines.append(("Retry-After", "5"))
                if self.wrong("down_is_logout"):
                    self.put("", lines)
        if lines or refused:
            vary = {"cookie": "Cookie", "bearer": "Authorization", "header": "Shop-Session"}[self.options.transport]
            if not self.wrong("cacheable"):
                page.lines = [line for line in page.lines if line[0] != "Cache-Control"] + [("Cache-Control", "no-store")]
            if lines:
                page.lines.append(("Vary", vary))
        if self.wrong("loses_redirects") and 300 <= page.status < 400 and target != "/login":
            lines.clear()
        if self.wrong("one_cookie") and len(page.lines) > 2:
            page.lines = [line for line in page.lines if line[0] != "Set-Cookie"]
        page.lines += lines
        return page

    def serve(self, method, target, head, body, address, lines):
        id = self.id_of(head)
        session = None
        if id:
            self.store()
            with self.lock:
                self.pages += 1
                if self.wrong("forgets") and self.pages % 400 == 0:
                    self.sessions.clear()
                session = self.sessions.get(id)
                if not session and self.wrong("adopts"):
                    session = self.sessions[id] = Session()
                while session and session.next:
                    id = session.next
                    session = self.sessions.get(id)
        request = Request(self, method, target, head, body, address, id if session else None, session, lines)
        if self.wrong("cookie_for_strangers") and not session:
            self.put(secrets.token_urlsafe(32), lines)
        page = request.page()
        request.finish()
        page.after = request.after
        return page


class Request:
    """One request's view of its session: what it adds waits for `finish`."""

    def __init__(self, model, method, target, head, body, address, id, session, lines):
        self.model, self.method, self.head, self.body, self.address = model, method, head, body, address
        self.id, self.session, self.lines = id, session, lines
        self.path, _, query = target.partition("?")
        self.fields = {**dict(urllib.parse.parse_qsl(body)), **dict(urllib.parse.parse_qsl(query))}
        self.added, self.user, self.seen = 0, None, Session(session.user, session.visits) if session else Session()

    def page(self):
        path, post, wrong = self.path, self.method == "POST", self.model.wrong
        if path == "/public":
            return Page(text="anybody", lines=[("Cache-Control", "public")])
        if path in ("/count", "/cached", "/moved", "/stream", "/slow", "/throw"):
            self.added = 1
            self.seen.visits += 1
        if path == "/cached":
            return Page(text=self.seen.tell(), lines=[("Cache-Control", "public, max-age=3600"), ("Vary", "Accept-Language"),
                                                      ("Set-Cookie", "theme=dark; Path=/"), ("Set-Cookie", "lang=es; Path=/")])
        if path == "/moved":
            return Page(303, lines=[("Location", "/look")])
        if path == "/slow":
            time.sleep(int(self.fields.get("ms", 0)) / 1000)
        if path.endswith("/throw"):
            self.act(path.removesuffix("/throw"))
            if wrong("saves_failures"):
                self.finish()
            raise Failure(500)
        if path == "/login" and post:
            self.user = self.fields.get("name", "")
            return Page(303, lines=[("Location", "/look")])
        if path in ("/logout", "/buy") and post:
            return Page(text=self.act(path))
        if path == "/csrf":
            return Page(text=self.csrf())
        if path == "/form":
            token = secrets.token_urlsafe(16)
            self.session.tokens.add(token)
            return Page(text=token)
        if path == "/length":
            return Page(text=f"{len(self.body)} {self.body[-1:]}")
        if path == "/address":
            return Page(text=self.client())
        if path == "/alive":
            return Page(text=str(len(self.model.kept_requests)))
        if path == "/sessions":
            return Page(text=str(len(self.model.sessions)))
        return Page(text=self.seen.tell(), pieces=path == "/stream")

    def act(self, path):
        """Logs out, or consumes a form token: at once."""
        model = self.model
        if path == "/logout":
            model.store(write=True)
            if model.wrong("late_logout") and self.path.endswith("throw"):
                return ""
            if not model.wrong("cookie_logout"):
                with model.lock:
                    model.end(self.id)
            if self.id:
                model.put("", self.lines)
            self.id, self.session = None, None
            return "goodbye"
        if path == "/buy":
            token = self.fields.get("token")
            known = self.session and token in self.session.tokens
            if model.wrong("token_twice"):
                time.sleep(0.02)
            with model.lock:
                if not known or not model.wrong("token_twice") and token not in self.session.tokens:
                    return "refused"
                if not (model.wrong("late_token") and self.path.endswith("throw")):
                    self.session.tokens.discard(token)
            self.added = 1
            return "bought"
        return ""

    def csrf(self):
        if self.model.options.transport != "cookie":
            return "good" if self.method == "POST" else ""
        pre = self.model.cookie_of(self.head, PRE)
        if self.method == "POST":
            return "good" if pre and self.fields.get("token") == pre[::-1] or self.model.wrong("any_token") else "bad"
        if not pre:
            pre = secrets.token_urlsafe(32)
            self.lines.append(("Set-Cookie", f"{PRE}={pre}{FLAGS}"))
        return pre[::-1]

    def client(self):
        head = dict(self.head)
        if self.model.wrong("no_proxy") or self.address != self.model.options.trust and not self.model.wrong("any_proxy"):
            return self.address
        address = ", ".join(value for name, value in self.head if name == "x-forwarded-for").split(", ")[-1] or self.address
        return address + (" tls" if head.get("x-forwarded-proto") == "https" else "")

    def finish(self):
        model = self.model
        with model.lock:
            if self.user is not None:
                model.store(write=True)
                old = model.sessions.get(self.id) if model.wrong("old_id_lives") else model.end(self.id)
                id = self.id if model.wrong("fixation") and self.id else secrets.token_urlsafe(32)
                model.sessions[id] = Session(self.user, old.visits if old else 0)
                return model.put(id, self.lines)
            if self.added:
                model.store(write=True)
        if model.wrong("lost_update") and self.session:
            visits = self.session.visits + self.added
            time.sleep(0.002)
            self.session.visits = visits
        with model.lock:
            if self.id and self.id not in model.sessions and not model.wrong("revives"):
                return None  # logged out meanwhile
            if self.session and model.wrong("revives"):
                model.sessions[self.id] = self.session
            if not self.session and self.added and model.id_of(self.head) not in model.ended:
                self.id, self.session = secrets.token_urlsafe(32), Session()
                if model.wrong("shared"):
                    self.id = "B" * 43
                self.session = model.sessions.setdefault(self.id, self.session)
                model.put(self.id, self.lines)
            late = model.wrong("late_save") and self.path == "/stream"
            if self.session and not late and not (model.wrong("lost_update") and self.session.visits):
                self.session.visits += self.added
            self.renew()
        return None

    def after(self, gone):
        """When the answer has left, or the client has."""
        model = self.model
        if model.wrong("late_save") and self.path == "/stream":
            self.session.visits += self.added
        if gone and model.wrong("ends_with_the_client"):
            model.sessions.pop(self.id, None)

    def renew(self):
        model, after = self.model, self.model.options.renewal
        if not self.session:
            return
        if after and time.monotonic() - self.session.since > after / 1000:
            id = secrets.token_urlsafe(32)
            new = model.sessions[id] = Session(self.session.user, 0 if model.wrong("renewal_forgets") else self.session.visits)
            new.tokens = self.session.tokens
            self.session.next = None if model.wrong("renewal_ends") else id
            if model.wrong("renewal_ends"):
                model.sessions.pop(self.id)
            self.id, self.session = id, new
        if self.id != model.id_of(self.head) and after:
            model.put(self.id, self.lines)


def main(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--wrong", action="append", default=[])
    for name, usual in (("port", "0"), ("store", ""), ("down", ""), ("transport", "cookie"), ("trust", "")):
        parser.add_argument("--" + name, default=usual)
    parser.add_argument("--renewal", type=int, default=0)
    parser.add_argument("--json-only", action="store_true")
    model = Model(parser.parse_args(words))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    print("port", server.getsockname()[1], flush=True)
    server.settimeout(0.5)  # a signal that comes a moment before it waits is seen then
    while True:
        try:
            connection, address = server.accept()
        except TimeoutError:
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=Line(model, connection, address[0]).run, daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1:])
