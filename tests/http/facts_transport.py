"""Ids that travel in a header, and APIs."""

from client import SID, sid
from fact import Fact

ID = r"^[A-Za-z0-9_-]{43}$"


class Bearer(Fact):
    OPTIONS = ("--transport", "bearer")

    def log_in(self, name="ada"):
        return self.ask("POST", "/login", body="name=" + name).one("Session-Id")

    def with_id(self, target, id, method="GET", **more):
        return self.ask(method, target, f"Authorization: Bearer {id}", **more)

    def test_a_bearer_id_is_told_in_a_header_and_no_cookie_is_sent(self):
        reply = self.ask("POST", "/login", body="name=ada")
        self.assertRegex(reply.one("Session-Id"), ID)
        self.assertEqual((reply.one("Cache-Control"), reply.one("Vary")), ("no-store", "Authorization"))
        self.assertNoCookie(reply)
        page = self.with_id("/look", reply.one("Session-Id"))
        self.assertEqual(page.body, "ada 0")
        self.assertEqual(page.all("Session-Id") + page.all("Set-Cookie") + page.all("Cache-Control"), [])

    def test_a_logout_by_header_tells_an_empty_id(self):
        id = self.log_in()
        reply = self.with_id("/logout", id, "POST")
        self.assertEqual((reply.one("Session-Id"), reply.one("Cache-Control")), ("", "no-store"))
        self.assertNoCookie(reply)
        self.assertEqual(self.with_id("/look", id).body, "nobody 0")

    def test_what_is_not_one_bearer_id_opens_nothing(self):
        id = self.log_in()
        good = f"Authorization: Bearer {id}"
        for lines in ([good, good], [good, "Authorization: Basic YTpi"], [good, "authorization:"], [f"Authorization: Bearer  {id}"],
                      [f"Authorization: {id}"], [f"Authorization: Basic {id}"], [good + "A"], [good + ", x"], [f"Authorization: Bearer %{ord(id[0]):02x}{id[1:]}"],
                      [sid(id)], [f"Session-Id: {id}"], [f"Proxy-Authorization: Bearer {id}"]):
            reply = self.ask("GET", "/look", *lines)
            self.assertTrue(reply.body == "nobody 0" or reply.status == 400, f"{reply} {lines}")  # some servers refuse two lines
            self.assertEqual(reply.all("Session-Id"), [])
        self.assertEqual(self.ask("GET", "/look", "authorization:   bearer " + id + " ", sid("tossed")).body, "ada 0")

    def test_a_header_needs_no_origin_and_no_csrf_token(self):
        id = self.log_in()
        reply = self.with_id("/csrf", id, "POST", origin="Sec-Fetch-Site: cross-site")
        self.assertEqual((reply.status, reply.body), (200, "good"))
        page = self.with_id("/csrf", id)
        self.assertEqual(page.body, "")
        self.assertNoCookie(page)

    def test_a_store_that_is_down_tells_no_id(self):
        id = self.log_in()
        with self.site.down():
            reply = self.with_id("/count", id)
            self.assertEqual((reply.status, reply.all("Session-Id")), (503, []))
        self.assertEqual(self.with_id("/look", id).body, "ada 0")


class Named(Fact):
    OPTIONS = ("--transport", "header", "--json-only")

    def post(self, target, *lines, type="application/json"):
        body = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n' if type.startswith("multipart") else "{}"
        return self.ask("POST", target, *lines, body=body, type=type)

    def test_a_header_of_ones_own_is_echoed_under_its_name(self):
        reply = self.post("/login?name=ada")
        id = reply.one("Shop-Session")
        self.assertRegex(id, ID)
        self.assertEqual((reply.one("Cache-Control"), reply.one("Vary")), ("no-store", "Shop-Session"))
        self.assertEqual(self.look("shop-session: " + id), "ada 0")
        for lines in (["Shop-Session: " + id] * 2, ["Shop-Session: Bearer " + id], ["Authorization: Bearer " + id], ["Shop-Session:"], [f"Cookie: {SID}={id}"]):
            self.assertEqual(self.ask("GET", "/look", *lines).body, "nobody 0", lines)

    def test_an_api_refuses_what_brings_no_json_before_the_handler(self):
        id = self.post("/login?name=ada").one("Shop-Session")
        for type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "text/plain; application/json", "",
                     "application/json, text/plain"):
            reply = self.post("/logout", "Shop-Session: " + id, type=type)
            self.assertEqual((reply.status, reply.all("Shop-Session")), (415, []), type)
            self.assertEqual(reply.one("Cache-Control"), "no-store")
        reply = self.post("/logout", "Shop-Session: " + id, "Content-Type: text/plain")
        self.assertIn(reply.status, (400, 415))  # two lines say two things
        self.assertEqual(self.look("Shop-Session: " + id), "ada 0")
        self.assertEqual(self.post("/logout", "Shop-Session: " + id, type="Application/JSON; charset=utf-8").body, "goodbye")
