"""Many clients at once."""

import concurrent.futures
import threading
import time

from client import SID, sid
from fact import Fact


def together(*calls):
    """What each of the calls gives; they begin at the same moment."""
    ready = threading.Barrier(len(calls))

    def run(call):
        ready.wait(30)
        return call()
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as crew:
        return [future.result(60) for future in [crew.submit(run, call) for call in calls]]


class Together(Fact):
    CLIENTS = 32

    def test_thirty_two_clients_that_count_at_once_lose_no_update(self):
        id, rounds = self.logged_in().id, 4 if self.PACE == 1 else 1

        def count():
            visitor = self.visitor()
            visitor.jar[SID] = id
            return [visitor.ask("GET", "/count").status for _ in range(rounds)]
        statuses = together(*[count] * self.CLIENTS)
        self.assertEqual(statuses, [[200] * rounds] * self.CLIENTS)
        self.assertEqual(self.look(sid(id)), f"ada {self.CLIENTS * rounds}")

    def test_a_form_token_works_once_over_eight_posts_at_once(self):
        visitor = self.logged_in()
        for _ in range(3):
            token = visitor.ask("GET", "/form").body
            replies = together(*[lambda: self.ask("POST", "/buy", sid(visitor.id), body="token=" + token)] * 8)
            self.assertEqual(sorted(reply.body for reply in replies), ["bought"] + ["refused"] * 7)
        self.assertEqual(self.look(sid(visitor.id)), "ada 3")

    def test_a_logout_wins_over_slow_writers(self):
        visitor = self.logged_in()
        id = visitor.id

        def log_out():
            time.sleep(0.15 * self.PACE)
            return visitor.ask("POST", "/logout")
        *writers, logout = together(*[lambda: self.ask("GET", f"/slow?ms={450 * self.PACE}", sid(id))] * 8, log_out)
        self.assertEqual(logout.body, "goodbye")
        for writer in writers:
            # The request ends without an error; what it wrote is dropped.
            self.assertEqual((writer.status, writer.body), (200, "ada 1"))
            self.assertNoCookie(writer)
        self.assertEqual(self.look(sid(id)), "nobody 0")

    def test_visitors_that_come_at_once_get_sessions_of_their_own(self):
        replies = together(*[lambda: self.ask("GET", "/count")] * 16)
        self.assertEqual([reply.body for reply in replies], ["nobody 1"] * 16)
        self.assertEqual(len({reply.id for reply in replies}), 16)
