#include "world.hpp"

#include <algorithm>

namespace sancho::proof {

// ## Results and machines by number

No Results::number(const Result& r) {
  Fingerprint f;
  f(r.does, r.presented, r.saw, r.handle, r.outcome, r.cookie, r.base.a, r.base.b, r.base.n, r.heir, r.late, r.trouble);
  const auto [at, fresh] = by_bytes_.try_emplace(std::move(f).take(), static_cast<No>(results_.size()));
  if (fresh) results_.push_back(r);
  return at->second;
}

No Machines::begin(std::size_t who, Does does, IdNo presented) {
  const auto key = std::uint64_t{who} << 32 | static_cast<std::uint64_t>(does) << 16 | presented;
  if (const auto* known = begun_.find(key)) return *known;
  const No no = settle(Request(static_cast<char>('A' + who), does, presented), {});
  return begun_.insert(key, no).first;
}

No Machines::step(No machine, Reply reply) {
  const auto key = std::uint64_t{machine} << 32 | reply.number();
  if (const auto* known = next_.find(key)) return *known;
  const No no = settle(*rows_[machine].request, universe_.answer(reply));
  return next_.insert(key, no).first;
}

No Machines::settle(Request request, protocol::Answer answer) {
  const auto* wanted = request.resume(universe_, answer);
  const No out = wanted ? universe_.operation(*wanted) : results_.number(request.result);
  const auto no = static_cast<No>(rows_.size());
  if (!brute_) {
    Fingerprint which;
    which(wanted != nullptr, out);
    const auto bytes = std::move(which).take() + (wanted ? request.fingerprint() : std::string());
    const auto [at, fresh] = by_fingerprint_.try_emplace(bytes, no);
    if (!fresh) return at->second;
  }
  if (wanted) rows_.push_back({std::move(request), false, out});
  else rows_.push_back({std::nullopt, true, out});
  return no;
}

// ## The world

World::World(Universe& u, Results& r, const Scenario& s, bool brute)
    : universe(u), results(r), scenario(s), start(proof::start(u, s.start)), machines(u, r, brute) {
  helds_.push_back(start.held);
  initial_.store = start.store;
  initial_.jar = start.jar;
  initial_.faults = static_cast<std::uint8_t>(s.faults);
  for (std::size_t i = s.does.size(); i < most; ++i) initial_.at[i] = At::crashed;
}

std::uint16_t World::with(std::uint16_t held, IdNo id) {
  auto set = helds_[held];
  const auto at = std::lower_bound(set.begin(), set.end(), id);
  if (at != set.end() && *at == id) return held;
  set.insert(at, id);
  const auto known = std::find(helds_.begin(), helds_.end(), set);
  if (known == helds_.end()) {
    helds_.push_back(std::move(set));
    return static_cast<std::uint16_t>(helds_.size() - 1);
  }
  return static_cast<std::uint16_t>(known - helds_.begin());
}

std::uint16_t World::spent(const Operation& op, Reply reply) const {
  if (op.verb != Verb::commit || reply.said != Said::done) return 0;
  const auto& spent = universe.seen(op.record).payload.spent;
  return spent.empty() ? std::uint16_t{0} : spent_by(static_cast<std::size_t>(Chance::owner(spent.back().attempt) - 'A'));
}

void World::settle(State& s, std::size_t i, No machine) const {
  s.machine[i] = machine;
  s.at[i] = machines.done(machine) ? At::done : At::running;
}

bool World::may_expire(const State& s, IdNo key, No record) const {
  if (s.on_its_way && universe.operation(s.on_its_way - 1).key == key) return false;
  const auto& seen = universe.seen(record);
  if (seen.record.state == sancho::State::note) return false;
  if (seen.record.state == sancho::State::moved) return seen.payload.used && !seen.over;
  if (seen.record.state != sancho::State::ended) return true;
  const auto& first = universe.rows(start.store);
  return std::find(first.begin(), first.end(), std::pair(key, record)) != first.end();
}

std::string World::show(const State& before, const Event& e) const {
  using Kind = Event::Kind;
  const auto who = std::string(1, static_cast<char>('A' + e.who));
  const auto& names = universe.names;
  switch (e.kind) {
    case Kind::none: return "";
    case Kind::begin: return who + " begins: " + std::string(word(scenario.does[e.who])) + ", cookie " + names.label(e.id);
    case Kind::step: {
      const auto reply = universe.show(e.reply);
      return who + ": " + universe.show(e.operation) + (reply.empty() ? "" : ": " + reply);
    }
    case Kind::lose: return who + ": " + universe.show(e.operation) + ": answer lost";
    case Kind::crash: return who + " crashes before: " + universe.show(e.operation);
    case Kind::deliver: return "the browser gets " + who + "'s response: " + result(before, e.who).show(names);
    case Kind::late: return "the lost operation is done: " + universe.show(e.operation) + ": " + universe.show(e.reply);
    case Kind::expire: return "expires: " + names.label(e.id);
  }
  return "";
}

}  // namespace sancho::proof
