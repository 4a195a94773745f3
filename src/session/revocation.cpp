// Ending sessions from outside of them: a user's, or everybody's.
#include "session/revocation.hpp"

#include <map>
#include <set>

#include "session/manager_tasks.hpp"

namespace sancho {

std::vector<const Record*> one_each(const std::vector<KeyedRecord>& found) {
  std::map<Handle, const Record*> live, pending;
  std::set<Handle> moved;
  for (const auto& [key, record] : found) {
    if (record.state == State::live) live[record.handle] = &record;
    if (record.state == State::pending) pending[record.handle] = &record;
    if (record.state == State::moved) moved.insert(record.handle);
  }
  for (const auto& [handle, record] : pending)
    if (moved.contains(handle)) live.try_emplace(handle, record);
  std::vector<const Record*> out;
  for (const auto& each : live) out.push_back(each.second);
  return out;
}

// What was created under the epoch before is found by who looks afterwards, and
// nothing more will be. So one look is enough.
ManagerBase::Epoch ManagerBase::draw_epoch() {
  // No request lasts longer than tombstones are kept; an hour for the clocks.
  return {options_.random.draw_u64() | 1, options_.clock.now() + policy_.keep_ended + std::chrono::hours(1)};
}

void ManagerBase::must_find_by_subject() const {
  if (!has_subjects()) throw StoreError(Trouble::refused, store_name() + ": this store cannot find sessions by their user");
}

// ## Many

void ManagerBase::Ending::begin_round(std::vector<KeyedRecord> found) {
  found_ = std::move(found);
  at_ = 0;
  before_ = ended_;
  sessions_.clear();
  for (const auto* session : one_each(found_)) sessions_[session->handle] = session;
}

const KeyedRecord* ManagerBase::Ending::next() {
  while (at_ < found_.size())
    if (const auto& keyed = found_[at_++]; chosen_(keyed)) return &keyed;
  return nullptr;
}

void ManagerBase::Ending::ended(const KeyedRecord& keyed) {
  const auto session = sessions_.find(keyed.record.handle);
  if (session == sessions_.end()) return;
  count_one(*session->second);
  sessions_.erase(session);
}

void ManagerBase::Ending::count_one(const Record& record) {
  ++ended_;
  manager_.report(EventKind::revoked, record.handle, record.subject, {});
}

std::size_t ManagerBase::Ending::count() const {
  if (trouble_ && ended_ == 0) throw *trouble_;
  if (trouble_) throw in_doubt_after(*trouble_, "not all of the sessions could be ended: try again");
  return ended_;
}

// ## One

ManagerBase::EndingOne::EndingOne(Ending& ending, const KeyedRecord& keyed)
    : ending_(ending),
      keyed_(keyed),
      until_(ending.manager().deadline()),
      env_(ending.manager().env(ending.manager().parts_->rules)),
      end_(keyed.key, keyed.record) {}

bool ManagerBase::EndingOne::more() {
  switch (stage_) {
    case Stage::before: stage_ = Stage::ending; return true;
    case Stage::ending: ended_ = end_.begun; break;
    case Stage::erasing:
      if (erase_) {
        ended_ = std::holds_alternative<Removed>(erase_->answer());
        break;
      }
      erase_.emplace(protocol::Erase{keyed_.key, keyed_.record.version});
      return true;
    case Stage::over: break;
  }
  return false;
}

const protocol::Op* ManagerBase::EndingOne::resume(protocol::Answer& answer) {
  return erase_ ? erase_->resume(answer) : end_.resume(env_, answer);
}

void ManagerBase::EndingOne::failed(const StoreError& e) {
  if (stage_ == Stage::ending && !protocol::is_readable(keyed_.record)) {
    ending_.manager().report(EventKind::record_corrupt, keyed_.record.handle, keyed_.record.subject, e.what());
    stage_ = Stage::erasing;
    return;
  }
  ending_.trouble(e);
  stage_ = Stage::over;
}

// ## Is somebody at the door?

ManagerBase::Knocking::Knocking(ManagerBase& manager, const Request& request, bool must_exist)
    : manager_(manager), must_exist_(must_exist), env_(manager.env(manager.parts_->rules)), begin_(std::nullopt) {
  begin_.seat.presented = presented(manager.policy(), {}, request).id();
  answer_ = begin_.seat.presented.has_value();
}

const protocol::Op* ManagerBase::Knocking::resume(protocol::Answer& answer) { return begin_.resume(env_, answer); }

void ManagerBase::Knocking::failed(const StoreError& e) {
  // What cannot be read opens nothing.
  if (e.kind() != Trouble::corrupt) throw;
  begin_.seat.hand.reset();
}

}  // namespace sancho
