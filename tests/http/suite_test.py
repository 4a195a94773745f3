"""The suite finds nothing wrong with a right site, and each of its facts is broken by a wrong one.

    suite_test.py [WRONG ...]
"""

import contextlib
import io
import pathlib
import sys
import unittest

import run

MODEL = [sys.executable, "-B", str(pathlib.Path(__file__).with_name("model_site.py"))]

# What is wrong with the site -> the facts that must break; others may.
WRONG = {
    "insecure": ["a new session sets its cookie to the byte", "a login and a logout set their cookies to the byte"],
    "cacheable": ["a page with a cookie is kept in no cache whatever the handler said", "a login and a logout set their cookies to the byte"],
    "cookie_for_strangers": ["a page that tells nothing is left as the handler made it", "a stranger gets no cookie and makes no session"],
    "one_cookie": ["the handlers own cookies stand beside the sessions"],
    "decodes": ["a percent encoded semicolon forges no cookie"],
    "first_line": ["several cookie lines are one header"],
    "last_of_two": ["two session cookies open none"],
    "repairs": ["what is not an id to the byte opens nothing"],
    "adopts": ["an id that nobody gave out is never adopted"],
    "no_limit": ["a head that is too long opens nothing and hurts nobody"],
    "any_token": ["a visitors form has a token by way of a signed cookie and no session"],
    "forgets": ["a login sends on and lasts a thousand pages"],
    "fixation": ["a login gives a new id and the old one is dead"],
    "old_id_lives": ["a login gives a new id and the old one is dead"],
    "cookie_logout": ["a logged out id opens nothing whoever keeps it"],
    "sticky": ["two users on one connection stay apart"],
    "any_origin": ["a post from a foreign page never reaches the handler"],
    "no_head": ["a head request is a get without a body"],
    "loses_redirects": ["a redirect carries its cookie"],
    "late_save": ["a streamed answer begins after the session is saved"],
    "no_chunks": ["a chunked request is read whole"],
    "renewal_forgets": ["ids that are renewed lose no page and no visit"],
    "renewal_ends": ["an answer that was lost logs nobody out"],
    "no_proxy": ["a trusted proxys word on the client is taken"],
    "any_proxy": ["nobody elses word on the client is taken"],
    "saves_failures": ["a handler that throws saves nothing"],
    "late_logout": ["a logout stays though its handler throws afterwards"],
    "late_token": ["a form token stays used though its handler throws afterwards"],
    "early": ["a request that breaks off saves nothing", "a chunked request that breaks off saves nothing"],
    "first_length": ["where a bodys end is uncertain the rest is nobodys next request"],
    "leaks": ["requests that break off leak nothing"],
    "keeps_requests": ["requests that break off leak nothing"],
    "ends_with_the_client": ["a client that leaves before the answer hurts nobody"],
    "sloppy": ["what is no http opens nothing and hurts nobody"],
    "down_is_logout": ["a store that is down is no logout", "a store that is down tells no id"],
    "ignores_refusals": ["a store that takes no writes keeps nothing and says so"],
    "lost_update": ["thirty two clients that count at once lose no update"],
    "token_twice": ["a form token works once over eight posts at once"],
    "revives": ["a logout wins over slow writers"],
    "shared": ["visitors that come at once get sessions of their own"],
    "both": ["a bearer id is told in a header and no cookie is sent"],
    "silent_logout": ["a logout by header tells an empty id"],
    "any_blanks": ["what is not one bearer id opens nothing"],
    "first_header": ["what is not one bearer id opens nothing"],
    "cookie_too": ["what is not one bearer id opens nothing", "a header of ones own is echoed under its name"],
    "guards_headers": ["a header needs no origin and no csrf token"],
    "any_type": ["an api refuses what brings no json before the handler"],
}


def play(*wrong, only=""):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        outcomes = run.play("direct", [*MODEL, *(word for name in wrong for word in ("--wrong", name))], only=only)
    return outcomes, said.getvalue()


class Suite(unittest.TestCase):
    def test_a_right_site_keeps_every_fact(self):
        outcomes, said = play()
        self.assertEqual({name for name, outcome in outcomes.items() if outcome != "kept"}, set(), said)

    def test_every_fact_has_a_site_that_breaks_it(self):
        names = [run.name_of(fact) for fact in run.facts()]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(set(names), {name for facts in WRONG.values() for name in facts})


def breaks(wrong, fact):
    def test(self):
        outcomes, said = play(wrong, only=fact.replace(" ", "_"))
        self.assertEqual(outcomes, {fact: "broken"}, said)
        # The fact itself was found broken, or its answer never came: the test is in order.
        self.assertRegex(said, "AssertionError|client.Gone|TimeoutError")
    return test


for name, facts in WRONG.items():
    for number, fact in enumerate(facts):
        setattr(Suite, f"test_{name}_breaks_{number}", breaks(name, fact))

if __name__ == "__main__":
    unittest.main()
