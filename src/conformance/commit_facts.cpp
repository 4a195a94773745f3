#include "lab.hpp"

namespace sancho::conformance {

namespace {
// A commit that expects another version than the stored one.
Conflict conflicting(Lab& lab, const SessionKey& key, const Record& first, const Version& wrong) {
  auto other = Lab::next(first);
  other.state = State::ended;
  return expect_answer<Conflict>(lab.store().commit(key, wrong, other, Lab::soon()),
                                 "a commit that expected another version was no conflict");
}
}  // namespace

std::span<const Fact> commit_facts() {
  static const Fact facts[] = {
      {"CommitReplacesTheRecord", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto first = lab.put(key);
         auto second = Lab::next(first);
         second.created += lab.units(1);
         second.idle = lab.units(20);
         second.ends += lab.units(1);
         second.handle = Handle::draw(system_random());
         expect_answer<Done>(lab.store().commit(key, first.version, second, Lab::soon()), "a commit of the next version was not done");
         lab.expect_stored(key, second, "commit wrote something else");
       }},
      {"CommitNeverCreates", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto record = lab.new_record();
         expect_answer<Gone>(lab.store().commit(key, record.version, Lab::next(record), Lab::soon()), "commit to nothing is not gone");
         lab.expect_absent(key, "commit created a record");
         lab.put(key, record);
         expect_answer<Removed>(lab.store().erase(key, std::nullopt, Lab::soon()), "erase removed nothing");
         expect_answer<Gone>(lab.store().commit(key, record.version, Lab::next(record), Lab::soon()), "commit after erase is not gone");
         lab.expect_absent(key, "a late commit revived an erased record");
       }},
      {"CommitComparesTheCounter", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         auto first = lab.new_record();
         first.version.counter = 7;
         lab.put(key, first);
         for (const std::uint64_t wrong : {0u, 6u, 8u}) conflicting(lab, key, first, {first.version.incarnation, wrong});
         lab.expect_stored(key, first, "a commit with another counter changed the record");
       }},
      {"CommitComparesTheIncarnation", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto first = lab.put(key);
         conflicting(lab, key, first, {first.version.incarnation + 1, first.version.counter});
         conflicting(lab, key, first, {first.version.incarnation ^ std::uint64_t{1} << 63, first.version.counter});
         lab.expect_stored(key, first, "a commit of another incarnation changed the record");
       }},
      {"ConflictCarriesTheCurrentRecord", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto first = lab.put(key);
         const auto second = Lab::next(first);
         expect_answer<Done>(lab.store().commit(key, first.version, second, Lab::soon()), "a commit was not done");
         const auto seen = conflicting(lab, key, first, first.version).current;
         expect(seen == second, "a conflict carries " + describe(seen) + ", stored is " + describe(second));
       }},
      {"CommitKeepsTheGreaterAccessTime", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto first = lab.put(key);
         const auto late = lab.now() + lab.units(3);
         expect_answer<Done>(lab.store().touch(key, first.version.incarnation, late, Lab::soon()), "a touch was not done");
         expect_answer<Done>(lab.store().commit(key, first.version, Lab::next(first), Lab::soon()), "a commit was not done");
         expect(lab.stored(key).accessed == late, "a commit set the access time back");
       }},
      {"CommitRaisesTheAccessTime", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto first = lab.put(key);
         auto second = Lab::next(first);
         second.accessed += lab.units(4);
         expect_answer<Done>(lab.store().commit(key, first.version, second, Lab::soon()), "a commit was not done");
         expect(lab.stored(key).accessed == second.accessed, "a commit did not raise the access time");
       }},
      {"CommitNeverChangesTheSubject", Need::nothing,
       [](Lab& lab) {
         for (const std::string before : {"", "ada"}) {
           const auto key = lab.key_for(before);
           auto first = lab.new_record();
           first.subject = before;
           lab.put(key, first);
           auto second = Lab::next(first);
           second.subject = "eve";
           bool refused = false;
           try {
             lab.store().commit(key, first.version, second, Lab::soon());
           } catch (const StoreError& e) {
             refused = e.kind() == Trouble::refused && !e.maybe_done();
           }
           expect(refused, "a commit with another subject was not refused");
           lab.expect_stored(key, first, "a commit with another subject changed the record");
         }
       }},
      {"CommitChangesAnyStateToAnyOther", Need::nothing,
       [](Lab& lab) {
         for (const auto from : all_states)
           for (const auto to : all_states) {
             const auto key = Lab::new_key();
             const auto first = lab.put(key, from);
             auto second = Lab::next(first);
             second.state = to;
             expect_answer<Done>(lab.store().commit(key, first.version, second, Lab::soon()), "a commit of another state was not done");
             lab.expect_stored(key, second, "a commit of another state");
             auto third = Lab::next(second);
             third.state = from;
             expect_answer<Done>(lab.store().commit(key, second.version, third, Lab::soon()), "a commit of the state before was not done");
             lab.expect_stored(key, third, "a commit of the state before");
           }
       }},
      {"CommitToAnExpiredRecordIsGone", Need::nothing,
       [](Lab& lab) {
         const auto key = Lab::new_key();
         const auto first = lab.put(key);
         lab.pass(10);
         auto second = Lab::next(first);
         second.accessed = lab.now();
         expect_answer<Gone>(lab.store().commit(key, first.version, second, Lab::soon()), "a commit to an expired record is not gone");
         lab.expect_absent(key, "a late commit revived an expired record");
       }},
  };
  return facts;
}

}  // namespace sancho::conformance
