"""Shows that each claim check_docs.py looks at can be found wrong, and that
true ones pass."""

import pathlib
import tempfile
import unittest

from check_docs import check, names_in, plain

KNOWN = {"Session.LogoutWins", "Stores/Conformance.CreateNeverOverwrites/memory", "Codec/0.RoundTrips", "packaging.install"}

# a line of docs/page.md, a part of the complaint
BAD = [
    ("see `Session.LogoutLoses`", "no test Session.LogoutLoses"),
    ("| P2 | `Session.LogoutWins`, `Session.NoSuch` |", "no test Session.NoSuch"),
    ("tests: `packaging.nothing`", "no test packaging.nothing"),
    ("Tests: `anything`", "no test anything"),
    ("`Nobody.*`", "no test Nobody.*"),
    ("`Stores/Conformance.Nothing/memory`", "no test"),
    ("run it in /home/me/there", "somebody's machine"),
    ("run it in `/home/me/sancho`", "somebody's machine"),
    ("[a page](nowhere.md)", "nowhere.md leads nowhere"),
    ("[a page](../nowhere.md#part)", "leads nowhere"),
]

GOOD = [
    "`Session.LogoutWins` and `Session.*`",
    "tests: `packaging.install`, `Session.LogoutWins`",
    "`Conformance.CreateNeverOverwrites` and `Codec.RoundTrips`",
    "`DESIGN.md`, `README.MD`, `SessionManager.start_request`, `Session::LogoutLoses`",
    "[this page](page.md), [a part](#part), [the web](https://example.org/home/me), `/run/sancho`, ./build/test",
]


def complaints(line):
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "docs" / "page.md"
        page.parent.mkdir()
        page.write_text(f"# Page\n\n{line}\n", encoding="utf-8")
        return check(folder, KNOWN)


class EachClaim(unittest.TestCase):
    def test_a_wrong_one_is_found(self):
        for line, part in BAD:
            with self.subTest(line=line):
                found = complaints(line)
                self.assertTrue(any(c.startswith("docs/page.md:3: ") and part in c for c in found), found)

    def test_a_true_one_passes(self):
        for line in GOOD:
            with self.subTest(line=line):
                self.assertEqual(complaints(line), [])

    def test_parameters_are_no_part_of_a_name(self):
        self.assertEqual(plain("All/Races/1.OneWinner/sqlite"), "Races.OneWinner")

    def test_a_listing_is_read(self):
        listing = "Running main() from gmock_main.cc\nSession.\n  LogoutWins\nAll/Races.\n  OneWinner/0  # GetParam() = 1\n"
        self.assertEqual(list(names_in(listing)), ["Session.LogoutWins", "All/Races.OneWinner/0"])


if __name__ == "__main__":
    unittest.main()
