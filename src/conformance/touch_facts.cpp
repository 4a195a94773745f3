#include "lab.hpp"

namespace sancho::conformance {

namespace {
void expect_gone(Lab& lab, const SessionKey& key, std::uint64_t incarnation, const std::string& what) {
  expect_answer<Gone>(lab.store().touch(key, incarnation, lab.now() + lab.units(1), Lab::soon()), "a touch of " + what + " is not gone");
}
}  // namespace

std::span<const Fact> touch_facts() {
  static const Fact facts[] = {
      {"TouchRaisesTheAccessTimeAndNothingElse", Need::nothing,
       [](Lab& lab) {
         const auto key = lab.key_for("ada");
         auto record = lab.new_record();
         record.subject = "ada";
         lab.put(key, record);
         record.accessed += lab.units(3);
         expect_answer<Done>(lab.store().touch(key, record.version.incarnation, record.accessed, Lab::soon()), "a touch was not done");
         lab.expect_stored(key, record, "after a touch");
       }},
      {"TouchNeverLowersTheAccessTime", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto record = lab.put(key);
         const auto before = record.accessed - lab.units(1);
         expect_answer<Done>(lab.store().touch(key, record.version.incarnation, before, Lab::soon()), "a late touch is not done");
         lab.expect_stored(key, record, "after a late touch");
       }},
      {"TouchProlongsTheLife", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto record = lab.put(key);
         lab.pass(9);
         const auto moment = lab.now();
         expect_answer<Done>(lab.store().touch(key, record.version.incarnation, moment, Lab::soon()), "a touch was not done");
         lab.pass(9);
         expect(lab.stored(key).accessed == moment, "a touch did not prolong the session's life");
         lab.pass(1);
         lab.expect_absent(key, "a session lives on after its idle time");
       }},
      {"TouchOfAnotherIncarnationIsGone", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto record = lab.put(key);
         expect_gone(lab, key, record.version.incarnation + 1, "another incarnation");
         expect_gone(lab, key, record.version.incarnation ^ std::uint64_t{1} << 63, "another incarnation");
         lab.expect_stored(key, record, "after a touch of another incarnation");
       }},
      {"TouchOfWhatIsNotLiveIsGone", Need::nothing,
       [](Lab& lab) {
         for (const auto state : states_not_live) {
           const auto key = Lab::new_key();
           const auto record = lab.put(key, state);
           expect_gone(lab, key, record.version.incarnation, "a record that is not live");
           lab.expect_stored(key, record, "after a touch of what is not live");
         }
       }},
      {"TouchOfNothingIsGone", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         expect_gone(lab, key, 1, "nothing");
         lab.expect_absent(key, "a touch created a record");
       }},
      {"TouchOfAnExpiredRecordIsGone", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto record = lab.put(key);
         lab.pass(10);
         expect_gone(lab, key, record.version.incarnation, "an expired record");
         lab.expect_absent(key, "a late touch revived an expired record");
       }},
  };
  return facts;
}

}  // namespace sancho::conformance
