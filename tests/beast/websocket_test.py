"""A WebSocket is closed when its session ends, and else stays.

    websocket_test.py PROGRAM EXAMPLE
"""

import os
import pathlib
import re
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "http"))

from client import Visitor, cookie, sid  # noqa: E402
from server import Process, Site  # noqa: E402
from websocket import WebSocket  # noqa: E402

PROGRAM, EXAMPLE = [os.path.abspath(sys.argv[1])], os.path.abspath(sys.argv[2])
FOREIGN = ("Origin: https://evil.example", "Origin: null", "Origin: http://127.0.0.1.evil.example", "", "Referer: http://127.0.0.1/",
           "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site\r\nOrigin: http://127.0.0.2", "Origin: http://127.0.0.1\r\nOrigin: https://evil.example")


class Sockets(unittest.TestCase):
    OPTIONS = ()

    @classmethod
    def setUpClass(cls):
        cls.site = Site("direct", PROGRAM, cls.OPTIONS)
        cls.addClassCleanup(cls.stop, cls.site)

    @staticmethod
    def stop(site):
        assert site.stop() == 0

    def logged_in(self, name="ada"):
        visitor = Visitor(self.site.port)
        self.addCleanup(visitor.close)
        self.assertEqual(visitor.ask("POST", "/login", body="name=" + name).status, 303)
        return visitor

    def shake(self, *lines, **more):
        socket = WebSocket(self.site.port, "/talk", *lines, **more)
        self.addCleanup(socket.close)
        return socket

    def open(self, visitor):
        socket = self.shake(sid(visitor.id))
        self.assertEqual(socket.reply.status, 101, socket.reply)
        self.assertRegex(socket.ask("ping"), "^pong ")
        return socket

    def assertClosed(self, socket, code, reason, **more):
        closed = socket.until_closed(20, **more)
        self.assertIsNotNone(closed, "it stays")
        self.assertEqual((closed[0].code, closed[0].reason), (code, reason))
        return closed[1]

    def assertWithinASecond(self, end, code=1008, reason="logged_out"):
        """`end` ends a visitor's session. Other programs on this machine may take its processors away, but not each time."""
        took = []
        while not took or min(took) >= 1 and len(took) < 5:
            visitor = self.logged_in()
            socket = self.open(visitor)
            end(visitor)
            took.append(self.assertClosed(socket, code, reason))
        self.assertLess(min(took), 1)


class Ends(Sockets):
    def test_ALogoutOnAnotherConnectionClosesItWithinASecond(self):
        self.assertWithinASecond(lambda visitor: self.assertEqual(visitor.ask("POST", "/logout").body, "goodbye"))

    def test_ALogoutInAnotherProcessClosesIt(self):
        other = Site("direct", PROGRAM, store=f"sqlite:{self.site.directory}/sessions.db?synchronous=normal")
        self.addCleanup(other.stop)

        def end(visitor):
            elsewhere = Visitor(other.port)
            self.addCleanup(elsewhere.close)
            elsewhere.jar = dict(visitor.jar)
            self.assertEqual(elsewhere.ask("POST", "/logout").body, "goodbye")
        self.assertWithinASecond(end)

    def test_TheEndOfAllSessionsOfItsUserClosesThemAllAndNobodyElses(self):
        bob = self.open(self.logged_in("bob"))
        phone = self.open(self.logged_in())
        self.assertWithinASecond(lambda visitor: visitor.ask("POST", "/end?name=ada"))
        self.assertClosed(phone, 1008, "logged_out")
        self.assertIsNone(bob.until_closed(1.2))
        self.assertEqual(bob.ask("ping"), "pong bob")

    def test_AnotherUserInTheSameBrowserClosesIt(self):
        self.assertWithinASecond(lambda visitor: visitor.ask("POST", "/login", body="name=eve"), reason="other_user")

    def test_WhoDoesNotAgreeToTheCloseIsCutOffAndNotListenedTo(self):
        visitor = self.logged_in()
        socket = self.open(visitor)
        visitor.ask("POST", "/logout")
        self.assertClosed(socket, 1008, "logged_out", answer_close=False)
        socket.send("ping")
        closed = socket.until_closed(5, answer_close=False)
        self.assertIsNotNone(closed)
        self.assertIsNone(closed[0].code)


class Lasts(Sockets):
    OPTIONS = ("--renewal", "300")

    def test_ARenewedIdKeepsItOpenAndALogoutUnderTheNewOneClosesIt(self):
        visitor = self.logged_in()
        socket, ids, until = self.open(visitor), set(), time.monotonic() + 2.5
        while time.monotonic() < until or len(ids) < 4:
            ids.add(visitor.id)
            self.assertEqual(visitor.ask("GET", "/look").body, "ada 0")
            self.assertEqual(socket.ask("ping"), "pong ada")
            time.sleep(0.05)
        visitor.ask("POST", "/logout")
        self.assertClosed(socket, 1008, "logged_out")

    def test_AnIdThatIsRenewedByTheHandshakeIsToldInItsAnswer(self):
        visitor = self.logged_in()
        old = visitor.id
        time.sleep(0.35)
        socket = self.open(visitor)
        self.assertNotEqual(socket.reply.id, old)
        self.assertEqual(socket.reply.one("Cache-Control"), "no-store")
        visitor.jar["__Host-Http-sid"] = socket.reply.id
        self.assertEqual(visitor.ask("GET", "/look").body, "ada 0")
        self.assertIsNone(socket.until_closed(1.2))


class Idle(Sockets):
    OPTIONS = ("--idle", "2400")

    def test_ASilentOneIdlesOutWithItsSession(self):
        began = time.monotonic()
        socket = self.open(self.logged_in())
        self.assertClosed(socket, 1008, "gone")
        self.assertGreater(time.monotonic() - began, 2.1)  # a session may idle out a tenth early

    def test_MessagesCountAsAnAccessOnlyIfTheApplicationSaysSo(self):
        heard, unheard = self.open(self.logged_in("ada")), self.open(self.logged_in("bob"))
        until = time.monotonic() + 3.6
        while time.monotonic() < until:
            self.assertEqual(heard.ask("use"), "pong ada")
            try:
                unheard.send("ping")
            except OSError:
                pass
            time.sleep(0.1)
        self.assertClosed(unheard, 1008, "gone", answer_close=False)  # it has gone long since
        self.assertEqual(heard.ask("ping"), "pong ada")
        self.assertClosed(heard, 1008, "gone")


class Handshakes(Sockets):
    def test_OneFromAForeignPageIsRefused(self):
        visitor = self.logged_in()
        for line in FOREIGN:
            socket = self.shake(sid(visitor.id), *([line] if line else []), origin="")
            self.assertEqual((socket.reply.status, socket.reply.all("Set-Cookie")), (403, []), line)
            self.assertEqual(socket.reply.one("Cache-Control"), "no-store")
        self.assertEqual(self.open(visitor).ask("ping"), "pong ada")

    def test_OneWithoutASessionIsRefused(self):
        gone = self.logged_in()
        old = gone.id
        gone.ask("POST", "/logout")
        for lines in ([], [cookie(theme="dark")], [sid("A" * 43)], [sid(old)], [sid(old), sid(old)]):
            reply = self.shake(*lines).reply
            self.assertEqual((reply.status, reply.all("Set-Cookie")), (403, []), lines)
            self.assertIn("no session", reply.body)


class Outages(Sockets):
    def test_AShortOneChangesNothingAndALongOneClosesIt(self):
        socket = self.open(self.logged_in())
        with self.site.down():
            self.assertIsNone(socket.until_closed(1))
        self.assertIsNone(socket.until_closed(1))
        with self.site.down():
            self.assertClosed(socket, 1013, "outage")

    def test_NoneIsOpenedMeanwhile(self):
        visitor = self.logged_in()
        with self.site.down():
            reply = self.shake(sid(visitor.id)).reply
        self.assertEqual((reply.status, reply.one("Retry-After"), reply.all("Set-Cookie")), (503, "5", []))


class Example(unittest.TestCase):
    def test_TheExampleClosesItAtTheLogout(self):
        home = tempfile.TemporaryDirectory(prefix="sancho-example-")
        self.addCleanup(home.cleanup)
        before = os.getcwd()
        os.chdir(home.name)  # its store lies where it is started
        self.addCleanup(os.chdir, before)
        process = Process([EXAMPLE, "0"], pathlib.Path(home.name) / "log")
        self.addCleanup(process.stop)
        visitor = Visitor(process.port())
        self.addCleanup(visitor.close)

        def submit(action, more=""):
            token = re.search(r'name="token" value="([^"]+)"', visitor.ask("GET", "/").body).group(1)
            self.assertEqual(visitor.ask("POST", action, body=f"token={token}{more}").status, 303)
        submit("/login", "&name=ada")
        socket = WebSocket(visitor.port, "/echo", cookie(*(f"{name}={value}" for name, value in visitor.jar.items())))
        self.addCleanup(socket.close)
        self.assertEqual(socket.ask("hello"), "ada: hello")
        submit("/logout")
        self.assertEqual(socket.until_closed(20)[0].code, 1008)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
