// What a manager asks of its store beside requests.
#pragma once

#include <map>

#include "session/scope_state.hpp"
#include "session/task.hpp"

namespace sancho {

// Is there a session behind the request's cookie? `has_session_cookie`.
class ManagerBase::Knocking {
 public:
  Knocking(ManagerBase& manager, const Request& request, bool must_exist);

  bool more() { return answer_ && must_exist_ && !std::exchange(begun_, true); }
  bool plain() const { return false; }
  Deadline until() const { return manager_.deadline(); }
  const protocol::Op* resume(protocol::Answer& answer);
  void failed(const StoreError& e);
  const char* done_already() const { return nullptr; }
  bool result() const { return answer_ && (!must_exist_ || begin_.seat.hand); }

 private:
  ManagerBase& manager_;
  bool must_exist_;
  bool answer_ = false;
  bool begun_ = false;
  protocol::Env env_;
  protocol::Begin begin_;
};

// Ending many sessions. One that cannot be ended keeps none of the others.
class ManagerBase::Ending {
 public:
  using Chosen = std::function<bool(const KeyedRecord&)>;
  explicit Ending(ManagerBase& manager, Chosen chosen = {}) : manager_(manager), chosen_(std::move(chosen)) {}

  // ## Those of one user
  //
  // A round goes over all that was found, and without epochs there is another
  // as long as there was something to end: a login that was in flight may have
  // arrived.
  void begin_round(std::vector<KeyedRecord> found);
  // The next one to be ended in this round; null: none.
  const KeyedRecord* next();
  // It was this call that ended it.
  void ended(const KeyedRecord& keyed);
  bool another_round() const { return !trouble_ && !manager_.has_epochs() && ended_ > before_; }

  // ## And everybody's

  // A tombstone is looked at too: a reauthentication may have led on from it to
  // a record that the walk has passed already.
  static bool to_be_ended(const KeyedRecord& found) { return found.record.state != State::note; }
  void ended_on_the_way(const KeyedRecord& keyed) {
    if (keyed.record.state == State::live) count_one(keyed.record);
  }

  // How many; throws what was in the way.
  std::size_t count() const;
  bool begun() const { return ended_ > 0 || trouble_.has_value(); }
  void trouble(const StoreError& e) {
    if (!trouble_) trouble_ = e;
  }
  ManagerBase& manager() const { return manager_; }

 private:
  void count_one(const Record& record);

  ManagerBase& manager_;
  Chosen chosen_;
  std::vector<KeyedRecord> found_;
  std::size_t at_ = 0;
  std::map<Handle, const Record*> sessions_;  // of this round, those that are not ended yet
  std::size_t ended_ = 0, before_ = 0;
  std::optional<StoreError> trouble_;
};

// One of them. What cannot be read (damaged, or of a newer version) is removed
// as it is: a session that a newer program would open must not outlive the end
// of all.
class ManagerBase::EndingOne {
 public:
  EndingOne(Ending& ending, const KeyedRecord& keyed);

  bool more();
  bool plain() const { return erase_.has_value(); }
  Deadline until() const { return until_; }
  const protocol::Op* resume(protocol::Answer& answer);
  void failed(const StoreError& e);
  const char* done_already() const {
    return end_.begun || ending_.begun() ? "some of the sessions have ended already" : nullptr;
  }
  // Was it this call that ended it?
  bool result() const { return ended_; }

 private:
  Ending& ending_;
  const KeyedRecord& keyed_;
  const Deadline until_;
  protocol::Env env_;
  protocol::End end_;
  std::optional<Question> erase_;
  enum class Stage { before, ending, erasing, over } stage_ = Stage::before;
  bool ended_ = false;
};

}  // namespace sancho
