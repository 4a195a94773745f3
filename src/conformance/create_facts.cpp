#include "lab.hpp"

namespace sancho::conformance {

std::span<const Fact> create_facts() {
  static const Fact facts[] = {
      {"WhatWasCreatedIsLoaded", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         lab.expect_absent(key, "a key that was never used has a record");
         const auto record = lab.put(key);
         lab.expect_stored(key, record, "load gives another record than was created");
       }},
      {"CreateNeverOverwrites", Need::nothing,
       [](Lab& lab) {
         for (const auto state : all_states) {
           const auto key = Lab::new_key();
           const auto first = lab.put(key, state);
           expect_answer<Taken>(lab.store().create(key, lab.new_record(), Lab::soon()), "create on a key in use did not say taken");
           lab.expect_stored(key, first, "create changed a record that was there");
         }
       }},
      {"TakenCarriesTheCurrentRecord", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto first = lab.put(key);
         const auto taken = expect_answer<Taken>(lab.store().create(key, lab.new_record(), Lab::soon()), "a key in use is not taken");
         expect(taken.current == first, "taken carries " + describe(taken.current) + ", stored is " + describe(first));
       }},
      {"CreateTakesTheKeyOfAnExpiredRecord", Need::nothing,
       [](Lab& lab) {
         std::vector<SessionKey> keys;
         for (const auto state : all_states) {
           auto first = lab.new_record(state);
           first.ends = lab.now() + lab.units(5);
           lab.put(keys.emplace_back(Lab::new_key()), first);
         }
         lab.pass(6);
         for (const auto& key : keys) {
           auto second = lab.new_record();
           expect_answer<Done>(lab.store().create(key, second, Lab::soon()), "an expired record is in the way of create");
           lab.expect_stored(key, second, "create over an expired record");
           expect_answer<Removed>(lab.store().erase(key, std::nullopt, Lab::soon()), "the new record is not to be erased");
           lab.expect_absent(key, "under a new record the expired one comes to light again");
         }
       }},
      {"AnAdmissionThatIsNotHonouredIsRefused", Need::no_epochs,
       [](Lab& lab) {
         auto record = lab.new_record();
         record.subject = "ada";
         const auto key = lab.key_for("ada");
         const Admission admission{.cap = 1};
         bool refused = false;
         try {
           lab.store().create(key, record, Lab::soon(), &admission);
         } catch (const StoreError& e) {
           refused = e.kind() == Trouble::refused;
         }
         expect(refused, "a create with an admission was not refused by a store that has none");
         lab.expect_absent(key, "a create that was refused happened nevertheless");
       }},
  };
  return facts;
}

}  // namespace sancho::conformance
