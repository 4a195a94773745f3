#include "stores/redis/calls.hpp"

#include <algorithm>

#include "stores/redis/value.hpp"

namespace sancho::redis {

void Call::put_into(Wire& wire, bool by_text) const {
  if (!script) return wire.add(words);
  const auto& which = by_text ? script->text : script->sha;
  std::size_t size = which.size();
  for (const auto& word : words) size += word.size();
  wire.begin(words.size() + 3, size + 16);
  wire.word(by_text ? "EVAL" : "EVALSHA");
  wire.word(which);
  wire.word(std::to_string(keys));
  for (const auto& word : words) wire.word(word);
}

namespace {

constexpr std::string_view line_end = "\r\n";

// What a Redis key may be given to expire at.
std::string moment(Time time) { return std::to_string(std::max<Duration::rep>(time.time_since_epoch().count(), 1)); }

Call reading(Command words, std::string_view key) {
  const auto slot = slot_of(key);
  return {.words = std::move(words), .slot = slot, .writes = false, .again = true};
}

// The words are taken over, where a list in braces would be copied.
template <class... Words>
Command command_of(Words&&... words) {
  Command command;
  command.reserve(sizeof...(words));
  (command.emplace_back(std::forward<Words>(words)), ...);
  return command;
}

}  // namespace

// ## What is sent

Calls::Calls(std::string store, const std::string& name_space, Duration keep)
    : store_(std::move(store)), keys_(name_space), keep_(keep) {
  // The name is the last word, with a script and without.
  const auto any = SessionKey::of_note({}, {});
  Wire wire;
  load(keys_.record(any)).put_into(wire, false);
  load_begins_ = wire.bytes.substr(0, wire.bytes.size() - Keys::record_end - line_end.size());
}

Call Calls::load(const std::string& name) const {
  if (keep_ == Duration::zero()) return reading(command_of("GET", name), name);
  Call call = reading(command_of(name), name);
  call.script = &scripts().load, call.keys = 1;
  return call;
}

std::string_view Calls::put_load(const SessionKey& key, std::span<char> room) const {
  const auto size = load_begins_.size() + Keys::record_end + line_end.size();
  if (size > room.size()) return {};
  load_begins_.copy(room.data(), load_begins_.size());
  Keys::put_record_end(key, room.data() + load_begins_.size());
  line_end.copy(room.data() + size - line_end.size(), line_end.size());
  return {room.data(), size};
}

Call Calls::create(const SessionKey& key, const Record& record, const Placed* placed, const Admission* admission,
                   const std::vector<std::string>& members) const {
  const auto name = keys_.record(key);
  Call call{.words = {name}, .script = &scripts().create, .slot = slot_of(name), .replicated = true};
  if (placed) {
    for (auto& each : {keys_.index(placed->place), keys_.epoch(placed->place), keys_.everyone(placed->everyone)})
      call.words.push_back(each);
    for (const auto& member : members) call.words.push_back(keys_.member_record(placed->place, member));
  }
  call.keys = call.words.size();
  call.words.push_back(value_of(record));
  call.words.push_back(keep());
  if (admission) {
    call.words.push_back(bytes_of(admission->seen.subject));
    call.words.push_back(bytes_of(admission->seen.everyone));
    call.words.push_back(std::to_string(admission->cap));
  }
  return call;
}

Call Calls::commit(const SessionKey& key, const Version& expected, const Record& record,
                   const SubjectPlace* place) const {
  const auto name = keys_.record(key);
  const bool ended = record.state == State::ended;
  Call call{.words = {},
            .script = ended ? &scripts().commit_ended : &scripts().commit,
            .slot = slot_of(name),
            .replicated = true};
  call.words.reserve(5);
  call.words.push_back(name);
  if (place) call.words.push_back(keys_.index(*place));
  call.keys = call.words.size();
  call.words.push_back(value_of(record));
  call.words.push_back(keep());
  call.words.push_back(bytes_of(expected));
  return call;
}

// A touch is done as well twice as once. It waits for no replica: what a lost
// one loses is some idle time.
Call Calls::touch(const SessionKey& key, std::uint64_t incarnation, Time accessed) const {
  const auto name = keys_.record(key);
  return {.words = command_of(name, bytes_of(accessed), keep(), bytes_of(incarnation)),
          .script = &scripts().touch,
          .keys = 1,
          .slot = slot_of(name),
          .again = true};
}

Call Calls::erase(const SessionKey& key, const std::optional<Version>& expected) const {
  const auto name = keys_.record(key);
  return {.words = {name, expected ? bytes_of(*expected) : ""},
          .script = &scripts().erase,
          .keys = 1,
          .slot = slot_of(name),
          .replicated = true};
}

Call Calls::evict(const std::string& name, const std::optional<Time>& accessed_before) const {
  return {.words = {name, accessed_before ? bytes_of(*accessed_before) : ""},
          .script = &scripts().evict,
          .keys = 1,
          .slot = slot_of(name)};
}

Call Calls::members(const SubjectPlace& place) const {
  const auto name = keys_.index(place);
  return reading({"ZRANGE", name, "0", "-1"}, name);
}

Call Calls::prune(const SubjectPlace& place, std::string_view subject, const std::vector<std::string>& members) const {
  Call call{
      .words = {keys_.index(place)}, .script = &scripts().prune, .slot = slot_of(keys_.index(place)), .again = true};
  for (const auto& member : members) call.words.push_back(keys_.member_record(place, member));
  call.keys = call.words.size();
  call.words.emplace_back(subject);
  return call;
}

Call Calls::head(const std::string& name) const {
  return reading({"GETRANGE", name, "0", std::to_string(value_head - 1)}, name);
}

Call Calls::epochs(const Placed& placed) const {
  const auto name = keys_.epoch(placed.place);
  return reading({"MGET", name, keys_.everyone(placed.everyone)}, name);
}

Call Calls::everyone(std::uint32_t tag) const {
  const auto name = keys_.everyone(tag);
  return reading({"MGET", name}, name);
}

// It is never sent again by itself: somebody may have set another meanwhile,
// and what was admitted under this one before would be once more.
Call Calls::set_epoch(const SubjectPlace& place, std::uint64_t epoch, Time until) const {
  const auto name = keys_.epoch(place);
  return {.words = {"SET", name, bytes_of(epoch), "PXAT", moment(until)}, .slot = slot_of(name), .replicated = true};
}

Call Calls::set_everyone(std::uint32_t tag, std::uint64_t epoch, Time until) const {
  const auto name = keys_.everyone(tag);
  return {.words = {"SET", name, bytes_of(epoch), "PXAT", moment(until)}, .slot = slot_of(name), .replicated = true};
}

Call Calls::time() const { return reading({"TIME"}, keys_.meta()); }

Call Calls::meta() const { return reading({"HMGET", keys_.meta(), "schema", "secret"}, keys_.meta()); }

Call Calls::write_meta(const std::string& schema, const std::string& secret) const {
  return {.words = {keys_.meta(), schema, secret},
          .script = &scripts().setup,
          .keys = 1,
          .slot = slot_of(keys_.meta()),
          .again = true,
          .replicated = true};
}

// ## What comes back

void Calls::strange(const std::string& value) const {
  record_of(value, store_);  // says what is wrong with it
  throw StoreError(Trouble::corrupt, store_ + ": a record is damaged; it was left as it is");
}

// A reply has another form than our scripts give: it may come from anything.
void Calls::not_understood() const {
  throw StoreError(Trouble::unavailable, store_ + ": the server's answer was not understood; is it Redis 7?", true);
}

// What a script returns: a word, and what belongs to it.
struct Calls::Word {
  std::string_view word;
  const Reply* more = nullptr;
};

Calls::Word Calls::word_of(const Reply& reply) const {
  if (reply.kind != Reply::Kind::list || reply.items.empty()) not_understood();
  const Word w{reply.items[0].text, reply.items.size() > 1 ? &reply.items[1] : nullptr};
  if (w.word == "strange" && w.more) strange(w.more->text);
  return w;
}

namespace {
// Made in its place, as it is not with `record_of`.
std::optional<Record> found_in(std::string_view value, const std::string& store) {
  std::optional<Record> found(std::in_place);
  read_record(value, store, *found);
  return found;
}
}  // namespace

std::optional<Record> Calls::loaded(const Reply& reply) const {
  if (reply.kind == Reply::Kind::nothing) return std::nullopt;
  if (reply.kind == Reply::Kind::text) return found_in(reply.text, store_);
  const auto answer = word_of(reply);
  if (answer.word == "absent") return std::nullopt;
  if (answer.word == "there" && answer.more) return record_of(answer.more->text, store_);
  not_understood();
}

std::optional<CreateAnswer> Calls::created(const Reply& reply, std::vector<std::string>& members) const {
  const auto answer = word_of(reply);
  if (answer.word == "done") return Done{};
  if (answer.word == "taken" && answer.more) return Taken{record_of(answer.more->text, store_)};
  if (answer.word == "revoked") return Refused{Refused::Why::revoked};
  if (answer.word == "at_cap") return Refused{Refused::Why::at_cap};
  if (answer.word != "look" || !answer.more) not_understood();
  members.clear();
  for (const auto& member : answer.more->items) members.push_back(member.text);
  return std::nullopt;
}

CommitAnswer Calls::committed(const Reply& reply) const {
  const auto answer = word_of(reply);
  if (answer.word == "done") return Done{};
  if (answer.word == "gone") return Gone{};
  if (answer.word == "conflict" && answer.more) return Conflict{record_of(answer.more->text, store_)};
  if (answer.word == "subject") throw StoreError(Trouble::refused, store_ + ": a commit may not change the subject");
  not_understood();
}

TouchAnswer Calls::touched(const Reply& reply) const {
  const auto answer = word_of(reply);
  if (answer.word == "done") return Done{};
  if (answer.word == "gone") return Gone{};
  not_understood();
}

EraseAnswer Calls::erased(const Reply& reply) const {
  const auto answer = word_of(reply);
  if (answer.word == "absent") return Absent{};
  if (answer.word == "removed" && answer.more) return Removed{record_of(answer.more->text, store_)};
  if (answer.word == "conflict" && answer.more) return Conflict{record_of(answer.more->text, store_)};
  not_understood();
}

void Calls::add_evicted(const Reply& reply, SweepAnswer& answer) const {
  const auto word = word_of(reply);
  if (word.word != "removed" || reply.items.size() != 3) return;
  ++answer.removed;
  if (word.more->number != static_cast<std::int64_t>(State::live)) return;
  ++answer.sessions;
  answer.handles.push_back(Handle::parse(reply.items[2].text).value_or(Handle{}));
}

}  // namespace sancho::redis
