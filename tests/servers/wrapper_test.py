"""Facts about with_server.py: what the command gets, and that nothing is left."""

import contextlib
import glob
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True

import kinds  # noqa: E402
import with_server  # noqa: E402
from process import family, gone, poll  # noqa: E402
from resp import Connection  # noqa: E402
from users import user_for  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 60
FAST_ONES = ["postgresql", "redis", "memcached"]
# Says which variables it got, and stays until it is told to go.
TELL = "import json, os, sys; print(json.dumps({k: v for k, v in os.environ.items() if k.startswith('SANCHO_TEST_')}), flush=True); sys.stdin.read()"


class WrapperTest(unittest.TestCase):
    def setUp(self):
        # Short, as unix sockets' names must be; open, since servers are other users.
        self.place = tempfile.mkdtemp(prefix="sancho-", dir="/tmp")
        os.chmod(self.place, 0o755)
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.seen = set()

    def wrapper(self, *words, python=sys.executable, **more):
        child = subprocess.Popen([python, os.path.join(HERE, "with_server.py"), *words], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": self.place}, **more)
        self.addCleanup(child.stdin.close)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def running(self, *words, python=sys.executable, **more):
        """A wrapper whose command runs, and the variables that it got."""
        child = self.wrapper(*words, "--", python, "-c", TELL, python=python, **more)
        variables = json.loads(child.stdout.readline())
        self.seen.update(family(child.pid))
        self.assertGreater(len(self.seen), 2 + len(words))
        return child, variables

    def assert_nothing_is_left(self):
        poll(lambda: gone(self.seen), SECONDS, "all processes are gone")
        poll(lambda: not os.listdir(self.place), SECONDS, "the temporary directory is gone")

    def test_the_command_gets_store_uris_and_its_status_is_the_wrappers(self):
        for status in (0, 3):
            child = self.wrapper(*FAST_ONES, "--", sys.executable, "-c", f"""if 1:
                import os, sys
                for name, scheme in {{"POSTGRESQL": "postgresql://", "POSTGRESQL_UNIX": "postgresql://", "REDIS": "redis://",
                                     "REDIS_UNIX": "redis+unix://", "MEMCACHED": "memcached://"}}.items():
                    assert os.environ["SANCHO_TEST_" + name].startswith(scheme), name
                sys.exit({status})""")
            self.assertEqual(child.wait(SECONDS), status)
            self.assertEqual(os.listdir(self.place), [])

    def test_nothing_is_left_after_the_command_failed(self):
        child, _ = self.running(*FAST_ONES)
        for pid in family(child.pid)[1:]:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if TELL.encode() in file.read():
                    command = pid
        os.kill(command, signal.SIGSEGV)
        self.assertEqual(child.wait(SECONDS), 128 + signal.SIGSEGV)
        self.assert_nothing_is_left()

    def test_nothing_is_left_after_the_wrapper_was_killed(self):
        child, _ = self.running(*FAST_ONES, "mysql")
        child.kill()
        self.assert_nothing_is_left()

    def test_nothing_is_left_after_the_wrapper_was_killed_with_all_its_children(self):
        """As ctest does after a timeout."""
        child, _ = self.running(*FAST_ONES)
        for pid in family(child.pid):
            os.kill(pid, signal.SIGKILL)
        self.assert_nothing_is_left()

    def test_nothing_is_left_after_the_wrapper_was_killed_while_servers_start(self):
        for stage in ("", "/postgresql", "/postgresql/data", "/postgresql/data/postmaster.pid"):
            child = self.wrapper(*FAST_ONES, "--", "true")
            poll(lambda: glob.glob(f"{self.place}/*{stage}"), SECONDS, f"there is {stage}")
            self.seen.update(family(child.pid))
            child.kill()
            self.assert_nothing_is_left()

    def test_nothing_is_left_after_who_wanted_a_keeper_was_killed_before_it_heard_the_name(self):
        keeper = subprocess.Popen([sys.executable, os.path.join(HERE, "keeper.py")], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": self.place})
        keeper.stdout.close()
        keeper.wait()  # the keeper proper is its grandchild
        poll(lambda: os.listdir(self.place), SECONDS, "there is a directory")
        keeper.stdin.close()
        self.assert_nothing_is_left()

    def test_nothing_is_left_after_a_signal_and_the_command_gets_it_too(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            child, _ = self.running(*FAST_ONES)
            child.send_signal(number)
            self.assertEqual(child.wait(SECONDS), 128 + number)
            self.assert_nothing_is_left()

    def test_nothing_is_left_after_the_keeper_was_killed(self):
        child, _ = self.running(*FAST_ONES)
        keepers = [int(name.split("/")[2]) for name in glob.glob("/proc/[0-9]*/environ")
                   if self.is_our_keeper(name.split("/")[2])]
        self.assertEqual(len(keepers), 1)
        os.kill(keepers[0], signal.SIGKILL)
        child.stdin.close()
        self.assertEqual(child.wait(SECONDS), 0)
        self.assert_nothing_is_left()

    def is_our_keeper(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as command, open(f"/proc/{pid}/environ", "rb") as environ:
                return b"keeper.py" in command.read() and f"TMPDIR={self.place}".encode() in environ.read()
        except OSError:
            return False

    def test_a_frozen_server_is_ended_too(self):
        child, _ = self.running(*FAST_ONES)
        for pid in self.seen - {child.pid}:
            os.kill(pid, signal.SIGSTOP)
        child.kill()
        self.assert_nothing_is_left()

    def test_no_shared_memory_is_left(self):
        def segments():
            with open("/proc/sysvipc/shm") as file:
                return {line.split()[1] for line in file.readlines()[1:] if int(line.split()[4]) in family(child.pid)}
        child, _ = self.running("postgresql")
        ours = segments()
        self.assertEqual(len(ours), 1)
        child.kill()
        self.assert_nothing_is_left()
        with open("/proc/sysvipc/shm") as file:
            self.assertFalse(ours & {line.split()[1] for line in file.readlines()[1:]})

    def test_two_at_the_same_time_do_not_disturb_each_other(self):
        first, ones = self.running(*FAST_ONES)
        second, others = self.running(*FAST_ONES)
        self.assertFalse(set(ones.values()) & set(others.values()))
        first.kill()
        poll(lambda: len(os.listdir(self.place)) == 1, SECONDS, "the first one's directory is gone")
        user, _, place = others["SANCHO_TEST_REDIS"].removeprefix("redis://").partition("@")
        with Connection(int(place.partition(":")[2])) as connection:
            connection.ask("AUTH", *user.split(":"))
            self.assertEqual(connection.ask("PING"), "PONG")
        second.stdin.close()
        self.assertEqual(second.wait(SECONDS), 0)
        self.assert_nothing_is_left()

    @unittest.skipUnless(os.geteuid() == 0, "we are no other user already")
    def test_who_is_not_root_has_servers_too(self):
        sources = os.path.join(self.place, "sources")
        shutil.copytree(HERE, sources)
        nobody = user_for("nobody")
        os.chmod(self.place, 0o777)
        with mock.patch.dict(globals(), HERE=sources):
            child, _ = self.running(*FAST_ONES, "mysql", python="/usr/bin/python3", **nobody.become)
        child.kill()
        shutil.rmtree(sources)
        self.assert_nothing_is_left()


class ArgumentsTest(unittest.TestCase):
    def end(self, *words, **environment):
        self.printed = io.StringIO()
        with mock.patch.dict(os.environ, {"CI": "", **environment}), contextlib.redirect_stdout(self.printed), \
                contextlib.redirect_stderr(self.printed):
            return with_server.main(list(words))

    def test_what_is_not_installed_is_said_and_skipped_but_not_in_ci(self):
        none = kinds.Kind(("sancho-no-such-program",), None, None)
        with mock.patch.dict(kinds.KINDS, {"none": none}):
            for words in (("none", "--", "true"), ("--check",)):
                self.assertEqual(self.end(*words), 77)
                self.assertIn("sancho-no-such-program", self.printed.getvalue())
                self.assertEqual(self.end(*words, CI="true"), 1)

    def test_what_it_does_not_know_it_says_with_its_usage(self):
        for words in ([], ["redis"], ["redis", "--"], ["--", "true"], ["pigeon", "--", "true"], ["--slow", "redis", "--", "true"]):
            self.assertEqual(self.end(*words), 2, words)
            self.assertIn("with_server.py [--fast] KIND", self.printed.getvalue())


class SideBySideTest(unittest.TestCase):
    def run_shares(self, *words):
        return subprocess.run([sys.executable, os.path.join(HERE, "side_by_side.py"), *words], capture_output=True, text=True,
                              timeout=SECONDS, check=False)

    def test_each_process_has_its_share_and_one_that_fails_is_enough(self):
        share = "echo $GTEST_SHARD_INDEX of $GTEST_TOTAL_SHARDS; exit "
        done = self.run_shares("3", "--", "sh", "-c", share + "0")
        self.assertEqual((done.returncode, done.stdout), (0, "0 of 3\n1 of 3\n2 of 3\n"))
        for failing in range(3):
            done = self.run_shares("3", "--", "sh", "-c", share + f"$((GTEST_SHARD_INDEX == {failing}))")
            self.assertEqual((done.returncode, done.stdout), (1, "0 of 3\n1 of 3\n2 of 3\n"))
        self.assertEqual(self.run_shares("2", "--", "sh", "-c", "kill -9 $$").returncode, 137)
        self.assertEqual(self.run_shares("0", "--", "true").returncode, 2)

    def test_reports_become_one(self):
        with tempfile.TemporaryDirectory() as directory:
            report = '{"tests": 1, "failures": \'$GTEST_SHARD_INDEX\', "testsuites": [{"name": "A", "testsuite": [{"name": "\'$GTEST_SHARD_INDEX\'"}]}]}'
            with mock.patch.dict(os.environ, GTEST_OUTPUT=f"json:{directory}/"):
                self.run_shares("2", "--", "sh", "-c", f"echo '{report}' > ${{GTEST_OUTPUT#json:}}")
            (name,) = os.listdir(directory)
            with open(os.path.join(directory, name)) as file:
                self.assertEqual(json.load(file), {"tests": 2, "failures": 1, "testsuites": [
                    {"name": "A", "testsuite": [{"name": "0"}, {"name": "1"}]}]})


if __name__ == "__main__":
    cannot = kinds.what_is_missing([*FAST_ONES, "mysql"])
    if cannot:
        sys.exit(cannot)
    unittest.main(verbosity=2)
