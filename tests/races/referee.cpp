#include "referee.hpp"

#include <fmt/format.h>

namespace sancho::races {

std::string Referee::visit(const std::string& cookie, const std::function<void(RaceSession&)>& handler) {
  const auto header = cookie_header(cookie);
  const std::string_view line = header;
  auto scope = sessions_.start_request(request_with(line));
  if (handler) handler(*scope);
  const auto change = cookie_change(scope.finish());
  return change.forget ? std::string() : change.value.empty() ? cookie : change.value;
}

std::string Referee::new_session(const std::string& user) {
  return visit({}, [&](RaceSession& s) {
    if (!user.empty()) s.set_user(user);
    s.set("old", 1);
  });
}

Seen Referee::look(std::string_view cookie, const std::vector<std::string>& slots) {
  const auto header = cookie_header(cookie);
  const std::string_view line = header;
  auto scope = sessions_.start_request(request_with(line));
  Seen seen;
  seen.found = !scope->id().empty();
  seen.user = scope->get_user().value_or("");
  seen.handle = scope->id().text();
  for (const auto& name : slots)
    if (const auto value = scope->get<std::int64_t>(name)) seen.slots[name] = *value;
  seen.hits = scope->hits.value();
  seen.accessed = scope->get_access_time();
  scope.abort();
  return seen;
}

std::optional<std::map<std::string, int>> Referee::census() {
  if (!sessions_.store().scan()) return std::nullopt;
  std::map<std::string, int> alive;
  const auto count = [&](const KeyedRecord& k) {
    ++alive[k.record.subject];
    return true;
  };
  sessions_.store().scan()->iter_sessions(count, Deadline::after(std::chrono::minutes(1)));
  return alive;
}

bool Round::overlapped() const {
  std::uint64_t loaded = 0, ending = ~std::uint64_t{0};
  for (const auto& r : reports) loaded = std::max(loaded, r.loaded), ending = std::min(ending, r.ending);
  return loaded < ending;
}

namespace {
std::string facts(const Race& race, const Round& round, std::uint64_t seed) {
  auto text = fmt::format("{}, round {}, SANCHO_SEED={}:", race.name, round.number, seed);
  for (std::size_t i = 0; i < round.jobs.size(); ++i) {
    const auto& j = round.jobs[i];
    const auto& r = round.reports[i];
    text += fmt::format("\n  player {}: act {}{}{}{}, spins {} and {}; began {}, loaded {}, ending {}, acted {}, ended {};{}{}{}{}{}{}{}{}", i,
                        static_cast<int>(j.act), j.renew ? " renew" : "", j.reauthenticate ? " reauthenticate" : "",
                        j.meet ? " meet" : "", j.spins_before, j.spins_between, r.began, r.loaded, r.ending, r.acted, r.ended,
                        r.found ? " found" : "", r.claimed ? " claimed" : "", r.dropped ? " dropped" : "", r.lost ? " lost" : "",
                        r.merged ? " merged" : "", r.forgets ? " forgets" : "", r.cookie.empty() ? "" : " sets a cookie",
                        r.trouble.empty() ? "" : " trouble: " + r.trouble.string());
  }
  for (const auto& promise : round.wrong) text += "\n  VIOLATED: " + promise;
  return text;
}

// The same for all players of a round: whether they wait for each other in the
// middle. Idle turns from none to some hundred microseconds, all lengths alike.
void vary(Round& round, Chance& chance, Time now) {
  const bool meet = chance() % 4 != 0;
  const auto turns = [&] { return static_cast<std::uint32_t>(chance() % (1u << chance() % 18)); };
  for (auto& job : round.jobs) {
    job.cookie = round.cookie;
    job.meet = meet;
    job.spins_before = turns();
    job.spins_between = turns();
    job.now = now.time_since_epoch().count();
  }
}
}  // namespace

// A store whose clock is its own does not hear that ours was moved. So ours runs
// along with the real one, some minutes ahead, which shortens no life there.
class Pace {
 public:
  Pace(ManualClock& clock, const SessionStore& store) : clock_(clock), real_(store.traits().distributed) {}
  void skip(Duration time) {
    clock_.advance(time);
    ahead_ += time;
  }
  void keep() {
    if (real_) clock_.set(system_clock().now() + ahead_);
  }

 private:
  ManualClock& clock_;
  Duration ahead_{};
  bool real_;
};

// What a sweep would do if the store's clock were ours.
void remove_expired(SessionStore& store, Time now) {
  const auto deadline = Deadline::after(std::chrono::minutes(1));
  if (!store.traits().distributed || !store.scan()) return;
  std::vector<SessionKey> expired;
  const auto note = [&](const KeyedRecord& k) {
    if (k.record.expired(now)) expired.push_back(k.key);
    return true;
  };
  store.scan()->walk(note, deadline);
  for (const auto& key : expired) store.erase(key, std::nullopt, deadline);
}

Result run(const Race& race, const Ground& ground, int rounds, std::uint64_t seed) {
  // Processes part before anything is opened.
  auto crew = ground.processes ? Crew::of_processes(race.players, ground.open) : nullptr;
  ManualClock clock(system_clock().now());
  Ear ear;
  Manager sessions(ground.open(clock), race_policy(), {.clock = clock, .observer = &ear});
  if (!crew) crew = Crew::of_threads(race.players, sessions, clock);
  Referee referee(sessions);
  Pace pace(clock, sessions.store());

  const auto chance_of = [&](int n) { return Chance(seed * 1'000'003 + static_cast<std::uint64_t>(n)); };
  std::vector<Round> all(static_cast<std::size_t>(rounds));
  for (int n = 0; n < rounds; ++n) {
    auto& round = all[static_cast<std::size_t>(n)];
    auto chance = chance_of(n);
    round.number = n;
    round.user = fmt::format("ada{}", n);
    round.jobs.resize(race.players);
    pace.keep();
    race.prepare(referee, round, chance);
  }

  // Long enough for a touch to be due.
  pace.skip(race_policy().access_time_resolution * 2);
  Result result;
  for (auto& round : all) {
    pace.keep();
    auto chance = chance_of(-1 - round.number);
    vary(round, chance, clock.now());
    round.reports = crew->play(round.jobs);
    ++result.rounds;
    result.overlapped += round.overlapped();
    for (const auto& r : round.reports) {
      round.must(r.trouble.empty(), "no request meets an error");
      result.merged += r.merged;
    }
    race.judge(referee, round);
    for (const auto& cookie : round.dead) round.must(!referee.look(cookie).found, "what is dead opens nothing");
  }

  // And so it stays when the tombstones have been swept away.
  pace.skip(race_policy().keep_ended + std::chrono::minutes(2));
  while (sessions.sweep()) {
  }
  remove_expired(sessions.store(), clock.now());
  auto alive = referee.census();
  for (auto& round : all) {
    for (const auto& cookie : round.dead) round.must(!referee.look(cookie).found, "what is dead opens nothing, when its tombstone is gone");
    for (const auto& [user, expected] : round.alive) {
      if (!alive) break;
      const int found = (*alive)[user];
      round.must(found == expected, fmt::format("{} has {} live sessions, and not {}", user, found, expected));
    }
    if (!round.wrong.empty()) result.violations.push_back(facts(race, round, seed));
  }
  return result;
}

}  // namespace sancho::races
