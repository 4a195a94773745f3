#include <map>
#include <vector>

#include "lab.hpp"

namespace sancho::conformance {

std::span<const Fact> expiry_facts() {
  static const Fact facts[] = {
      {"AnIdleRecordIsAbsent", Need::nothing,
       [](Lab& lab) {
         const auto live = Lab::new_key(), pending = Lab::new_key();
         lab.put(live);
         lab.put(pending, State::pending);
         lab.pass(9);
         lab.stored(live), lab.stored(pending);
         lab.pass(1);
         lab.expect_absent(live, "a live record is there after its idle time");
         lab.expect_absent(pending, "a pending record is there after its idle time");
       }},
      {"ARecordBeyondItsEndIsAbsent", Need::nothing,
       [](Lab& lab) {
         std::vector<SessionKey> keys;
         for (const auto state : all_states) {
           auto record = lab.new_record(state);
           record.ends = lab.now() + lab.units(5);
           lab.put(keys.emplace_back(Lab::new_key()), record);
         }
         lab.pass(3);
         for (const auto& key : keys) lab.stored(key);
         lab.pass(2);
         for (const auto& key : keys) lab.expect_absent(key, "a record is there after its end");
       }},
      {"IdleTimeEndsOnlyPendingAndLiveRecords", Need::nothing,
       [](Lab& lab) {
         std::map<SessionKey, Record> put;
         for (const auto state : {State::moved, State::ended, State::note}) {
           const auto key = Lab::new_key();
           put[key] = lab.put(key, state);
         }
         lab.pass(15);
         for (const auto& [key, record] : put) lab.expect_stored(key, record, "a record that does not idle");
       }},
  };
  return facts;
}

}  // namespace sancho::conformance
