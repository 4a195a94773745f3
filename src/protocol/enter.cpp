#include "protocol/enter.hpp"

#include <utility>

#include "protocol/open.hpp"

namespace sancho::protocol {

namespace {
// By what was found of its predecessor: it has ended and does not name this
// record. One that has moved elsewhere, or was empty, proves nothing: a login may
// be about to name its new predecessor, or to go on without one.
bool is_ghost(const Answer& answer, const SessionKey& key) {
  const auto* found = std::get_if<Found>(&answer);
  if (!found) return true;
  if (found->record.state != State::ended || !is_readable(found->record)) return false;
  return PayloadView(found->record).why != EndReason::empty && !names(found->record, key);
}

// With fifty logins at once, each of which ends a session, there are moments with
// none: two looks in vain in a row were seen on a real server.
constexpr int most_in_vain = 100;

bool removed(const Answer& answer) { return std::holds_alternative<Removed>(answer) || std::holds_alternative<Absent>(answer); }
}  // namespace

void Enter::evict_one(const std::vector<KeyedRecord>& sessions) {
  const KeyedRecord* first = nullptr;
  const auto rank = [&](const Record& r) { return terms_->at_cap == AtCap::evict_oldest ? r.created : r.accessed; };
  for (const auto& each : sessions) {
    if (each.record.state == State::moved || each.record.handle == handle_ || !is_readable(each.record)) continue;
    if (!first || rank(each.record) < rank(first->record)) first = &each;
  }
  end_.reset();
  // Nobody: the last one has just gone by itself.
  if (!first) return;
  giving_way_ = first->record.handle;
  end_.emplace(first->key, first->record);
}

// The next record that may hold its place for nobody: a pending one, of which it
// must be asked whether it is one's; and where nobody else can give way, one
// that cannot be read.
bool Enter::suspect() {
  for (; !sessions_.empty(); sessions_.pop_back()) {
    const auto& r = sessions_.back().record;
    if (r.state == State::moved || r.handle == handle_) continue;
    if (!is_readable(r)) {
      if (!end_ && terms_->at_cap != AtCap::refuse) return true;
    } else if (r.state == State::pending && PayloadView(r).predecessor) {
      return true;
    }
  }
  return false;
}

CreateOne Enter::closing(const Env& env) const {
  Record tombstone;
  tombstone.state = State::ended;
  tombstone.created = tombstone.accessed = env.now;
  tombstone.ends = env.now + env.rules.keep_ended;
  tombstone.subject = subject_;
  tombstone.handle = handle_;
  Payload payload;
  payload.why = EndReason::logout;
  payload.issued = env.now;
  return {key_, std::move(tombstone), std::move(payload)};
}

const Op* Enter::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  if (terms_ && !terms_->seen) {
    SANCHO_ASK(AskEpochs{record_.subject});
    terms_->seen = std::get<EpochsSeen>(answer);
  }
  subject_ = record_.subject;
  handle_ = record_.handle;
  create_.emplace(key_, std::move(record_), std::move(payload_),
                  terms_ ? std::optional(Admission{*terms_->seen, terms_->cap}) : std::nullopt);
  while (true) {
    SANCHO_RUN(*create_);
    if (create_->refused != Refused::Why::at_cap) break;
    SANCHO_ASK(Find{subject_});
    sessions_ = std::move(std::get<Sessions>(answer).found);
    evict_one(sessions_);
    // A request that died has left a pending record, which holds a place, and
    // its predecessor can make it nobody's session any more.
    for (removed_ = false; suspect(); sessions_.pop_back()) {
      if (is_readable(sessions_.back().record)) {
        SANCHO_ASK(Load{*PayloadView(sessions_.back().record).predecessor});
        if (!is_ghost(answer, sessions_.back().key)) continue;
      }
      SANCHO_ASK((Erase{sessions_.back().key, sessions_.back().record.version}));
      removed_ = removed_ || removed(answer);
    }
    if (removed_) continue;
    if (terms_->at_cap == AtCap::refuse && end_) break;
    // Who was in the way has gone by itself, or has given way to another login;
    // but not for ever, where the store counts what it does not list.
    if (!end_ && ++in_vain_ == most_in_vain) break;
    if (!end_) continue;
    in_vain_ = 0;
    SANCHO_RUN(*end_);
    if (end_->ended > 0) evicted.push_back(giving_way_);
  }
  if (create_->refused == Refused::Why::at_cap && create_->doubt) {
    close_.emplace(closing(env));
    SANCHO_RUN(*close_);
    if (!close_->done && PayloadView(*close_->now).did(create_->attempt())) {
      done = true;
      now = std::move(close_->now);
      return nullptr;
    }
  }
  done = create_->done;
  refused = create_->refused;
  now = std::move(create_->now);
  SANCHO_END;
}

}  // namespace sancho::protocol
