"""The shop's arguments, its guards, and how it ends.

    demo_test.py PROGRAM
"""

import concurrent.futures
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

PROGRAM = sys.argv[1]


class Visitor:
    def __init__(self, port, address="127.0.0.1", jar=()):
        self.port, self.address, self.jar = port, address, dict(jar)

    def ask(self, method, path, form=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60, source_address=(self.address, 0))
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        body = None
        if method == "POST":
            body = urllib.parse.urlencode(form or {})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            if "Sec-Fetch-Site" not in headers:
                headers["Origin"] = f"http://127.0.0.1:{self.port}"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        self.text = answer.read().decode()
        self.headers = answer.headers
        for line in answer.headers.get_all("Set-Cookie", []):
            name, value = line.split(";")[0].split("=", 1)
            if "Max-Age=0" in line:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        connection.close()
        return answer.status

    def csrf(self, page, action):
        self.ask("GET", page)
        return re.search(rf'action="{action}"[^>]*><input type="hidden" name="csrf" value="([^"]+)"', self.text).group(1)

    def log_in(self, name="sancho", password="barataria-1615"):
        return self.ask("POST", "/login", {"csrf": self.csrf("/login", "/login"), "name": name, "password": password})


def start(test, *arguments):
    server = subprocess.Popen([PROGRAM, "--port", "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for clear in (server.stdout.close, server.stderr.close, server.wait, server.kill):
        test.addCleanup(clear)
    said = server.stdout.readline()
    return server, int(re.search(r"http://\S+:(\d+)/", said).group(1))


class ShopTest(unittest.TestCase):
    def setUp(self):
        self.server, self.port = start(self, "--store", "memory:")
        self.visitor = Visitor(self.port)

    def test_pages_forbid_what_they_do_not_use(self):
        for page in ("/", "/login", "/nowhere", "/style.css"):
            self.visitor.ask("GET", page)
            policy = self.visitor.headers["Content-Security-Policy"]
            for rule in ("default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
                self.assertIn(rule, policy)
            self.assertEqual(self.visitor.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(self.visitor.headers["Referrer-Policy"], "same-origin")
            self.assertIsNone(re.search(r"<script|<style|style=|\son\w+=", self.visitor.text))

    def test_a_stranger_gets_no_cookie(self):
        for page in ("/", "/cart", "/orders", "/style.css"):
            self.visitor.ask("GET", page)
            self.assertEqual(self.visitor.jar, {})

    def test_a_login_form_alone_makes_no_session(self):
        self.visitor.ask("GET", "/login")
        self.assertEqual(list(self.visitor.jar), ["pre"])
        self.assertEqual(self.visitor.log_in(), 303)
        self.assertEqual(list(self.visitor.jar), ["sid"])

    def test_logging_out_takes_a_post_and_a_token(self):
        self.visitor.log_in()
        self.assertEqual(self.visitor.ask("GET", "/logout"), 405)
        self.assertEqual(self.visitor.headers["Allow"], "POST")
        self.assertEqual(self.visitor.ask("POST", "/logout"), 403)
        self.assertEqual(self.visitor.ask("POST", "/logout", {"csrf": self.visitor.csrf("/", "/logout")}, Sec_Fetch_Site="cross-site"), 403)
        self.visitor.ask("GET", "/")
        self.assertIn("Welcome, Sancho Panza.", self.visitor.text)
        self.assertEqual(self.visitor.ask("POST", "/logout", {"csrf": self.visitor.csrf("/", "/logout")}), 200)
        self.assertNotIn("sid", self.visitor.jar)

    def test_one_visitors_token_is_not_anothers(self):
        other = Visitor(self.port)
        form = {"csrf": other.csrf("/login", "/login"), "name": "sancho", "password": "barataria-1615"}
        self.visitor.ask("GET", "/login")
        self.assertEqual(self.visitor.ask("POST", "/login", form), 403)

    def test_guessing_a_password_is_throttled_for_all_who_try(self):
        for _ in range(5):
            self.assertEqual(Visitor(self.port).log_in("quixote", "wrong"), 401)
        owner = Visitor(self.port)
        self.assertEqual(owner.log_in("quixote", "rocinante-1605"), 429)
        self.assertGreater(int(owner.headers["Retry-After"]), 800)
        self.assertEqual(owner.log_in("sancho"), 303)

    def test_guessing_names_is_throttled_for_their_address_alone(self):
        for number in range(50):
            self.assertEqual(Visitor(self.port).log_in(f"somebody{number}", "x"), 401, number)
        here, elsewhere = Visitor(self.port), Visitor(self.port, address="127.0.0.2")
        self.assertEqual(here.log_in("sancho"), 429)
        self.assertGreater(int(here.headers["Retry-After"]), 0)
        self.assertEqual(elsewhere.log_in("sancho"), 303)

    def test_each_visit_is_counted(self):
        count = lambda: re.search(r"You have been here (\d+ times?)\.", self.visitor.text).group(1)
        self.visitor.ask("GET", "/")
        self.assertNotIn("You have been here", self.visitor.text)
        self.visitor.log_in()
        for expected in ("1 time", "2 times"):
            self.visitor.ask("GET", "/")
            self.assertEqual(count(), expected)
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            asked = [pool.submit(Visitor(self.port, jar=self.visitor.jar).ask, "GET", "/") for _ in range(20)]
        self.assertEqual([each.result() for each in asked], [200] * 20)
        self.visitor.ask("GET", "/")
        self.assertEqual(count(), "23 times")

    def test_an_unknown_name_is_answered_as_a_wrong_password(self):
        self.visitor.log_in("nobody", "x")
        unknown = self.visitor.text
        self.visitor.log_in("sancho", "x")
        plain = lambda text: re.sub(r'value="[^"]*"', "", text)
        self.assertEqual(plain(unknown), plain(self.visitor.text))

    def test_what_a_visitor_writes_is_text(self):
        markup = "\"><img src=x onerror=alert(1)>'&"
        self.visitor.log_in(markup, "x")
        self.assertNotIn("<img", self.visitor.text)
        self.assertIn("&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&#39;&amp;", self.visitor.text)

    def test_after_a_login_nobody_is_sent_elsewhere(self):
        form = {"name": "sancho", "password": "barataria-1615", "next": "//evil.example", "csrf": self.visitor.csrf("/login", "/login")}
        self.assertEqual(self.visitor.ask("POST", "/login", form), 303)
        self.assertEqual(self.visitor.headers["Location"], "/")

    def test_a_quantity_that_is_none_is_refused(self):
        for quantity in ("-1", "100", "x", "", "1.5", "99999999999999999999"):
            form = {"sku": "wine", "quantity": quantity, "csrf": self.visitor.csrf("/product/wine", "/cart/add")}
            self.assertEqual(self.visitor.ask("POST", "/cart/add", form), 422, quantity)
        self.assertNotIn("sid", self.visitor.jar)

    def test_nobody_ends_another_users_session(self):
        self.visitor.log_in("dulcinea", "el-toboso-1605")
        self.visitor.ask("GET", "/devices")
        handle = re.search(r"session <code>(\S{16})</code>", self.visitor.text).group(1)
        other, second = Visitor(self.port), Visitor(self.port)
        other.log_in()
        second.log_in()
        form = {"csrf": other.csrf("/devices", "/devices/end"), "handle": handle}
        self.assertEqual(other.ask("POST", "/devices/end", form), 303)
        self.visitor.ask("GET", "/")
        self.assertIn("Welcome, Dulcinea del Toboso.", self.visitor.text)


class EndTest(unittest.TestCase):
    def test_requests_in_flight_are_finished(self):
        with tempfile.TemporaryDirectory(prefix="sancho-demo-") as place:
            for end in (signal.SIGTERM, signal.SIGINT):
                server, port = start(self, "--store", "sqlite:" + os.path.join(place, "shop.db"))
                visitor = Visitor(port)
                csrf = visitor.csrf("/login", "/login")
                body = urllib.parse.urlencode({"csrf": csrf, "name": "sancho", "password": "barataria-1615"}).encode()
                head = (f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nCookie: pre={visitor.jar['pre']}\r\n"
                        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n").encode()
                with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                    # The head is read when the signal comes; the body follows.
                    connection.sendall(head + body[:10])
                    visitor.ask("GET", "/")
                    server.send_signal(end)
                    while True:
                        try:
                            socket.create_connection(("127.0.0.1", port), timeout=60).close()
                        except ConnectionError:
                            break
                    connection.sendall(body[10:])
                    answer = connection.recv(65536).decode()
                self.assertTrue(answer.startswith("HTTP/1.1 303"), answer)
                self.assertIn("Set-Cookie: sid=", answer)
                self.assertEqual(server.wait(30), 0)

    def test_the_threads_are_as_many_as_asked_for(self):
        counts = []
        for threads in (3, 5):  # a sanitizer may have one of its own
            server, port = start(self, "--store", "memory:", "--threads", str(threads))
            Visitor(port).ask("GET", "/")
            counts.append(len(os.listdir(f"/proc/{server.pid}/task")))
        self.assertEqual(counts[1] - counts[0], 2)


class ArgumentsTest(unittest.TestCase):
    def run_with(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=30)

    def test_what_it_does_not_know_it_says_with_its_usage(self):
        for arguments in (["--prot", "1"], ["shop"], ["--port"], ["--port", "x"], ["--port=70000"], ["--threads", "0"], ["--help=yes"]):
            done = self.run_with(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("usage: sancho_demo", done.stderr)

    def test_it_helps(self):
        done = self.run_with("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--behind-https-proxy", done.stdout)

    def test_it_is_open_to_others_only_behind_tls(self):
        done = self.run_with("--port", "0", "--host", "0.0.0.0", "--store", "memory:")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--behind-https-proxy", done.stderr)
        server, port = start(self, "--host", "0.0.0.0", "--store", "memory:", "--behind-https-proxy")
        visitor = Visitor(port)
        visitor.ask("GET", "/login")
        self.assertRegex(visitor.headers["Set-Cookie"], r"^__Host-Http-pre=\S+; Path=/; Secure; HttpOnly; SameSite=Lax$")
        self.assertIn("max-age=", visitor.headers["Strict-Transport-Security"])

    def test_a_port_that_is_taken_is_said(self):
        server, port = start(self, "--store", "memory:")
        done = self.run_with("--port", str(port), "--store", "memory:")
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(port), done.stderr)

    def test_a_store_that_is_none_is_said(self):
        done = self.run_with("--port", "0", "--store", "pigeon:")
        self.assertEqual(done.returncode, 1)
        self.assertIn("pigeon", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
