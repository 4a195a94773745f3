"""The checker on histories of real runs: on right stores it finds nothing, on wrong ones what is wrong.

    load_test.py WRONG_LOAD SESSION_LOAD
"""

import os
import signal
import subprocess
import sys
import tempfile
import unittest

from check_history import judge

WRONG_LOAD, SESSION_LOAD = sys.argv[1:3]


def run(program, store, directory, *arguments):
    history = os.path.join(directory, "history")
    subprocess.run([program, "--store", store, "--history", history, *map(str, arguments)], check=True, timeout=300)
    return verdict_of(history)


def verdict_of(history):
    # On a machine that is busy with other tests, time is not what is looked at here.
    with open(history) as file:
        return judge(file, slack=60_000)


class Loads(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sancho-history-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def wrong(self, what, *expected):
        """The verdict on a run that shows all of that. Most do, and one in ten must: what else runs on the machine
        decides who meets whom."""
        for seed in range(7, 17):
            directory = os.path.join(self.directory, str(seed))
            os.mkdir(directory)
            verdict = run(WRONG_LOAD, what, directory, "--operations", 6000, "--threads", 8, "--sessions", 2, "--seed", seed)
            if set(expected) <= set(verdict.broken):
                break
        self.assertLessEqual(set(expected), set(verdict.broken), str(verdict))
        return verdict

    def test_NothingIsFoundWhereNothingIsWrong(self):
        verdict = self.wrong("nothing")
        self.assertEqual(verdict.counts(), {}, str(verdict))
        self.assertGreater(verdict.operations, 6000)

    def test_AStoreThatIgnoresVersions(self):
        self.wrong("version_blind", "lost-acknowledged-writes", "revived-sessions")

    def test_AStoreThatInsertsOrUpdates(self):
        self.wrong("upserting", "lost-acknowledged-writes", "revived-sessions", "split-sessions")

    def test_AStoreThatForgetsWhatItAcknowledged(self):
        self.wrong("forgetful", "lost-acknowledged-writes")

    def test_AStoreThatFailsAndHasDoneIt(self):
        self.wrong("false_alarm", "failed-writes-applied")

    def test_AStoreThatTakesWhatItDoesNotKnowForAbsent(self):
        self.wrong("shrugging", "lost-sessions")

    def test_AStoreThatReadsFromACopyThatIsBehind(self):
        self.wrong("lagging", "stale-reads")

    def test_AStoreThatShowsWhatACrashForgets(self):
        self.wrong("hasty", "stale-reads")

    def test_AnswersThatAreLostWhenTheStoreGoesDownAreInDoubtAndNothingElse(self):
        verdict = self.wrong("interrupted", "trouble-without-a-fault")
        self.assertEqual(set(verdict.broken), {"trouble-without-a-fault"}, str(verdict))
        self.assertEqual(set(verdict.outcomes) & {"unavailable", "in_doubt"}, {"in_doubt"})

    def test_ProcessesShareTheirSessions(self):
        verdict = run(SESSION_LOAD, f"dir:{self.directory}/sessions", self.directory, "--operations", 2000, "--processes", 3, "--sessions", 3)
        self.assertEqual(verdict.counts(), {}, str(verdict))

    def test_ALoadThatIsKilledLeavesAHistoryThatASecondRunCompletes(self):
        history = os.path.join(self.directory, "history")
        command = [SESSION_LOAD, "--store", f"dir:{self.directory}/sessions", "--history", history]
        load = subprocess.Popen([*command, "--seconds", "300", "--processes", "2"], stdin=subprocess.DEVNULL)
        while not os.path.exists(history) or os.path.getsize(history) < 300_000:
            self.assertIsNone(load.poll())
        load.send_signal(signal.SIGKILL)
        load.wait()
        self.assertIn("unread-at-the-end", verdict_of(history).counts())
        # Its children go with it, and may take a moment.
        while _running(history):
            pass
        subprocess.run([*command, "--audit"], check=True, timeout=300)
        verdict = verdict_of(history)
        self.assertEqual(verdict.counts(), {}, str(verdict))


def _running(history):
    """Whether a process still has the history open."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if any(os.readlink(f"/proc/{pid}/fd/{fd}") == history for fd in os.listdir(f"/proc/{pid}/fd")):
                return True
        except OSError:
            pass
    return False


if __name__ == "__main__":
    del sys.argv[1:3]
    unittest.main()
