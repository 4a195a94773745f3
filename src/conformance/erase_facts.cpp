#include "lab.hpp"

namespace sancho::conformance {

std::span<const Fact> erase_facts() {
  static const Fact facts[] = {
      {"EraseRemovesTheExpectedVersion", Need::nothing,
       [](Lab& lab) {
         for (const auto state : all_states) {
           const auto key = Lab::new_key();
           const auto record = lab.put(key, state);
           const auto removed = expect_answer<Removed>(lab.store().erase(key, record.version, Lab::soon()), "erase removed nothing");
           expect(removed.last == record, "removed carries " + describe(removed.last) + ", it was " + describe(record));
           lab.expect_absent(key, "an erased record is still there");
         }
       }},
      {"EraseRemovesAnyVersionIfNoneIsExpected", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto first = lab.put(key);
         const auto second = Lab::next(first);
         expect_answer<Done>(lab.store().commit(key, first.version, second, Lab::soon()), "a commit was not done");
         const auto removed = expect_answer<Removed>(lab.store().erase(key, std::nullopt, Lab::soon()), "erase of any version removed nothing");
         expect(removed.last == second, "removed carries " + describe(removed.last) + ", it was " + describe(second));
         lab.expect_absent(key, "an erased record is still there");
       }},
      {"EraseOfAnotherVersionIsAConflict", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto record = lab.put(key);
         const Version wrong[] = {{record.version.incarnation, 0}, {record.version.incarnation, 2}, {record.version.incarnation + 1, 1}};
         for (const auto& version : wrong) {
           const auto seen = expect_answer<Conflict>(lab.store().erase(key, version, Lab::soon()), "erase of another version is no conflict");
           expect(seen.current == record, "the conflict carries " + describe(seen.current) + ", stored is " + describe(record));
           lab.expect_stored(key, record, "after an erase of another version");
         }
       }},
      {"EraseOfNothingIsAbsent", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         expect_answer<Absent>(lab.store().erase(key, std::nullopt, Lab::soon()), "erase of nothing is not absent");
         expect_answer<Absent>(lab.store().erase(key, Version{1, 1}, Lab::soon()), "erase of a version of nothing is not absent");
       }},
      {"EraseOfAnExpiredRecordIsAbsent", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto record = lab.put(key);
         lab.pass(10);
         expect_answer<Absent>(lab.store().erase(key, record.version, Lab::soon()), "erase of an expired record is not absent");
         expect_answer<Absent>(lab.store().erase(key, std::nullopt, Lab::soon()), "erase of an expired record is not absent");
       }},
      {"AnErasedKeyMayBeUsedAgain", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         lab.put(key);
         expect_answer<Removed>(lab.store().erase(key, std::nullopt, Lab::soon()), "erase removed nothing");
         const auto again = lab.put(key);
         lab.expect_stored(key, again, "a record that was created after an erase");
       }},
  };
  return facts;
}

}  // namespace sancho::conformance
