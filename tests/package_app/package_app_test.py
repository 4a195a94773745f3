"""Walks the package's test application, endpoint by endpoint.

    package_app_test.py PROGRAM memory|dir|sqlite|lmdb|VARIABLE

VARIABLE is an environment variable that holds the URI of a server's store.
"""

import http.client
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

PROGRAM, STORE = sys.argv[1:3]


class Browser:
    """Keeps the cookie, and nothing else. A connection for each request."""

    def __init__(self, port, cookie=None):
        self.port, self.cookie = port, cookie

    def ask(self, path, form=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": self.cookie} if self.cookie else {}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if form is None else "POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        self.status, self.headers = answer.status, answer.headers
        for line in answer.headers.get_all("Set-Cookie", []):
            pair = line.split(";")[0]
            if pair.startswith("sid="):
                self.cookie = None if "Max-Age=0" in line else pair
        connection.close()
        return text

    def lines(self, path):
        text = self.ask(path)
        assert self.headers["Content-Type"].startswith("text/plain"), self.headers
        return dict(line.split(": ", 1) for line in text.splitlines())

    def log_in(self, name):
        return self.ask("/login", {"name": name})


class PackageAppTest(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory(prefix="sancho-package-app-")
        self.addCleanup(self.place.cleanup)
        self.directory = os.path.join(self.place.name, "sessions")
        if STORE in os.environ:
            uri = os.environ[STORE]
            self.store = uri + ("&" if "?" in uri else "?") + "namespace=app_" + secrets.token_hex(6)
        else:
            suffix = {"memory": "", "dir": self.directory, "sqlite": self.directory + ".db", "lmdb": self.directory}[STORE]
            self.store = f"{STORE}:{suffix}"
        self.start()

    def start(self):
        self.server = subprocess.Popen([PROGRAM, "--port", "0", "--store", self.store], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.server.stdout.close)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        said = self.server.stdout.readline()
        self.port = int(re.search(r":(\d+)/", said).group(1))

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(30), 0)

    def browser(self, cookie=None):
        return Browser(self.port, cookie)

    def files(self):
        return [name for name in os.listdir(self.directory) if not name.startswith(".")]

    def test_a_visitor_is_not_logged_in_and_leaves_nothing(self):
        visitor = self.browser()
        self.assertIn("Not logged in.", visitor.ask("/"))
        self.assertIsNone(visitor.cookie)
        self.assertEqual(visitor.headers.get_all("Set-Cookie", []), [])
        if STORE == "dir":
            self.assertEqual(self.files(), [])

    def test_pages_are_small_html_that_says_the_guards_are_off(self):
        page = self.browser().ask("/login")
        self.assertIn("<form", page)
        self.assertIn("guards off on purpose", page)

    def test_login_shows_a_welcome_and_sets_a_counter_of_zero(self):
        ada = self.browser()
        self.assertIn("Welcome! ada", ada.log_in("ada"))
        self.assertRegex(ada.cookie, r"^sid=[A-Za-z0-9_-]{43}([A-Za-z0-9_-]{4})?$")
        page = ada.ask("/")
        self.assertIn("Hello, ada!", page)
        self.assertIn("Counter: 0", page)

    def test_a_name_is_text_and_not_markup(self):
        eve = self.browser()
        self.assertIn("Welcome! &lt;b&gt;&amp;&quot;&#39;", eve.log_in("<b>&\"'"))
        self.assertIn("Hello, &lt;b&gt;", eve.ask("/"))

    def test_a_login_without_a_name_is_refused(self):
        nobody = self.browser()
        nobody.log_in("")
        self.assertEqual(nobody.status, 400)
        self.assertIn("Not logged in.", nobody.ask("/"))

    def test_the_counter_counts(self):
        ada = self.browser()
        ada.log_in("ada")
        for n in range(1, 4):
            self.assertIn(f"Counter: {n}<", ada.ask("/counter"))
        self.assertIn("Counter: 3<", ada.ask("/"))

    def test_a_visitor_may_count_too(self):
        visitor = self.browser()
        self.assertIn("Counter: 1<", visitor.ask("/counter"))
        self.assertIn("Counter: 2<", visitor.ask("/counter"))
        self.assertEqual(visitor.lines("/check")["counter"], "2")

    def test_logout_says_goodbye_and_ends_the_session(self):
        ada = self.browser()
        ada.log_in("ada")
        old = ada.cookie
        self.assertIn("Goodbye!", ada.ask("/logout"))
        self.assertIsNone(ada.cookie)
        self.assertIn("Not logged in.", self.browser(old).ask("/"))
        if STORE == "dir":
            self.assertEqual(self.files(), [])

    def test_check_of_nobody(self):
        check = self.browser().lines("/check")
        access = check.pop("Access time")
        self.assertRegex(access, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.assertEqual(check, {"session_id": "None", "user": "None", "counter": "N/A", "has_info": "False",
                                 "form_tokens_count": "0", "has_form_tokens": "False"})

    def test_check_of_somebody(self):
        ada = self.browser()
        ada.log_in("ada")
        ada.ask("/counter")
        text = ada.ask("/check")
        self.assertRegex(text, r"\Asession_id: [A-Za-z0-9_-]{16}\nuser: ada\ncounter: 1\nhas_info: ada\n"
                               r"form_tokens_count: 0\nhas_form_tokens: False\nAccess time: \S+ \S+\n\Z")
        self.assertNotIn(ada.cookie.removeprefix("sid="), text)

    def test_tokens_are_made_and_counted(self):
        ada = self.browser()
        ada.log_in("ada")
        tokens = {re.search(r"Token created: ([A-Za-z0-9_-]{22})<", ada.ask("/create_token")).group(1) for _ in range(3)}
        self.assertEqual(len(tokens), 3)
        self.assertEqual(ada.lines("/check")["form_tokens_count"], "3")
        self.assertRegex(ada.ask("/check_token"), r"\Asession_id: \S{16}\nuser: ada\nhas_form_tokens: True\n"
                                                  r"form_token_count: 3\nAccess time: \S+ \S+\n\Z")
        for _ in range(20):
            ada.ask("/create_token")
        self.assertEqual(ada.lines("/check_token")["form_token_count"], "16")

    def test_a_visitors_token_makes_a_session(self):
        visitor = self.browser()
        visitor.ask("/create_token")
        check = visitor.lines("/check")
        self.assertEqual((check["user"], check["has_info"], check["has_form_tokens"]), ("None", "False", "True"))

    @unittest.skipIf("MEMCACHED" in STORE, "memcached cannot list what it holds")
    def test_delete_old_removes_those_and_counts_the_rest(self):
        for name in ("ada", "bob", "carl"):
            self.browser().log_in(name)
        dora = self.browser()
        dora.log_in("dora")
        self.assertIn("Deleted: 0, Remaining: 4", dora.ask("/delete_old?minutes=5"))
        self.assertIn("Deleted: 4, Remaining: 0", dora.ask("/delete_old?minutes=0"))
        self.assertIn("Not logged in.", dora.ask("/"))
        for bad in ("", "?minutes=", "?minutes=-1", "?minutes=x", "?minutes=1e3"):
            dora.ask("/delete_old" + bad)
            self.assertEqual(dora.status, 400, bad)

    def test_parallel_clients_of_one_session_count_exactly(self):
        ada = self.browser()
        ada.log_in("ada")
        statuses = []

        def count():
            client = self.browser(ada.cookie)
            for _ in range(8):
                client.ask("/counter")
                statuses.append(client.status)

        self.in_threads([count] * 32)
        self.assertEqual(statuses, [200] * 256)
        self.assertIn("Counter: 256<", ada.ask("/"))

    def test_a_logout_wins_against_writers_in_flight(self):
        for _ in range(5):
            ada = self.browser()
            ada.log_in("ada")
            cookie = ada.cookie
            made, begun = [], threading.Barrier(9)

            def write():
                client = self.browser(cookie)
                begun.wait()
                for _ in range(10):
                    client.ask("/counter")
                    # What a late writer is given, if anything, is a visitor's.
                    made.append(client)

            def log_out():
                begun.wait()
                self.assertIn("Goodbye!", self.browser(cookie).ask("/logout"))

            self.in_threads([write] * 8 + [log_out])
            self.assertIn("Not logged in.", self.browser(cookie).ask("/"))
            for client in made:
                self.assertNotIn("Hello, ada!", client.ask("/"))

    def in_threads(self, jobs):
        errors = []

        def guarded(job):
            try:
                job()
            except Exception as error:  # told below, on the test's own thread
                errors.append(error)

        threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])

    @unittest.skipIf(STORE == "memory", "memory: is gone with its process")
    def test_sessions_outlive_the_server(self):
        ada = self.browser()
        ada.log_in("ada")
        self.stop()
        self.start()
        self.assertIn("Hello, ada!", self.browser(ada.cookie).ask("/"))

    @unittest.skipUnless(STORE == "dir", "about the directory")
    def test_the_directory_holds_one_file_per_live_session(self):
        people = []
        for n in range(1, 6):
            people.append(self.browser())
            people[-1].log_in(f"user{n}")
            people[-1].ask("/counter")
            self.browser().ask("/")
            self.assertEqual(len(self.files()), n)
        for n, person in enumerate(people, 1):
            person.ask("/logout")
            self.assertEqual(len(self.files()), 5 - n)
        self.assertEqual(os.stat(self.directory).st_mode & 0o777, 0o700)

    @unittest.skipUnless(STORE == "dir", "about the directory")
    def test_a_file_deleted_by_hand_is_a_session_that_is_gone(self):
        ada, bob = self.browser(), self.browser()
        ada.log_in("ada")
        before = set(self.files())
        bob.log_in("bob")
        (bobs,) = set(self.files()) - before
        os.remove(os.path.join(self.directory, bobs))
        self.assertIn("Not logged in.", bob.ask("/"))
        self.assertIn("Counter: 1<", bob.ask("/counter"))
        self.assertIn("Hello, ada!", ada.ask("/"))
        self.stop()


class ArgumentsTest(unittest.TestCase):
    def test_what_it_does_not_know_it_says(self):
        for arguments in (["--prot", "1"], ["--port"], ["--port", "x"], ["--port", "70000"], ["80"]):
            done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("usage:", done.stderr)

    def test_a_store_that_is_none_is_an_error(self):
        done = subprocess.run([PROGRAM, "--port", "0", "--store", "pigeon:"], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("pigeon", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
