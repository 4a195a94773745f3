"""The checker condemns each wrong history for its reason alone, and passes good ones."""

import copy
import unittest

import rules
from check_history import judge
from tale import STEP, begun


class GoodHistories(unittest.TestCase):
    def passes(self, tale, **how):
        verdict = judge(tale.over().text(), **how)
        self.assertEqual(verdict.counts(), {}, str(verdict))

    def test_WhatIsWrittenIsThere(self):
        tale = begun()
        tale.do("append", 0, value=1)
        tale.do("insert", 0, value=2)
        tale.do("add", 0, value=3)
        tale.do("read", 0)
        self.passes(tale)

    def test_AWriteInDoubtMayBeThereOrNot(self):
        for applied in (True, False):
            tale = begun()
            tale.note("fault", name="restart")
            tale.do("append", 0, value=1, outcome="in_doubt", maybe=True, applied=applied)
            tale.do("add", 0, value=2, outcome="in_doubt", maybe=True, applied=applied)
            tale.note("mended")
            tale.do("read", 0)
            self.passes(tale)

    def test_AKilledWriteMayBeThereOrNot(self):
        for applied in (True, False):
            tale = begun()
            tale.do("insert", 0, value=1, outcome="killed", applied=applied)
            tale.do("add", 0, value=2, outcome="killed", applied=applied)
            self.passes(tale)

    def test_AWriteThatFailedForCertainIsNotThere(self):
        tale = begun()
        tale.note("fault", name="restart")
        tale.do("append", 0, value=1, outcome="unavailable")
        tale.do("add", 0, value=1, outcome="unavailable")
        tale.note("mended")
        self.passes(tale)

    def test_TheLastWhoIsAnsweredIsAStranger(self):
        tale = begun()
        for _ in range(20):
            tale.do("read", 0)
        tale.do("log_out", 0)
        tale.now += rules.SECOND
        tale.do("read", 0, outcome="not_found")
        tale.audit(0)
        self.assertEqual(judge(tale.text()).counts(), {})

    def test_AReaderThatOverlapsAWriterSeesItOrNot(self):
        for seen in (True, False):
            tale = begun()
            before = {"user": "u0", "set": [], "log": [], "count": 0}
            after = {"user": "u0", "set": [], "log": [1], "count": 0}
            moment = tale.now
            tale.do("append", 0, value=1, at=[moment + n * STEP for n in (1, 2, 3, 8)])
            tale.do("read", 0, saw=after if seen else before, at=[moment + n * STEP for n in (4, 5, 6, 7)])
            tale.now = moment + 9 * STEP
            self.passes(tale)

    def test_WhatHappensInOneMicrosecondHasNoOrder(self):
        for seen in (True, False):
            tale = begun()
            before = {"user": "u0", "set": [], "log": [], "count": 0}
            after = {"user": "u0", "set": [1], "log": [], "count": 5}
            at = [tale.tick()] * 4
            tale.do("insert", 0, value=1, at=at)
            tale.do("add", 0, value=5, saw={**before, "set": [1]} if seen else before, at=at)
            tale.do("read", 0, saw=after if seen else before, at=at)
            tale.do("log_out", 0, at=[tale.tick()] * 4)
            tale.do("read", 0, outcome="ok" if seen else "not_found", saw=after if seen else None, at=[tale.now] * 4)
            self.passes(tale)

    def test_ALogoutEndsASessionAndALoginMakesAnother(self):
        tale = begun()
        tale.do("append", 0, value=1)
        tale.do("log_out", 0)
        tale.do("read", 0, outcome="not_found")
        tale.log_in(1, over=0, saw=None)
        tale.do("read", 1)
        tale.log_in(2, over=1)
        tale.do("read", 1, outcome="not_found")
        self.passes(tale)

    def test_AWriterUnderALogoutIsDropped(self):
        tale = begun()
        moment = tale.now
        tale.do("append", 0, value=1, outcome="dropped", at=[moment + n * STEP for n in (1, 2, 7, 8)])
        tale.do("log_out", 0, at=[moment + n * STEP for n in (3, 4, 5, 6)])
        tale.now = moment + 9 * STEP
        self.passes(tale)

    def test_ALogoutThatWasKilledMayHaveHappened(self):
        for applied in (True, False):
            tale = begun()
            tale.do("log_out", 0, outcome="killed", applied=applied)
            tale.do("read", 0, outcome="ok" if not applied else "not_found")
            self.passes(tale)

    def test_AFormHasOneWinner(self):
        tale = begun()
        tale.do("show", 0, value=5)
        tale.do("consume", 0, value=5, claimed=True)
        tale.do("consume", 0, value=5)
        self.passes(tale)

    def test_AFormMayBeLostToOneThatDoesNotKnow(self):
        tale = begun()
        tale.do("show", 0, value=5)
        tale.do("consume", 0, value=5, outcome="killed")
        tale.do("consume", 0, value=5)
        self.passes(tale)

    def test_TheOldestFormsGiveWay(self):
        tale = begun()
        for value in range(rules.MOST_TOKENS + 1):
            tale.do("show", 0, value=value)
        tale.do("consume", 0, value=0)
        self.passes(tale)

    def test_ATornLineIsTheKilledProcesss(self):
        tale = begun()
        text = tale.over().text()
        verdict = judge([*text[:5], text[5][:20], "", *text[5:]])
        self.assertEqual((verdict.torn, verdict.counts()), (1, {}))

    def test_WhatIsPermittedIsCountedAndCondemnsNobody(self):
        tale = begun()
        tale.do("append", 0, value=1, applied=False)
        verdict = judge(tale.over().text(), permit=["lost-acknowledged-writes"])
        self.assertEqual((verdict.broken, verdict.counts()), ({}, {"lost-acknowledged-writes": 1}))

    def test_AnUnknownPermissionIsAnError(self):
        with self.assertRaises(ValueError):
            judge([], permit=["everything"])


class BadHistories(unittest.TestCase):
    """Each test ends with the one anomaly that is there. All anomalies have one."""

    condemned = set()

    def condemns(self, name, tale, **how):
        verdict = judge(tale.over().text(), **how)
        self.assertEqual(set(verdict.broken), {name}, str(verdict))
        BadHistories.condemned.add(name)

    @classmethod
    def tearDownClass(cls):
        missing = set(rules.ANOMALIES) - cls.condemned
        assert not missing, f"no history is condemned for {missing}"

    def test_AnAcknowledgedWriteIsGone(self):
        for op in ("append", "insert", "add"):
            tale = begun()
            tale.do(op, 0, value=1, applied=False)
            self.condemns("lost-acknowledged-writes", tale)

    def test_AnAcknowledgedWriteIsSeenAndThenGone(self):
        tale = begun()
        tale.do("append", 0, value=1)
        tale.do("read", 0)
        tale.held[0]["log"].clear()
        self.condemns("lost-acknowledged-writes", tale)

    def test_AWriteThatNobodyMade(self):
        for slot in ("log", "set"):
            tale = begun()
            tale.held[0][slot].append(77)
            self.condemns("phantom-writes", tale)

    def test_AWriteOfAnotherSession(self):
        tale = begun()
        tale.do("append", 0, value=1)
        tale.log_in(1)
        tale.held[1]["log"].append(1)
        self.condemns("phantom-writes", tale)

    def test_AWriteSeenBeforeItWasMade(self):
        tale = begun()
        early = {"user": "u0", "set": [], "log": [1], "count": 0}
        tale.do("read", 0, saw=early)
        tale.do("append", 0, value=1, saw=early)
        self.condemns("phantom-writes", tale)

    def test_ASessionThatNobodyMade(self):
        tale = begun()
        tale.over().note("census", alive={"u55": 1})
        self.assertEqual(set(judge(tale.text()).broken), {"phantom-writes"})

    def test_AFailedWriteIsThere(self):
        for op in ("append", "insert", "add"):
            tale = begun()
            tale.note("fault", name="restart")
            tale.do(op, 0, value=1, outcome="unavailable", applied=True)
            tale.note("mended")
            self.condemns("failed-writes-applied", tale)

    def test_AFailedLoginIsThere(self):
        tale = begun()
        tale.note("fault", name="restart")
        tale.log_in(1, outcome="unavailable")
        tale.note("mended")
        tale.over().note("census", alive={"u1": 1})
        self.assertEqual(set(judge(tale.text()).broken), {"failed-writes-applied"})

    def test_AnAdditionCountsTwice(self):
        tale = begun()
        tale.do("add", 0, value=4)
        tale.held[0]["count"] += 4
        self.condemns("writes-applied-twice", tale)

    def test_AnAdditionInDoubtCountsTwice(self):
        tale = begun()
        tale.do("add", 0, value=4, outcome="killed", applied=True)
        tale.held[0]["count"] += 4
        self.condemns("writes-applied-twice", tale)

    def test_AnAppendedValueIsThereTwice(self):
        tale = begun()
        tale.do("append", 0, value=4)
        tale.held[0]["log"].append(4)
        self.condemns("writes-applied-twice", tale)

    def test_AReaderMissesWhatIsThere(self):
        for op in ("append", "insert", "add"):
            tale = begun()
            old = {"user": "u0", "set": [], "log": [], "count": 0}
            tale.do(op, 0, value=1)
            tale.do("read", 0, saw=old)
            self.condemns("stale-reads", tale)

    def test_AWriteInDoubtIsSeenAndThenNot(self):
        for op in ("append", "insert", "add"):
            tale = begun()
            old = {"user": "u0", "set": [], "log": [], "count": 0}
            tale.do(op, 0, value=1, outcome="killed", applied=True)
            tale.do("read", 0)
            tale.do("read", 0, saw=old)
            self.condemns("stale-reads", tale)

    def test_AWriteInDoubtIsSeenAndThenUndone(self):
        for op in ("append", "insert", "add"):
            tale = begun()
            before = copy.deepcopy(tale.held[0])
            tale.do(op, 0, value=1, outcome="killed", applied=True)
            tale.do("read", 0)
            tale.held[0] = before
            tale.do("read", 0)
            self.condemns("undone-reads", tale)

    def test_MoreIsMissingThanWasInDoubt(self):
        tale = begun()
        before = {**tale.held[0], "count": 4}
        tale.do("add", 0, value=4)
        tale.do("add", 0, value=2, outcome="killed", applied=True)
        tale.do("read", 0)
        tale.do("read", 0, saw={**before, "count": 0})
        tale.held[0] = before
        self.condemns("stale-reads", tale)

    def test_TwoReadersSeeTwoWritesInTwoOrders(self):
        tale = begun()
        now = tale.now
        for value in (1, 2):
            tale.do("insert", 0, value=value, saw={"user": "u0", "set": [], "log": [], "count": 0}, at=[now + n * STEP for n in (1, 2, 3, 9)])
        for value in (1, 2):
            tale.do("read", 0, saw={"user": "u0", "set": [value], "log": [], "count": 0}, at=[now + n * STEP for n in (4, 5, 6, 7)])
        tale.now = now + 10 * STEP
        self.condemns("unordered-reads", tale)

    def test_ALoggedOutSessionOpens(self):
        tale = begun()
        held = tale.held[0]
        tale.do("log_out", 0)
        tale.do("read", 0, saw=held)
        self.condemns("revived-sessions", tale)

    def test_ASessionOpensThatALoginHadReplaced(self):
        tale = begun()
        held = tale.held[0]
        tale.log_in(1, over=0)
        tale.do("read", 0, saw=held)
        self.condemns("revived-sessions", tale)

    def test_ALateSaveIntoALoggedOutSession(self):
        tale = begun()
        now = tale.now
        tale.do("append", 0, value=1, at=[now + n * STEP for n in (1, 2, 7, 8)])
        before = {"user": "u0", "set": [], "log": [], "count": 0}
        tale.do("log_out", 0, saw=before, at=[now + n * STEP for n in (3, 4, 5, 6)])
        tale.now = now + 9 * STEP
        self.condemns("revived-sessions", tale)

    def test_ALoggedOutSessionIsInTheStore(self):
        tale = begun()
        tale.do("log_out", 0)
        tale.over().note("census", alive={"u0": 1})
        self.assertEqual(set(judge(tale.text()).broken), {"revived-sessions"})

    def test_ASessionIsThereTwice(self):
        tale = begun()
        tale.over().note("census", alive={"u0": 2})
        self.assertEqual(set(judge(tale.text()).broken), {"split-sessions"})
        BadHistories.condemned.add("split-sessions")

    def test_SomebodyTurnsAnonymous(self):
        tale = begun()
        tale.do("read", 0, outcome="not_found", saw=None)
        self.condemns("lost-sessions", tale)

    def test_SomebodyTurnsAnonymousAtTheEnd(self):
        tale = begun()
        del tale.held[0]
        tale.over(others=[0])
        self.assertEqual(set(judge(tale.text()).broken), {"lost-sessions"})

    def test_ALogoutThatFailedForCertainExplainsNoStranger(self):
        tale = begun()
        tale.note("fault", name="restart")
        line = tale.do("log_out", 0, outcome="unavailable")
        del line["acted"]
        tale.note("mended")
        tale.do("read", 0, outcome="not_found", saw=None)
        self.condemns("lost-sessions", tale)

    def test_AWriteIsDroppedAndNobodyLoggedOut(self):
        tale = begun()
        tale.do("append", 0, value=1, outcome="dropped")
        self.condemns("lost-sessions", tale)

    def test_ACookieOpensAnothersSession(self):
        tale = begun()
        tale.do("read", 0, saw={"user": "u7", "set": [], "log": [], "count": 0})
        self.condemns("wrong-user", tale)

    def test_AFormHasTwoWinners(self):
        tale = begun()
        tale.do("show", 0, value=5)
        tale.do("consume", 0, value=5, claimed=True)
        tale.do("consume", 0, value=5, claimed=True)
        self.condemns("tokens-claimed-twice", tale)

    def test_AFormHasTwoWinnersThoughOnesPageFailed(self):
        tale = begun()
        tale.do("show", 0, value=5)
        tale.note("fault", name="restart")
        tale.do("consume", 0, value=5, claimed=True, outcome="unavailable")
        tale.note("mended")
        tale.do("consume", 0, value=5, claimed=True)
        self.condemns("tokens-claimed-twice", tale)

    def test_AFormHasNoWinner(self):
        tale = begun()
        tale.do("show", 0, value=5)
        tale.do("consume", 0, value=5)
        self.condemns("lost-tokens", tale)

    def test_TroubleOfAStrangeKind(self):
        tale = begun()
        tale.note("fault", name="restart")
        for kind in ("corrupt", "refused", "full", "contention", "exception"):
            tale.do("read", 0, outcome=kind, saw=None, at=[tale.now, None, None, tale.now])
        tale.note("mended")
        self.condemns("strange-trouble", tale)

    def test_TroubleWithoutAFault(self):
        tale = begun()
        tale.do("read", 0, outcome="unavailable")
        self.condemns("trouble-without-a-fault", tale)

    def test_TroubleLongAfterAFault(self):
        tale = begun()
        tale.note("fault", name="restart")
        tale.note("mended")
        tale.do("read", 0)
        tale.now += 6_000_000
        tale.do("read", 0, outcome="unavailable")
        self.condemns("trouble-without-a-fault", tale, recovery=5)

    def test_ACallThatMissesItsDeadline(self):
        for late in range(1, 4):
            tale = begun()
            now = tale.now
            at = [now + n * STEP + (6_100_000 if n >= late else 0) for n in range(4)]
            tale.do("read", 0, at=at)
            tale.now = at[-1]
            self.condemns("late-calls", tale, slack=1000)

    def test_NothingSucceedsAfterTheFault(self):
        tale = begun()
        tale.note("fault", name="freeze")
        tale.note("mended")
        tale.now += 6_000_000
        self.condemns("no-recovery", tale, recovery=5)

    def test_NothingSucceedsAtTheEnd(self):
        tale = begun()
        for _ in range(20):
            tale.do("read", 0)
        tale.note("fault", name="kill")
        tale.note("mended")
        tale.do("read", 0)
        for _ in range(20):
            tale.do("read", 0, outcome="unavailable")
        tale.audit(0)
        self.assertEqual(set(judge(tale.text()).broken), {"no-recovery"})

    def test_ASessionThatNobodyReadAtTheEnd(self):
        tale = begun()
        tale.log_in(1)
        held = tale.held.pop(1)
        tale.over()
        tale.held[1] = held
        self.assertEqual(set(judge(tale.text()).broken), {"unread-at-the-end"})
        BadHistories.condemned.add("unread-at-the-end")

    def test_ASessionThatTheStoreDidNotAnswerForAtTheEnd(self):
        tale = begun()
        tale.note("fault", name="kill")
        held = tale.held.pop(0)
        tale.audit(0, outcome="unavailable", saw=held)
        tale.note("mended")
        self.condemns("unread-at-the-end", tale)

    def test_ARunInWhichNothingHappened(self):
        tale = begun()
        tale.audit(0)
        self.assertEqual(set(judge(tale.text()).broken), {"proves-nothing"})
        self.assertEqual(set(judge([]).broken), {"proves-nothing"})
        BadHistories.condemned.add("proves-nothing")


if __name__ == "__main__":
    unittest.main()
