"""What a session lives through: logins, renewals, proxies, answers of all kinds."""

import time

from client import SID, Connection, Gone, sid
from fact import Fact, needs


class Sessions(Fact):
    def test_a_login_sends_on_and_lasts_a_thousand_pages(self):
        visitor = self.visitor()
        reply = visitor.ask("POST", "/login", body="name=ada")
        self.assertEqual((reply.status, reply.one("Location").removeprefix(f"http://127.0.0.1:{self.port}")), (303, "/look"))
        id = visitor.id
        for page in range(self.PAGES):
            reply = visitor.ask("GET", "/look")
            self.assertEqual(reply.body, "ada 0", f"page {page}")
            self.assertNoCookie(reply)
        self.assertEqual(visitor.id, id)

    def test_a_login_gives_a_new_id_and_the_old_one_is_dead(self):
        visitor = self.visitor()
        visitor.ask("GET", "/count")
        before = visitor.id
        visitor.ask("POST", "/login", body="name=ada")
        self.assertNotEqual(visitor.id, before)
        self.assertRegex(self.look(sid(visitor.id)), "^ada ")
        self.assertEqual(self.look(sid(before)), "nobody 0")

    def test_a_logged_out_id_opens_nothing_whoever_keeps_it(self):
        visitor = self.logged_in()
        id = visitor.id
        visitor.ask("POST", "/logout")
        self.assertIsNone(visitor.id)
        reply = self.ask("GET", "/count", sid(id))
        self.assertEqual(reply.body, "nobody 1")
        self.assertNoCookie(reply)
        self.assertEqual(self.look(sid(id)), "nobody 0")

    @needs("keep_alive")
    def test_two_users_on_one_connection_stay_apart(self):
        ada, bob = self.logged_in().id, self.logged_in("bob").id
        with Connection(self.port) as proxy:
            for i in range(1, 11):
                self.assertEqual(proxy.ask("GET", "/count", sid(ada)).body, f"ada {i}")
                self.assertEqual(proxy.ask("GET", "/count", sid(bob)).body, f"bob {i}")
                self.assertEqual(proxy.ask("GET", "/look").body, "nobody 0")
                posted = proxy.ask("POST", "/login", body="name=eve")
                self.assertNotIn(posted.id, (ada, bob))

    def test_a_post_from_a_foreign_page_never_reaches_the_handler(self):
        id = self.logged_in().id
        for origin in ("Sec-Fetch-Site: cross-site", "Origin: https://evil.example", "Origin: null", "", "Referer: https://evil.example/127.0.0.1",
                       "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"):
            reply = self.ask("POST", "/logout", sid(id), origin=origin)
            self.assertEqual(reply.status, 403, origin)
            self.assertEqual(reply.one("Cache-Control"), "no-store")
            self.assertNoCookie(reply)
        self.assertEqual(self.look(sid(id)), "ada 0")
        for origin in ("Sec-Fetch-Site: same-origin", "Origin: http://127.0.0.1"):
            self.assertEqual(self.ask("POST", "/length", sid(id), origin=origin).status, 200, origin)

    def test_a_head_request_is_a_get_without_a_body(self):
        visitor = self.logged_in()
        reply = visitor.ask("HEAD", "/count", "Sec-Fetch-Site: cross-site")
        self.assertEqual(reply.status, 200)
        self.assertEqual(visitor.ask("GET", "/look").body, "ada 1")
        self.assertIn(SID, self.ask("HEAD", "/count").cookies())

    def test_a_redirect_carries_its_cookie(self):
        reply = self.ask("GET", "/moved")
        self.assertEqual((reply.status, reply.one("Location").removeprefix(f"http://127.0.0.1:{self.port}")), (303, "/look"))
        self.assertEqual(self.look(sid(reply.id)), "nobody 1")

    def test_a_streamed_answer_begins_after_the_session_is_saved(self):
        with Connection(self.port) as connection:
            connection.send("GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            head = connection.receive_head()
            self.assertEqual(self.look(sid(head.id)), "nobody 1")
            self.assertEqual(head.one("Cache-Control"), "no-store")
            self.assertEqual(connection.body(head), b"nobody 1")

    @needs("chunked_requests")
    def test_a_chunked_request_is_read_whole(self):
        id = self.logged_in().id
        with Connection(self.port) as connection:
            connection.send("POST /length HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nTransfer-Encoding: chunked\r\n"
                            f"Content-Type: text/plain\r\n{sid(id)}\r\n\r\n3\r\nabc\r\n")
            connection.send("a\r\n0123456789\r\n0\r\n\r\n")
            self.assertEqual(connection.receive().body, "13 9")
            # What follows is a request of its own, or nothing.
            try:
                self.assertEqual(connection.ask("GET", "/look").body, "nobody 0")
            except (Gone, ConnectionError):
                pass


class Renewal(Fact):
    OPTIONS = ("--renewal", "100")

    def test_ids_that_are_renewed_lose_no_page_and_no_visit(self):
        visitor = self.logged_in()
        ids, visits, until = {visitor.id}, 0, time.monotonic() + 1.2
        while time.monotonic() < until or len(ids) < 4:
            visits += 1
            self.assertEqual(visitor.ask("GET", "/count").body, f"ada {visits}")
            ids.add(visitor.id)
            self.assertLess(time.monotonic(), until + 20)


class SlowerRenewal(Fact):
    OPTIONS = ("--renewal", "1000")

    def test_an_answer_that_was_lost_logs_nobody_out(self):
        visitor = self.logged_in()
        for _ in range(10):
            old = visitor.id
            time.sleep(1.05)
            began = time.monotonic()
            told = self.ask("GET", "/look", sid(old))
            again = self.ask("GET", "/look", sid(old))  # the first answer never came
            self.assertEqual((told.body, again.body), ("ada 0", "ada 0"))
            self.assertNotEqual(told.id, old)
            if time.monotonic() - began < 1:
                return self.assertEqual(again.cookies(), told.cookies())
            visitor.jar[SID] = again.id  # so slow that the new id was due for renewal too
        self.fail("two requests never came within a second")


class BehindAProxy(Fact):
    OPTIONS = ("--trust", "127.0.0.1")

    def test_a_trusted_proxys_word_on_the_client_is_taken(self):
        reply = self.ask("GET", "/address", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")
        self.assertEqual(reply.body, "203.0.113.9 tls")
        reply = self.ask("GET", "/address", "X-Forwarded-For: 198.51.100.66", "X-Forwarded-For: 203.0.113.9")
        self.assertEqual(reply.body, "203.0.113.9")


class Alone(Fact):
    def test_nobody_elses_word_on_the_client_is_taken(self):
        lines = ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "Forwarded: for=203.0.113.9;proto=https", "REMOTE_ADDR: 203.0.113.9",
                 "Remote-Addr: 203.0.113.9", "HTTPS: on", "X-Real-IP: 203.0.113.9")
        for line in lines:
            self.assertEqual(self.ask("GET", "/address", line).body, "127.0.0.1", line)
