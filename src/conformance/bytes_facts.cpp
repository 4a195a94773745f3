#include <limits>

#include "lab.hpp"

namespace sancho::conformance {

namespace {
// Through create, and through commit: the two ways in.
void expect_kept(Lab& lab, const Record& record, const std::string& what) {
  const auto key = lab.key_for(record.subject), other = lab.key_for(record.subject);
  lab.put(key, record);
  lab.expect_stored(key, record, what + ", created");
  auto before = lab.new_lasting_record();
  before.subject = record.subject;
  before.accessed = record.accessed;
  before.ends = std::max(before.ends, record.ends);
  before.idle = std::max(before.idle, lab.now() - record.accessed + lab.units(10));
  lab.put(other, before);
  expect_answer<Done>(lab.store().commit(other, before.version, record, Lab::soon()), "a commit was not done: " + what);
  lab.expect_stored(other, record, what + ", committed");
  if (auto* subjects = lab.store().subjects(); subjects && !record.subject.empty() && record.state == State::live) {
    std::size_t found = 0;
    for (const auto& entry : subjects->find_by_subject(record.subject, Lab::soon()))
      found += (entry.key == key || entry.key == other) && entry.record == record;
    expect(found == 2, "find_by_subject does not find its records: " + what);
  }
}

const std::string awkward[] = {
    {},
    std::string(1, '\0'),
    std::string("a\0b\0\0c", 6),
    "'; DROP TABLE sessions; --",
    "\" ' ` \\ % _ * ? [ ] { } $ ; & | < > ~ # !",
    "%00 %2f ../../etc/passwd",
    "\r\n\r\nSET key value\r\n",
    "\xff\xfe\x80\xc0 not UTF-8",
    "Grüße, 世界 \xf0\x9f\x8d\xaa",
    " leading and trailing ",
};
}  // namespace

std::span<const Fact> bytes_facts() {
  static const Fact facts[] = {
      {"PayloadsAreKeptByteForByte", Need::nothing,
       [](Lab& lab) {
         std::string every;
         for (int byte = 0; byte < 256; ++byte) every.push_back(static_cast<char>(byte));
         auto record = lab.new_lasting_record();
         record.payload = every;
         expect_kept(lab, record, "a payload of every byte");
         for (const auto& bytes : awkward) record.payload = bytes, expect_kept(lab, record, "an awkward payload");
       }},
      {"ALargePayloadIsKept", Need::nothing,
       [](Lab& lab) {
         auto record = lab.new_lasting_record();
         record.payload.resize(1 << 20);
         for (std::size_t i = 0; i < record.payload.size(); ++i) record.payload[i] = static_cast<char>(i * 2654435761u >> 13);
         expect_kept(lab, record, "a payload of 1 MiB");
       }},
      {"SubjectsAreKeptByteForByte", Need::nothing,
       [](Lab& lab) {
         auto record = lab.new_lasting_record();
         for (const auto& bytes : awkward) record.subject = bytes, expect_kept(lab, record, "an awkward subject");
         record.subject.assign(200, 's');
         expect_kept(lab, record, "a long subject");
       }},
      {"SubjectsAreComparedByteForByte", Need::subjects,
       [](Lab& lab) {
         // Neither case, nor white space, nor what follows a zero byte, nor patterns.
         const std::string subjects[] = {"ada", "Ada", "ada ", " ada", std::string("ada\0", 4), std::string("ada\0x", 5), "ad%", "ad_", "ad*", "\xc3\xa4", "a\xcc\x88"};
         for (const auto& subject : subjects) {
           auto record = lab.new_lasting_record();
           record.subject = subject;
           lab.put(lab.key_for(subject), record);
         }
         for (const auto& subject : subjects)
           expect(lab.store().subjects()->find_by_subject(subject, Lab::soon()).size() == 1, "two subjects that look alike are one");
       }},
      {"ExtremeVersionsAreKept", Need::nothing,
       [](Lab& lab) {
         constexpr auto max = std::numeric_limits<std::uint64_t>::max();
         constexpr auto half = std::uint64_t{1} << 63;
         for (const auto& version : {Version{0, 0}, Version{max, max}, Version{half, half}, Version{half - 1, half - 1}, Version{max - 1, 0}}) {
           auto record = lab.new_lasting_record();
           record.version = version;
           expect_kept(lab, record, "an extreme version");
           const auto key = Lab::new_key();
           lab.put(key, record);
           expect_answer<Removed>(lab.store().erase(key, version, Lab::soon()), "an extreme version cannot be named");
         }
       }},
      {"EveryStateIsKept", Need::nothing,
       [](Lab& lab) {
         for (const auto state : all_states) expect_kept(lab, lab.new_lasting_record(state), "a state");
       }},
      {"TimesAreKeptToTheMillisecond", Need::nothing,
       [](Lab& lab) {
         for (const int odd : {1, 7, 499, 501, 999}) {
           auto record = lab.new_lasting_record();
           record.created = Time{Duration{odd}};
           record.accessed += Duration{odd};
           record.idle += Duration{odd};
           record.ends += std::chrono::hours{24 * 400} + Duration{odd};
           expect_kept(lab, record, "odd times");
         }
       }},
      {"HandlesAreKept", Need::nothing,
       [](Lab& lab) {
         auto record = lab.new_lasting_record();
         expect_kept(lab, record, "a handle");
         record.handle = Handle{};
         expect_kept(lab, record, "no handle");
       }},
      {"KeysAreIndependent", Need::nothing,
       [](Lab& lab) {
         const auto id = SessionId::draw(system_random());
         std::vector<SessionKey> keys = {SessionKey::of("", id), SessionKey::of("shop", id), SessionKey::of_note("shop", "attempts")};
         // Neighbours: one bit, first or last byte, and bytes that end a C string.
         std::string bytes(32, '\0');
         keys.push_back(*SessionKey::from_bytes(bytes));
         for (const std::size_t at : {0u, 15u, 31u}) {
           for (const int value : {1, 128, 255}) {
             auto near = bytes;
             near[at] = static_cast<char>(value);
             keys.push_back(*SessionKey::from_bytes(near));
           }
         }
         std::vector<Record> records;
         for (const auto& key : keys) records.push_back(lab.put(key, lab.new_lasting_record()));
         for (std::size_t i = 0; i < keys.size(); ++i) {
           auto next = Lab::next(records[i]);
           expect_answer<Done>(lab.store().commit(keys[i], records[i].version, next, Lab::soon()), "a commit was not done");
           records[i] = next;
           for (std::size_t j = 0; j < keys.size(); ++j) lab.expect_stored(keys[j], records[j], "another key's record");
         }
         for (std::size_t i = 0; i < keys.size(); ++i) {
           expect_answer<Removed>(lab.store().erase(keys[i], records[i].version, Lab::soon()), "an erase removed nothing");
           for (std::size_t j = i + 1; j < keys.size(); ++j) lab.expect_stored(keys[j], records[j], "another key's record");
         }
       }},
  };
  return facts;
}

}  // namespace sancho::conformance
