#include "sweeper.hpp"

#include <utility>

namespace sancho {

// One call: what it was asked, and what it has done so far.
class Sweeper::Call {
 public:
  Call(Sweeper& sweeper, const SweepRequest& request, Deadline deadline)
      : sweeper_(sweeper), request_(request), deadline_(deadline), left_(request.budget + 1000) {}

  // Goes on with a round. True if it came to the round's end.
  bool go_on(Round& round) {
    const auto drafts = [&](std::string_view name) {
      if (Directory::is_draft(name)) sweeper_.directory_.remove_if_abandoned(name);
    };
    const auto limit = left_;
    const auto page = sweeper_.records_.keys_after(round.after, limit, drafts);
    for (const auto& key : page) {
      if (answer_.removed >= request_.budget || deadline_.passed()) return false;
      examine(key);
      round.after = key;
      --left_;
    }
    if (page.size() == limit) return false;
    round.after.reset();
    return true;
  }

  bool has_time() const { return left_ > 0 && answer_.removed < request_.budget && !deadline_.passed(); }

  SweepAnswer finish(bool more) {
    if (answer_.removed > 0) sweeper_.directory_.sync();
    answer_.more = more;
    return std::move(answer_);
  }

 private:
  bool doomed(const Record& record) const {
    if (record.expired(sweeper_.clock_.now())) return true;
    return request_.accessed_before && record.state == State::live && record.accessed < *request_.accessed_before;
  }

  // Looks first, and takes the lock only to look again and remove.
  void examine(const SessionKey& key) {
    const auto look = [&] { return sweeper_.records_.look(key, deadline_); };
    const auto find = [&] { return sweeper_.records_.find(key); };
    if (!doomed_if_readable(look)) return;
    const auto lock = sweeper_.directory_.lock(deadline_);
    const auto found = doomed_if_readable(find);
    if (!found || !sweeper_.records_.remove(key, *found)) return;
    ++answer_.removed;
    if (found->record.state != State::live) return;
    ++answer_.sessions;
    answer_.handles.push_back(found->record.handle);
  }

  // What cannot be read stays, and is in nobody's way.
  template <class Read>
  std::optional<FoundRecord> doomed_if_readable(const Read& read) const {
    try {
      auto found = read();
      if (found && !doomed(found->record)) found.reset();
      return found;
    } catch (const StoreError& e) {
      if (e.kind() != Trouble::corrupt && e.kind() != Trouble::unavailable) throw;
      return std::nullopt;
    }
  }

  Sweeper& sweeper_;
  const SweepRequest& request_;
  Deadline deadline_;
  std::size_t left_;  // files it may still look at
  SweepAnswer answer_;
};

// ## When a round is over
//
// Rounds must get to the end of a large directory even though each call asks
// for a later moment than the one before, so they go on from where the last call
// stopped. A call that has joined a round so has not seen its beginning with its
// own moment. For expired ones it then uses what it may still look at; a round
// for old sessions is not over before it has seen all.
SweepAnswer Sweeper::sweep(const SweepRequest& request, Deadline deadline) {
  const std::unique_lock mutex(mutex_, deadline.at());
  if (!mutex.owns_lock()) throw StoreError(Trouble::contention, directory_.name() + ": others were sweeping until the deadline");
  Call call(*this, request, deadline);
  if (!request.accessed_before) {
    const bool joined = expired_.after.has_value();
    if (!call.go_on(expired_)) return call.finish(true);
    if (joined && call.has_time()) call.go_on(expired_);
    return call.finish(false);
  }
  if (old_.after && old_.before < *request.accessed_before) old_.joined = true;
  old_.before = *request.accessed_before;
  do {
    if (!call.has_time() || !call.go_on(old_)) return call.finish(true);
  } while (std::exchange(old_.joined, false));
  return call.finish(false);
}

}  // namespace sancho
