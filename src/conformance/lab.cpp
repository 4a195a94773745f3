#include "lab.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace sancho::conformance {

Lab::Lab(const Factory& factory) : venue_(factory()), store_(venue_.open(clock_)) { store_->setup(); }

void Lab::reopen() {
  store_.reset();
  store_ = venue_.open(clock_);
}

void Lab::pass(int n) {
  if (venue_.pass) venue_.pass(units(n));
  clock_.advance(units(n));
}

int Lab::rounds(int usual) {
  const char* n = std::getenv("SANCHO_ROUNDS");
  return n ? std::max(usual, usual * std::min(std::atoi(n), 1'000'000) / 1000) : usual;
}

SessionKey Lab::new_key() { return SessionKey::of("conformance", SessionId::draw(system_random())); }

SessionKey Lab::key_for(std::string_view subject) {
  auto* routing = store().routing();
  if (!routing || subject.empty()) return new_key();
  return SessionKey::of("conformance", SessionId::draw(system_random(), routing->tag_of(subject)));
}

Record Lab::new_record(State state) const {
  Record record;
  record.version = {system_random().draw_u64(), 1};
  record.state = state;
  record.created = now();
  record.accessed = now();
  record.idle = units(10);
  record.ends = now() + units(100);
  record.handle = Handle::draw(system_random());
  record.payload = "what the session holds";
  return record;
}

Record Lab::new_lasting_record(State state) const {
  auto record = new_record(state);
  record.idle = units(10'000);
  record.ends = now() + units(10'000);
  return record;
}

Record Lab::next(Record record) {
  ++record.version.counter;
  record.payload += '+';
  return record;
}

Record Lab::put(const SessionKey& key, Record record) {
  expect_answer<Done>(store().create(key, record, soon()), "a record could not be created where there was none");
  return record;
}

Record Lab::stored(const SessionKey& key) {
  auto record = store().load(key, soon());
  expect(record.has_value(), "a record that was put there is absent");
  return *record;
}

void Lab::expect_stored(const SessionKey& key, const Record& record, const std::string& otherwise) {
  const auto found = stored(key);
  expect(found == record, fmt::format("{}: expected {}, found {}", otherwise, describe(record), describe(found)));
  // Into one that holds something else already.
  Record again = new_lasting_record();
  again.subject.assign(100, 's');
  again.payload.assign(1000, 'p');
  expect(store().load_into(key, again, soon()) && again == record,
         fmt::format("{}: load finds {}, load_into {}", otherwise, describe(record), describe(again)));
}

void Lab::expect_absent(const SessionKey& key, const std::string& otherwise) {
  expect(!store().load(key, soon()).has_value(), otherwise);
  Record record;
  expect(!store().load_into(key, record, soon()), otherwise);
}

std::string describe(const Record& r) {
  return fmt::format("[{} {:x}/{} accessed {} idle {} ends {} subject of {} bytes, payload of {} bytes]", to_string(r.state),
                     r.version.incarnation, r.version.counter, r.accessed.time_since_epoch().count(), r.idle.count(),
                     r.ends.time_since_epoch().count(), r.subject.size(), r.payload.size());
}

}  // namespace sancho::conformance
