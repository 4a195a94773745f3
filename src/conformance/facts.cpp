#include "lab.hpp"

namespace sancho::conformance {

std::span<const Fact> facts() {
  static const std::vector<Fact> all = [] {
    std::vector<Fact> facts;
    for (const auto chapter : {create_facts(), commit_facts(), touch_facts(), erase_facts(), expiry_facts(), sweep_facts(),
                               bytes_facts(), listing_facts(), epoch_facts(), race_facts(), place_facts(), walk_facts()})
      facts.insert(facts.end(), chapter.begin(), chapter.end());
    return facts;
  }();
  return all;
}

namespace {
void require(bool has, const char* what) {
  if (!has) throw NotApplicable(std::string("the store has no ") + what);
}

void require(Need need, SessionStore& store) {
  const auto traits = store.traits();
  switch (need) {
    case Need::nothing: return;
    case Need::threads: return require(traits.thread_safe, "thread safety");
    case Need::second_handle: return require(traits.multiprocess_safe, "second handle: it is not multiprocess safe");
    case Need::durable: return require(traits.durable, "durability");
    case Need::subjects: return require(store.subjects() != nullptr, "subject index");
    case Need::scan: return require(store.scan() != nullptr, "scan");
    case Need::epochs: return require(store.epochs() != nullptr, "epochs");
    case Need::no_epochs: return require(store.epochs() == nullptr, "lack of epochs");
    case Need::no_scan: return require(store.scan() == nullptr, "lack of scan");
    case Need::sweeps: return require(!traits.sweeps_itself, "need of sweeping");
    case Need::given_clock: return require(!traits.distributed, "clock but its own");
  }
}
}  // namespace

Verdict check(const Fact& fact, const Factory& factory) {
  try {
    Lab lab(factory);
    require(fact.need, lab.store());
    fact.check(lab);
    return {fact.name, Outcome::kept, {}};
  } catch (const NotApplicable& e) {
    return {fact.name, Outcome::skipped, e.what()};
  } catch (const std::exception& e) {
    return {fact.name, Outcome::broken, e.what()};
  }
}

std::vector<std::string> broken_facts(const Factory& factory) {
  std::vector<std::string> broken;
  for (const auto& fact : facts())
    if (check(fact, factory).outcome == Outcome::broken) broken.emplace_back(fact.name);
  return broken;
}

}  // namespace sancho::conformance
