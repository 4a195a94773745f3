#include "races.hpp"

#include <fmt/format.h>

namespace sancho::races {

namespace {
Job job(Act act, const std::string& word = {}, int add = 0) {
  Job j;
  j.act = act;
  j.word = word;
  j.add = add;
  return j;
}

int some(Chance& chance) { return static_cast<int>(1 + chance() % 100); }

void must_be(Round& round, const Seen& seen, const std::string& whose) {
  round.must(seen.found && seen.user == round.user, whose + " cookie opens the session");
}

// What has to be true of whatever was logged out: nothing opens it, whoever was
// still in flight learnt of it and sent nothing.
void judge_logout(Round& round) {
  const auto &a = round.reports[0], &b = round.reports[1];
  round.dead = {round.cookie};
  if (!a.cookie.empty()) round.dead.insert(a.cookie.string());
  round.alive[round.user] = 0;
  round.must(b.forgets && b.cookie.empty(), "the logout deletes its cookie");
  round.must(!a.forgets, "who was in flight deletes no cookie");
  if (b.acted < a.ending) round.must(a.cookie.empty(), "no cookie leaves for a session that had ended");
  if (b.acted < a.began) round.must(!a.found, "a logged-out session is not found");
}
}  // namespace

Race two_writers() {
  return {"T1", 2,
          [](Referee& referee, Round& round, Chance& chance) {
            round.cookie = referee.new_session(round.user);
            round.jobs = {job(Act::write, "a", some(chance)), job(Act::write, "b", some(chance))};
          },
          [](Referee& referee, Round& round) {
            const auto seen = referee.look(round.cookie, {"a", "b", "old"});
            must_be(round, seen, "the");
            round.alive[round.user] = 1;
            const int a = round.jobs[0].add, b = round.jobs[1].add;
            round.must(seen.slots == decltype(seen.slots){{"a", a}, {"b", b}, {"old", 1}}, "both writes are kept, and what was there");
            round.must(seen.hits == a + b, fmt::format("the counter counts both: {} and {}, not {}", a, b, seen.hits));
          }};
}

Race reader_and_writer() {
  return {"T2", 2,
          [](Referee& referee, Round& round, Chance& chance) {
            round.cookie = referee.new_session(round.user);
            round.jobs = {job(Act::read), job(Act::write, "b", some(chance))};
          },
          [](Referee& referee, Round& round) {
            const auto seen = referee.look(round.cookie, {"b"});
            must_be(round, seen, "the");
            round.alive[round.user] = 1;
            round.must(seen.slots == decltype(seen.slots){{"b", round.jobs[1].add}}, "a reader undoes no write");
            round.must(seen.accessed == referee.sessions().clock().now(), "the access was written down");
            round.must(!round.reports[0].forgets && round.reports[0].cookie.empty(), "a reader sends no cookie");
          }};
}

Race writer_and_logout() {
  return {"T3", 2,
          [](Referee& referee, Round& round, Chance& chance) {
            round.cookie = referee.new_session(round.user);
            round.jobs = {job(Act::write, "a", some(chance)), job(Act::log_out)};
            const auto besides = chance() % 4;
            round.jobs[0].renew = besides == 1;
            round.jobs[0].reauthenticate = besides == 2;
          },
          [](Referee&, Round& round) { judge_logout(round); }};
}

Race reader_and_logout() {
  return {"T3b", 2,
          [](Referee& referee, Round& round, Chance&) {
            round.cookie = referee.new_session(round.user);
            round.jobs = {job(Act::read), job(Act::log_out)};
          },
          [](Referee&, Round& round) { judge_logout(round); }};
}

// A may renew the id too: then both make a successor, and one is left.
Race old_id_and_renewal() {
  return {"T4", 2,
          [](Referee& referee, Round& round, Chance& chance) {
            round.cookie = referee.new_session(round.user);
            round.jobs = {job(Act::write, "a", some(chance)), job(chance() % 2 ? Act::write : Act::read, "b", some(chance))};
            round.jobs[0].renew = chance() % 2;
            round.jobs[1].renew = true;
          },
          [](Referee& referee, Round& round) {
            const auto &a = round.reports[0], &b = round.reports[1];
            round.must(a.found && b.found, "a request under the old id finds its session");
            round.must(!b.cookie.empty(), "who renewed has a cookie to send");
            // Who loaded when the other had already renewed renews once more.
            const bool one = round.overlapped() || !round.jobs[0].renew;
            round.must(!one || a.cookie.empty() || a.cookie.view() == b.cookie.view(), "there is one successor");
            round.must(!a.forgets && !b.forgets, "nobody is logged out");
            round.alive[round.user] = 1;
            std::string handle;
            for (const auto cookie : {b.cookie.view(), a.cookie.empty() ? b.cookie.view() : a.cookie.view(), std::string_view(round.cookie)}) {
              const auto seen = referee.look(cookie, {"a", "b"});
              must_be(round, seen, "everybody's");
              if (handle.empty()) handle = seen.handle;
              round.must(seen.handle == handle, "all cookies open the same session");
              const int written = round.jobs[1].act == Act::write ? round.jobs[1].add : 0;
              auto expected = decltype(seen.slots){{"a", round.jobs[0].add}};
              if (written) expected["b"] = written;
              round.must(seen.slots == expected, "what was written under the old id is kept");
              round.must(seen.hits == round.jobs[0].add + written, "the counter counts each write once");
            }
          }};
}

Race one_token(unsigned submitters) {
  return {"T5", submitters,
          [submitters](Referee& referee, Round& round, Chance&) {
            round.cookie = referee.new_session(round.user);
            referee.visit(round.cookie, [&](RaceSession& s) { round.token = s.create_form_token(); });
            round.jobs.assign(submitters, job(Act::consume, round.token));
          },
          [](Referee& referee, Round& round) {
            const auto winners = std::count_if(round.reports.begin(), round.reports.end(), [](const Report& r) { return r.claimed; });
            round.must(winners == 1, fmt::format("a form is submitted once, and not {} times", winners));
            must_be(round, referee.look(round.cookie), "the");
            round.alive[round.user] = 1;
            bool left = true;
            referee.visit(round.cookie, [&](RaceSession& s) { left = s.has_form_token(round.token); });
            round.must(!left, "a consumed token is gone");
          }};
}

// Over a visitor's session or over a user's.
Race two_logins() {
  return {"T6", 2,
          [](Referee& referee, Round& round, Chance& chance) {
            round.cookie = referee.new_session(chance() % 2 ? "eve" + round.user : "");
            round.jobs = {job(Act::log_in, round.user), job(Act::log_in, "bob" + round.user)};
          },
          [](Referee& referee, Round& round) {
            round.dead = {round.cookie};
            round.alive["eve" + round.user] = 0;
            int winners = 0;
            for (std::size_t i = 0; i < 2; ++i) {
              const auto& r = round.reports[i];
              const auto user = round.jobs[i].word.string();
              winners += !r.cookie.empty();
              round.alive[user] = !r.cookie.empty();
              round.must(!r.forgets && r.cookie.empty() == r.lost, "the loser sends no cookie, and only the loser loses");
              if (r.cookie.empty()) continue;
              const auto seen = referee.look(r.cookie.view());
              round.must(seen.found && seen.user == user, "the winner's cookie opens the winner's session");
            }
            // Who came when the other was done logged in from nothing.
            round.must(round.overlapped() ? winners == 1 : winners >= 1, fmt::format("one identity is decided, and not {}", winners));
          }};
}

Race login_and_logout() {
  return {"T6, login and logout", 2,
          [](Referee& referee, Round& round, Chance& chance) {
            round.cookie = referee.new_session(chance() % 2 ? "eve" + round.user : "");
            round.jobs = {job(Act::log_in, round.user), job(Act::log_out)};
          },
          [](Referee& referee, Round& round) {
            const auto &a = round.reports[0], &b = round.reports[1];
            round.dead = {round.cookie};
            round.alive["eve" + round.user] = 0;
            round.alive[round.user] = !a.cookie.empty();
            round.must(b.forgets && b.cookie.empty(), "the logout deletes its cookie");
            if (a.cookie.empty()) {
              round.must(a.lost, "a login that sends no cookie knows that it lost");
            } else {
              const auto seen = referee.look(a.cookie.view());
              round.must(seen.found && seen.user == round.user, "a login that won has its session");
            }
            // One that found the session ended already logged in from nothing.
            if (a.found && a.loaded < b.acted && b.acted < a.ending) round.must(a.cookie.empty(), "a login begun before a logout took effect loses");
          }};
}

}  // namespace sancho::races
