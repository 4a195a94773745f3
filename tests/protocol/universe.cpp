#include "universe.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "sancho/msgpack.hpp"

namespace sancho::proof {

using namespace protocol;

// ## Words

Slots slots_of(const Payload& payload) {
  Slots slots;
  for (const char name : {'a', 'b'})
    if (const auto* s = payload.find(std::string_view(&name, 1))) slots[name] = Unpacker(s->value).text();
  if (const auto* s = payload.find("n")) slots.n = Unpacker(s->value).integer();
  return slots;
}

Handle handle_of(std::string word) {
  word.resize(16, '_');
  return *Handle::parse(word);
}

std::string word_of(const Handle& handle) {
  const auto text = handle.text();
  return std::string(text.substr(0, text.find('_')));
}

// ## Numbers for records, operations and stores

No Universe::record(const Record& record) {
  const auto [at, fresh] = records_by_bytes_.try_emplace(encode_record(record), static_cast<No>(records_.size()));
  if (fresh) {
    Seen seen;
    seen.record = record;
    seen.payload = unseal(record);
    seen.slots = slots_of(seen.payload);
    seen.handle = word_of(record.handle);
    seen.heir_of = seen.payload.user_agent;
    seen.over = seen.payload.used && *seen.payload.used == long_ago;
    if (seen.payload.successor) seen.successor = names.of(*seen.payload.successor);
    records_.push_back(std::move(seen));
  }
  return at->second;
}

No Universe::operation(const Op& op) {
  Operation o{};
  if (const auto* load = std::get_if<Load>(&op)) o = {Verb::load, names.of(load->key)};
  else if (const auto* create = std::get_if<Create>(&op)) {
    o = {Verb::create, names.of(create->key), {}, false, record(create->record)};
    if (const auto& admission = create->admission)
      o.admitted = true, o.epoch = static_cast<No>(admission->seen.subject), o.cap = admission->cap;
  } else if (const auto* find = std::get_if<Find>(&op)) o = {Verb::find, 0, {}, false, find->subject == "U1" ? 1u : 2u};
  else if (const auto* ask = std::get_if<AskEpochs>(&op)) o = {Verb::epochs, 0, {}, false, ask->subject == "U1" ? 1u : 2u};
  else if (const auto* commit = std::get_if<Commit>(&op))
    o = {Verb::commit, names.of(commit->key), commit->expected, false, record(commit->record)};
  else if (const auto* touch = std::get_if<Touch>(&op)) o = {Verb::touch, names.of(touch->key), {touch->incarnation, 0}};
  else if (const auto* erase = std::get_if<Erase>(&op))
    o = {Verb::erase, names.of(erase->key), erase->expected.value_or(Version{}), !erase->expected};
  Fingerprint bytes;
  bytes(o.verb, o.key, o.expected, o.any, o.record, o.admitted, o.epoch, o.cap);
  const auto [at, fresh] = operations_by_bytes_.try_emplace(std::move(bytes).take(), static_cast<No>(operations_.size()));
  if (fresh) operations_.push_back(o);
  return at->second;
}

No Universe::store(Rows rows) {
  std::string bytes;
  for (const auto& [key, record] : rows) {
    bytes.append(reinterpret_cast<const char*>(&key), sizeof key);
    bytes.append(reinterpret_cast<const char*>(&record), sizeof record);
  }
  const auto [at, fresh] = stores_by_rows_.try_emplace(std::move(bytes), static_cast<No>(stores_.size()));
  if (fresh) stores_.push_back(std::move(rows));
  return at->second;
}

No Universe::put(No store_no, IdNo key, No record) {
  auto rows = stores_[store_no];
  const auto at = std::lower_bound(rows.begin(), rows.end(), key, [](const auto& row, IdNo k) { return row.first < k; });
  if (at != rows.end() && at->first == key) at->second = record;
  else rows.insert(at, {key, record});
  return store(std::move(rows));
}

No Universe::drop(No store_no, IdNo key) {
  auto rows = stores_[store_no];
  std::erase_if(rows, [&](const auto& row) { return row.first == key; });
  return store(std::move(rows));
}

No Universe::over(No no) {
  Record old = seen(no).record;
  auto payload = seen(no).payload;
  payload.used = long_ago;
  old.payload = seal(old, payload);
  return record(old);
}

// ## The six verbs (all but `sweep`, which is the explorer's expiry)

Universe::After Universe::apply(No store_no, No op_no) {
  const auto key = std::uint64_t{store_no} << 32 | op_no;
  if (const auto* known = applied_.find(key)) return *known;
  return applied_.insert(key, applied(store_no, operations_[op_no])).first;
}

Universe::After Universe::applied(No store_no, const Operation& op) {
  const Rows& all = stores_[store_no];
  const auto at = std::find_if(all.begin(), all.end(), [&](const auto& row) { return row.first == op.key; });
  const Record* current = at == all.end() ? nullptr : &seen(at->second).record;
  const No here = current ? at->second : 0;
  switch (op.verb) {
    case Verb::pause: return {store_no, {}};
    case Verb::load: return {store_no, current ? Reply{Said::found, here} : Reply{Said::absent}};
    case Verb::create:
      if (current) return {store_no, {Said::taken, here}};
      if (const auto no = refusal(store_no, op)) return {store_no, {*no}};
      return {put(store_no, op.key, op.record), {Said::done}};
    case Verb::commit: {
      if (!current) return flaws_.commit_upserts ? After{put(store_no, op.key, op.record), {Said::done}} : After{store_no, {Said::gone}};
      if (current->version != op.expected && !flaws_.no_version_check) return {store_no, {Said::conflict, here}};
      Record next = seen(op.record).record;
      if (next.subject != current->subject) throw std::logic_error("a commit that changes the subject");
      next.accessed = std::max(next.accessed, current->accessed);
      return {put(store_no, op.key, record(next)), {Said::done}};
    }
    case Verb::touch: {
      if (!current || current->version.incarnation != op.expected.incarnation || current->state != State::live)
        return {store_no, {Said::gone}};
      Record next = *current;
      next.accessed = std::max(next.accessed, now);
      return {put(store_no, op.key, record(next)), {Said::done}};
    }
    case Verb::erase:
      if (!current) return {store_no, {Said::absent}};
      if (!op.any && current->version != op.expected) return {store_no, {Said::conflict, here}};
      return {drop(store_no, op.key), {Said::removed, here}};
    case Verb::epochs: return {store_no, {Said::epochs, op.record == 1 ? epoch(store_no) : 0}};
    case Verb::find: {
      Rows found;
      const std::string_view subject = op.record == 1 ? "U1" : "U2";
      for (const auto& row : all)
        if (may_open(seen(row.second).record.state) && seen(row.second).record.subject == subject) found.push_back(row);
      return {store_no, {Said::sessions, store(std::move(found))}};
    }
  }
  throw std::logic_error("no such verb");
}

// ## Epochs and caps

SessionKey Universe::epoch_key() { return names.key(names.add(id_of('E'), "epoch")); }

Record Universe::epoch_record() const {
  Record note{.version = {1, 1}, .state = State::note, .created = now, .accessed = now, .idle = {}, .ends = now + std::chrono::hours(24)};
  note.payload = seal(note, {});
  return note;
}

No Universe::epoch(No store_no) {
  const auto& all = stores_[store_no];
  return std::any_of(all.begin(), all.end(), [&](const auto& row) { return seen(row.second).record.state == State::note; });
}

std::optional<Said> Universe::refusal(No store_no, const Operation& op) {
  if (!op.admitted) return std::nullopt;
  const Record& offered = seen(op.record).record;
  if ((offered.subject == "U1" ? epoch(store_no) : 0) != op.epoch) return Said::revoked;
  std::set<Handle> others;
  for (const auto& row : stores_[store_no]) {
    const auto& r = seen(row.second).record;
    const bool holds_a_place = r.state == State::live || r.state == State::pending;
    if (holds_a_place && r.subject == offered.subject && r.handle != offered.handle) others.insert(r.handle);
  }
  if (op.cap > 0 && others.size() >= op.cap) return Said::at_cap;
  return std::nullopt;
}

Answer Universe::answer(Reply reply) const {
  switch (reply.said) {
    case Said::none: return {};
    case Said::found: return Found{seen(reply.record).record};
    case Said::absent: return Absent{};
    case Said::done: return Done{};
    case Said::taken: return Taken{seen(reply.record).record};
    case Said::conflict: return Conflict{seen(reply.record).record};
    case Said::gone: return Gone{};
    case Said::removed: return Removed{seen(reply.record).record};
    case Said::lost: return Lost{};
    case Said::revoked: return Refused{Refused::Why::revoked};
    case Said::at_cap: return Refused{Refused::Why::at_cap};
    case Said::epochs: return EpochsSeen{reply.record, 0};
    case Said::sessions: {
      Sessions sessions;
      for (const auto& [key, record] : rows(reply.record)) sessions.found.push_back({names.key(key), seen(record).record});
      return sessions;
    }
  }
  return {};
}

// ## For schedules

std::string Universe::show_record(No no) const {
  const Seen& s = seen(no);
  std::string out(to_string(s.record.state));
  out += " v" + std::to_string(s.record.version.commits());
  if (!s.slots.a.empty()) out += " a=" + s.slots.a;
  if (!s.slots.b.empty()) out += " b=" + s.slots.b;
  if (s.slots.n) out += " n=" + std::to_string(*s.slots.n);
  if (s.payload.successor) out += " -> " + names.label(s.successor);
  constexpr std::string_view why[] = {"", " (logout)", " (login)", " (reauth)", " (empty)"};
  out += why[static_cast<std::size_t>(s.payload.why)];
  if (s.payload.used) out += s.over ? " over" : " used";
  return out;
}

std::string Universe::show(No no) const {
  constexpr std::string_view verbs[] = {"the handler runs", "load ", "create ", "commit ", "touch ", "erase ",
                                        "epochs of U", "find sessions of U"};
  const auto& op = operations_[no];
  auto out = std::string(verbs[static_cast<std::size_t>(op.verb)]);
  if (op.verb == Verb::pause) return out;
  if (op.verb == Verb::epochs || op.verb == Verb::find) return out + std::to_string(op.record);
  out += names.label(op.key);
  if (op.verb == Verb::commit) out += " v" + std::to_string(op.expected.commits()) + " =>";
  if (op.verb == Verb::commit || op.verb == Verb::create) out += " " + show_record(op.record);
  return out;
}

std::string Universe::show(Reply reply) const {
  constexpr std::string_view words[] = {"", "found", "absent", "done", "taken", "conflict", "gone", "removed", "answer lost", "revoked", "at the cap", "epoch", "sessions"};
  auto out = std::string(words[static_cast<std::size_t>(reply.said)]);
  switch (reply.said) {
    case Said::found: case Said::taken: case Said::conflict: case Said::removed: return out + " (" + show_record(reply.record) + ")";
    default: return out;
  }
}

}  // namespace sancho::proof
