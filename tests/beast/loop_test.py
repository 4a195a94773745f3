"""One slow call of the store holds up its own request, and no other on the loop.

    loop_test.py PROGRAM
"""

import os
import pathlib
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "http"))

from client import Connection, sid  # noqa: E402
from server import Site, wait_for  # noqa: E402

PROGRAM = [os.path.abspath(sys.argv[1])]


class Loop(unittest.TestCase):
    def seconds(self, connection, id):
        began = time.monotonic()
        reply = connection.ask("GET", "/look", sid(id))
        self.assertEqual(reply.body, "ada 0")
        return time.monotonic() - began

    def beside_a_slow_call(self, site):
        """How long requests took that were made while another waited for its store; and how long that waited."""
        with Connection(site.port) as slow, Connection(site.port) as quick:
            id = quick.ask("POST", "/login", body="name=ada").id
            waited, took = [], []
            site.switch.write_text("slow")
            one = threading.Thread(target=lambda: waited.append(self.seconds(slow, id)))
            one.start()
            wait_for(lambda: not site.switch.exists(), "the slow call")
            while one.is_alive():
                took.append(self.seconds(quick, id))
            one.join()
        return took, waited[0]

    def p99(self, site):
        all = []
        for _ in range(5):
            took, waited = self.beside_a_slow_call(site)
            self.assertGreater(waited, 0.19)
            all += took
        self.assertGreater(len(all), 100)
        return sorted(all)[len(all) * 99 // 100], len(all)

    def test_OneSlowCallOfTheStoreHoldsUpNoOtherRequest(self):
        site = Site("direct", PROGRAM)
        self.addCleanup(site.stop)
        best, requests = 1, 0
        for _ in range(5):  # other programs on this machine may take its processors away, but not each time
            best, requests = min((best, requests), self.p99(site))
            if best < 0.02:
                break
        print(f"p99 of {requests} requests {best * 1000:.1f} ms, beside calls of the store of 200 ms")
        self.assertLess(best, 0.02)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
