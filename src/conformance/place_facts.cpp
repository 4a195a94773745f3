#include "lab.hpp"

namespace sancho::conformance {

std::span<const Fact> place_facts() {
  static const Fact facts[] = {
      {"SetupDestroysNothing", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto record = lab.put(key);
         lab.store().setup();
         lab.store().setup();
         lab.expect_stored(key, record, "after another setup");
       }},
      {"TheStoreHasAName", Need::nothing, [](Lab& lab) { expect(!lab.store().name().empty(), "the store has no name"); }},
      {"ReopeningKeepsEverything", Need::durable,
       [](Lab& lab) {
         std::vector<std::pair<SessionKey, Record>> put;
         for (const auto state : all_states) {
           const auto key = Lab::new_key();
           put.emplace_back(key, lab.put(key, state));
         }
         const auto key = Lab::new_key();
         auto record = lab.put(key);
         auto next = Lab::next(record);
         expect_answer<Done>(lab.store().commit(key, record.version, next, Lab::soon()), "a commit was not done");
         next.accessed += lab.units(1);
         expect_answer<Done>(lab.store().touch(key, next.version.incarnation, next.accessed, Lab::soon()), "a touch was not done");
         put.emplace_back(key, next);
         lab.reopen();
         for (const auto& [k, r] : put) lab.expect_stored(k, r, "after the store was opened again");
       }},
      {"ReopeningRevivesNothing", Need::durable,
       [](Lab& lab) {
         const auto erased = Lab::new_key(), ended = Lab::new_key();
         lab.put(erased);
         const auto live = lab.put(ended);
         auto tombstone = Lab::next(live);
         tombstone.state = State::ended;
         expect_answer<Removed>(lab.store().erase(erased, std::nullopt, Lab::soon()), "erase removed nothing");
         expect_answer<Done>(lab.store().commit(ended, live.version, tombstone, Lab::soon()), "a commit was not done");
         lab.reopen();
         lab.expect_absent(erased, "opening the store again revived an erased record");
         lab.expect_stored(ended, tombstone, "opening the store again revived an ended session");
       }},
      {"AnotherHandleSeesEveryWrite", Need::second_handle,
       [](Lab& lab) {
         const auto other = lab.open_another();
         const auto key = Lab::new_key();
         const auto record = lab.put(key);
         expect(other->load(key, Lab::soon()) == record, "another handle does not see a create");
         const auto next = Lab::next(record);
         expect_answer<Done>(other->commit(key, record.version, next, Lab::soon()), "a commit through another handle was not done");
         lab.expect_stored(key, next, "a commit through another handle");
         expect_answer<Conflict>(lab.store().commit(key, record.version, next, Lab::soon()), "a commit through two handles is no conflict");
         expect_answer<Removed>(lab.store().erase(key, std::nullopt, Lab::soon()), "erase removed nothing");
         expect(!other->load(key, Lab::soon()).has_value(), "another handle does not see an erase");
       }},
  };
  return facts;
}

}  // namespace sancho::conformance
