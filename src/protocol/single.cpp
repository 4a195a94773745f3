#include "protocol/single.hpp"

namespace sancho::protocol {

namespace {
template <class T>
void keep_last(std::vector<T>& list, std::size_t n) {
  if (list.size() > n) list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(n));
}

std::optional<Refused::Why> why_not(const Answer& answer) {
  const auto* refused = std::get_if<Refused>(&answer);
  return refused ? std::optional(refused->why) : std::nullopt;
}
}  // namespace

Record columns_of(const Record& r) {
  return {r.version, r.state, r.created, r.accessed, r.idle, r.ends, r.subject, r.handle, {}};
}

CreateOne::CreateOne(const SessionKey& key, Record&& record, Payload&& payload, const std::optional<Admission>& admission)
    : key_(key), record_(std::move(record)), payload_(std::move(payload)), admission_(admission) {}

const Op* CreateOne::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  attempt_ = env.random.draw_u64();
  payload_.attempts.push_back(attempt_);
  keep_last(payload_.attempts, env.rules.keep_attempts);
  record_.version.incarnation = attempt_;
  record_.payload = seal(record_, payload_);
  SANCHO_ASK((Create{key_, std::move(record_), admission_}));
  while (std::holds_alternative<Lost>(answer) || std::holds_alternative<Refused>(answer)) {
    refused = why_not(answer);
    doubt = doubt || !refused;
    if (refused) SANCHO_REST();
    SANCHO_ASK_AGAIN();
  }
  refused.reset();
  if (std::holds_alternative<Done>(answer)) {
    done = true;
    now = std::move(std::get<Create>(op_).record);
  } else if (auto* taken = std::get_if<Taken>(&answer)) {
    done = PayloadView(taken->current).did(attempt_);
    now = std::move(taken->current);
  }
  SANCHO_END;
}

CommitOne::CommitOne(SessionKey key, const Record& base, Record record, Payload payload, std::optional<TokenDigest> claim)
    : key_(key), expected_(base.version), record_(std::move(record)), payload_(std::move(payload)), claim_(claim) {
  record_.accessed = std::max(record_.accessed, base.accessed);
}

const Op* CommitOne::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  if (payload_) {
    attempt_ = env.random.draw_u64();
    payload_->attempts.push_back(attempt_);
    keep_last(payload_->attempts, env.rules.keep_attempts);
    if (claim_) {
      payload_->spent.push_back({*claim_, attempt_});
      keep_last(payload_->spent, env.rules.keep_spent);
    }
    record_.version = expected_.after(attempt_);
    record_.payload = seal(record_, *payload_);
  }
  SANCHO_ASK((Commit{key_, expected_, std::move(record_)}));
  while (std::holds_alternative<Lost>(answer)) {
    doubt_ = true;
    SANCHO_ASK_AGAIN();
  }
  if (std::holds_alternative<Done>(answer)) {
    verdict = Verdict::done;
    now = std::move(std::get<Commit>(op_).record);
  } else if (std::holds_alternative<Gone>(answer)) {
    verdict = doubt_ ? Verdict::in_doubt : Verdict::gone;
  } else if (auto* conflict = std::get_if<Conflict>(&answer)) {
    now = std::move(conflict->current);
    // "Not done" may be concluded only while the record would still remember.
    // Also where no answer was lost: a store may err in what it says was not done.
    if (PayloadView(*now).did(attempt_)) verdict = Verdict::done;
    else if (doubt_ && (now->version.incarnation != expected_.incarnation || now->version.commits() - expected_.commits() > env.rules.keep_attempts))
      verdict = Verdict::in_doubt;
    else verdict = Verdict::conflict;
  }
  SANCHO_END;
}

}  // namespace sancho::protocol
