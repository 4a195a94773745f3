"""Which cookies open a session, and which lines a response has."""

from client import PRE, SID, Connection, Gone, cookie, sid
from fact import Fact

FLAGS = "; Path=/; Secure; HttpOnly; SameSite=Lax"
REMOVED = "=" + FLAGS + "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"


class Cookies(Fact):
    def test_a_new_session_sets_its_cookie_to_the_byte(self):
        reply = self.ask("GET", "/count")
        self.assertRegex(reply.one("Set-Cookie"), rf"^{SID}=[A-Za-z0-9_-]{{43}}{FLAGS}$")
        self.assertEqual(reply.one("Cache-Control"), "no-store")
        self.assertEqual(reply.one("Vary"), "Cookie")
        self.assertEqual((reply.status, reply.body), (200, "nobody 1"))

    def test_a_login_and_a_logout_set_their_cookies_to_the_byte(self):
        visitor = self.visitor()
        login = visitor.ask("POST", "/login", body="name=ada")
        self.assertRegex(login.one("Set-Cookie"), rf"^{SID}=[A-Za-z0-9_-]{{43}}{FLAGS}$")
        self.assertEqual((login.one("Cache-Control"), login.one("Vary")), ("no-store", "Cookie"))
        logout = visitor.ask("POST", "/logout")
        self.assertEqual(logout.one("Set-Cookie"), SID + REMOVED)
        self.assertEqual((logout.one("Cache-Control"), logout.one("Vary"), logout.body), ("no-store", "Cookie", "goodbye"))

    def test_a_page_that_tells_nothing_is_left_as_the_handler_made_it(self):
        for visitor in (self.visitor(), self.logged_in()):
            reply = visitor.ask("GET", "/public")
            self.assertEqual(reply.one("Cache-Control"), "public")
            self.assertEqual(reply.all("Vary"), [])
            self.assertNoCookie(reply)

    def test_a_page_with_a_cookie_is_kept_in_no_cache_whatever_the_handler_said(self):
        reply = self.ask("GET", "/cached")
        self.assertEqual(reply.one("Cache-Control"), "no-store")
        self.assertEqual(sorted(", ".join(reply.all("Vary")).split(", ")), ["Accept-Language", "Cookie"])

    def test_the_handlers_own_cookies_stand_beside_the_sessions(self):
        reply = self.ask("GET", "/cached")
        self.assertEqual(len(reply.all("Set-Cookie")), 3, reply)
        self.assertEqual({**reply.cookies(), SID: ""}, {"theme": "dark", "lang": "es", SID: ""})
        self.assertEqual(self.look(sid(reply.id)), "nobody 1")

    def test_a_stranger_gets_no_cookie_and_makes_no_session(self):
        before = self.sessions()
        for _ in range(5):
            reply = self.ask("GET", "/look", cookie(theme="dark"))
            self.assertEqual(reply.body, "nobody 0")
            self.assertNoCookie(reply)
        self.assertEqual(self.sessions(), before)

    def test_a_percent_encoded_semicolon_forges_no_cookie(self):
        id = self.logged_in().id
        self.assertEqual(self.look(sid(id)), "ada 0")
        for forged in (f"x=%3B%20{SID}={id}", f"x=%3b{SID}={id}", f"x=1%3B {SID}%3D{id}", f"x=1%0d%0aCookie: {SID}={id}",
                       f"%5F%5FHost-Http-sid={id}", f"{SID}%3D{id}", f'x="; {SID}%3d{id}; y="'):
            self.assertEqual(self.look(f"Cookie: {forged}"), "nobody 0", forged)

    def test_several_cookie_lines_are_one_header(self):
        id = self.logged_in().id
        for lines in ([cookie(a=1), sid(id), cookie(b=2)], [sid(id), "cookie: a=1"], ["COOKIE: a=1", sid(id)], [cookie("a=1", f"{SID}={id}", "b=2")]):
            self.assertEqual(self.ask("GET", "/look", *lines).body, "ada 0", lines)

    def test_two_session_cookies_open_none(self):
        ada, eve = self.logged_in().id, self.logged_in("eve").id
        for lines in ([sid(ada), sid(eve)], [sid(eve), cookie(a=1), sid(ada)], [cookie(f"{SID}={eve}", f"{SID}={ada}")], [sid(ada), sid(ada)],
                      [sid(ada), sid("")]):
            reply = self.ask("GET", "/look", *lines)
            self.assertEqual(reply.body, "nobody 0", lines)
            self.assertNoCookie(reply)

    def test_what_is_not_an_id_to_the_byte_opens_nothing(self):
        id = self.logged_in().id
        for text in (id[1:], id + "A", id + "=", f'"{id}"', f"%{ord(id[0]):02x}" + id[1:], id.swapcase(), "", "../../etc/passwd", "A" * 43, "' OR 1=1 --"):
            self.assertEqual(self.look(sid(text)), "nobody 0", text)
        for line in (f"Cookie: sid={id}", f"Cookie: {SID.lower()}={id}", f"Cookie: {SID} ={id}", f"Cookie: $Version=1, {SID}={id}", f"X-Cookie: {SID}={id}"):
            self.assertEqual(self.look(line), "nobody 0", line)

    def test_an_id_that_nobody_gave_out_is_never_adopted(self):
        planted = "A" * 43
        reply = self.ask("GET", "/count", sid(planted))
        self.assertEqual(reply.body, "nobody 1")
        self.assertNotEqual(reply.cookies().get(SID, ""), planted)
        self.assertEqual(self.look(sid(planted)), "nobody 0")

    def test_a_head_that_is_too_long_opens_nothing_and_hurts_nobody(self):
        id = self.logged_in().id
        for line in (cookie(x="y" * 200_000), cookie(*(f"x{i}=1" for i in range(20_000))), "X: " + "y" * 500_000):
            with Connection(self.port) as connection:
                try:
                    reply = connection.ask("GET", "/look", line, sid(id))
                except (Gone, ConnectionError):
                    continue
                self.assertTrue(reply.status >= 400 or reply.body == "nobody 0" or line.startswith("X"), reply)
        self.assertEqual(self.look(sid(id)), "ada 0")

    def test_a_visitors_form_has_a_token_by_way_of_a_signed_cookie_and_no_session(self):
        before = self.sessions()
        visitor, other = self.visitor(), self.visitor()
        page = visitor.ask("GET", "/csrf")
        self.assertRegex(page.one("Set-Cookie"), rf"^{PRE}=[A-Za-z0-9_-]+{FLAGS}$")
        other.ask("GET", "/csrf")
        self.assertEqual(visitor.ask("POST", "/csrf", body="token=" + page.body).body, "good")
        self.assertEqual(other.ask("POST", "/csrf", body="token=" + page.body).body, "bad")
        self.assertEqual(visitor.ask("POST", "/csrf", body="token=").body, "bad")
        self.assertEqual(self.sessions(), before)
