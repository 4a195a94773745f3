"""What becomes of a session when something goes wrong."""

import time

from client import Connection, Gone, request, sid
from fact import Fact, needs
from server import wait_for


class Handlers(Fact):
    def test_a_handler_that_throws_saves_nothing(self):
        visitor = self.logged_in()
        before = self.sessions()
        for method in ("GET", "POST"):
            for reply in (visitor.ask(method, "/throw"), self.ask(method, "/throw")):
                self.assertEqual(reply.status, 500)
                self.assertEqual(reply.one("Cache-Control"), "no-store")
                self.assertNotIn("canary", str(reply))
                self.assertNoCookie(reply)
        self.assertEqual(visitor.ask("GET", "/look").body, "ada 0")
        self.assertEqual(self.sessions(), before)

    def test_a_logout_stays_though_its_handler_throws_afterwards(self):
        visitor = self.logged_in()
        id = visitor.id
        reply = visitor.ask("POST", "/logout/throw")
        self.assertEqual(reply.status, 500)
        self.assertIn("Max-Age=0", reply.one("Set-Cookie"))
        self.assertEqual(self.look(sid(id)), "nobody 0")

    def test_a_form_token_stays_used_though_its_handler_throws_afterwards(self):
        visitor = self.logged_in()
        token = visitor.ask("GET", "/form").body
        self.assertEqual(visitor.ask("POST", "/buy/throw", body="token=" + token).status, 500)
        self.assertEqual(visitor.ask("POST", "/buy", body="token=" + token).body, "refused")
        self.assertEqual(visitor.ask("GET", "/look").body, "ada 0")


class Clients(Fact):
    def broken_off(self, text, pause=0.0):
        with Connection(self.port) as connection:
            connection.send(text)
            time.sleep(pause)

    def test_a_request_that_breaks_off_saves_nothing(self):
        visitor = self.logged_in()
        id, before = visitor.id, self.sessions()
        for whole in (request("GET", "/count", sid(id)), request("POST", "/throw", sid(id), body="a" * 5000),
                      request("POST", "/slow", sid(id), body="ms=1" + "&" * 5000), request("POST", "/login", body="name=eve" + "&" * 5000)):
            for end in (10, len(whole) // 2, len(whole) - 3):
                self.broken_off(whole[:end])
        time.sleep(0.2)
        self.assertEqual(self.look(sid(id)), "ada 0")
        self.assertEqual(self.sessions(), before)

    @needs("chunked_requests")
    def test_a_chunked_request_that_breaks_off_saves_nothing(self):
        before = self.sessions()
        head = ("POST /login?name=eve HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n"
                "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
        for body in ("", "5", "5\r\nab", "5\r\nabcde", "5\r\nabcde\r\n", "5\r\nabcde\r\n0", "zz\r\nabc\r\n0\r\n\r\n"):
            self.broken_off(head + body)
        time.sleep(0.2)
        self.assertEqual(self.sessions(), before)

    def test_requests_that_break_off_leak_nothing(self):
        if self.site.files() is None:
            self.skipTest("without a process that stays")
        self.ask("GET", "/look")
        for _ in range(2):  # the first round opens what is opened once
            before = self.site.files()
            for i in range(60):
                self.broken_off(request("POST", "/login", body="name=eve" + "&" * 2000)[:-1 - i * 20])
                self.broken_off(request("GET", "/stream"), 0.005 if i % 10 == 0 else 0)
            self.ask("GET", "/look")
        wait_for(lambda: self.site.files() <= before + 2, f"open files to be {before} again, and not {self.site.files()}", 12)
        wait_for(lambda: self.ask("GET", "/alive").body == "0", "the last session to be let go", 12)

    def test_where_a_bodys_end_is_uncertain_the_rest_is_nobodys_next_request(self):
        id = self.logged_in().id
        smuggled = request("GET", "/count", sid(id))
        whole = f"Content-Length: {len(smuggled)}"
        for lines in (["Content-Length: 0", whole], [whole, "Content-Length: 0"], [whole, "Transfer-Encoding: chunked"], ["Content-Length: +0"],
                      ["Content-Length: 0x0"], ["Content-Length: 0 0"], ["Content-Length: -1"], ["Transfer-Encoding: identity, chunked", whole]):
            head = "\r\n".join(["POST /length HTTP/1.1", "Host: 127.0.0.1", "Sec-Fetch-Site: same-origin", "Content-Type: text/plain", *lines])
            body = "0\r\n\r\n" if "chunked" in head else ""
            with Connection(self.port, 1) as connection:
                try:
                    connection.send(head + "\r\n\r\n" + body + smuggled)
                    while True:
                        self.assertNotIn("ada", connection.receive().body, lines)
                except (Gone, OSError, ValueError, AssertionError) as error:
                    if "ada" in str(error):
                        raise
        self.assertEqual(self.look(sid(id)), "ada 0")

    def test_a_client_that_leaves_before_the_answer_hurts_nobody(self):
        visitor = self.logged_in()
        for _ in range(4):
            self.broken_off(request("GET", "/slow?ms=100", sid(visitor.id)), 0.02)
        time.sleep(0.3)
        # Each either counted or did not, and none has taken the session along.
        self.assertIn(visitor.ask("GET", "/look").body, [f"ada {n}" for n in range(5)])

    def test_what_is_no_http_opens_nothing_and_hurts_nobody(self):
        id = self.logged_in().id
        for text in ("\r\n\r\n", "GET\r\n\r\n", "GET /look\r\n" + sid(id) + "\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x00" * 300,
                     "GET /look HTTP/1.1\nHost: x\n\n", "\x00" * 1000):
            with Connection(self.port, 5) as connection:
                try:
                    connection.send(text)
                    connection.socket.shutdown(1)
                    reply = connection.receive()
                except (Gone, OSError, AssertionError, ValueError):
                    continue
                self.assertTrue(reply.status >= 400 or reply.body == "nobody 0", reply)
        self.assertEqual(self.look(sid(id)), "ada 0")


class Stores(Fact):
    def assertLater(self, reply):
        self.assertEqual(reply.status, 503)
        self.assertEqual(reply.one("Retry-After"), "5")
        self.assertEqual(reply.one("Cache-Control"), "no-store")
        self.assertNoCookie(reply)
        self.assertNotIn("down for a test", str(reply))

    def test_a_store_that_is_down_is_no_logout(self):
        visitor = self.logged_in()
        with self.site.down():
            for reply in (visitor.ask("GET", "/look"), visitor.ask("GET", "/count"), visitor.ask("POST", "/logout"), self.ask("POST", "/login", body="name=eve")):
                self.assertLater(reply)
            self.assertEqual(self.ask("GET", "/look").body, "nobody 0")  # a stranger's page needs no store
        self.assertEqual(visitor.ask("GET", "/look").body, "ada 0")

    def test_a_store_that_takes_no_writes_keeps_nothing_and_says_so(self):
        visitor = self.logged_in()
        with self.site.down("writes"):
            self.assertLater(visitor.ask("GET", "/count"))
            self.assertLater(visitor.ask("POST", "/logout"))
            self.assertLater(self.ask("GET", "/stream"))
            self.assertEqual(visitor.ask("GET", "/look").body, "ada 0")
        self.assertEqual(visitor.ask("GET", "/count").body, "ada 1")
