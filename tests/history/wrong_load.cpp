// # wrong_load
//
// The load on stores that are wrong on purpose, to see that what they do wrong is
// found. The URI is the name of what is wrong.
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>

#include "../races/wrong_stores.hpp"
#include "load.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::history {
namespace {

using races::Decorated;

// Says that it is done, and it is not: one commit of so many.
class Forgetful : public Decorated {
 public:
  using Decorated::Decorated;
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
    if (r.state == State::live && ++commits_ % 50 == 0) return Done{};
    return inner_->commit(k, v, r, d);
  }

 private:
  std::atomic<unsigned> commits_ = 0;
};

// Fails after it is done, and says that it did nothing.
class FalseAlarm : public Decorated {
 public:
  using Decorated::Decorated;
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
    auto answer = inner_->commit(k, v, r, d);
    if (r.state == State::live && ++commits_ % 50 == 0)
      throw StoreError(Trouble::unavailable, "wrong: it is said to have failed");
    return answer;
  }

 private:
  std::atomic<unsigned> commits_ = 0;
};

// Takes it for absent when it does not know.
class Shrugging : public Decorated {
 public:
  using Decorated::Decorated;
  std::optional<Record> load(const SessionKey& k, Deadline d) override {
    if (++loads_ % 50 == 0) return std::nullopt;
    return inner_->load(k, d);
  }

 private:
  std::atomic<unsigned> loads_ = 0;
};

// Reads from a copy that is behind.
class Lagging : public Decorated {
 public:
  using Decorated::Decorated;
  std::optional<Record> load(const SessionKey& k, Deadline d) override {
    auto now = inner_->load(k, d);
    const std::lock_guard lock(mutex_);
    auto& before = seen_[k];
    std::swap(before, now);
    return before && now && now->state == before->state && ++loads_ % 20 == 0 ? now : before;
  }

 private:
  std::mutex mutex_;
  std::map<SessionKey, std::optional<Record>> seen_;
  unsigned loads_ = 0;
};

// Not wrong at all: the answer to a commit is lost, and when it is asked again the
// store is down, so that the second attempt did certainly not happen. The first
// one did.
class Interrupted : public Decorated {
 public:
  using Decorated::Decorated;
  std::optional<Record> load(const SessionKey& k, Deadline d) override {
    down = 0;
    return inner_->load(k, d);
  }
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
    if (down > 0 && down-- > 0) throw StoreError(Trouble::unavailable, "wrong: nobody listens");
    auto answer = inner_->commit(k, v, r, d);
    if (++commits_ % 50 != 0) return answer;
    down = 3;
    throw StoreError(Trouble::unavailable, "wrong: the answer is lost", true);
  }

 private:
  static thread_local int down;
  std::atomic<unsigned> commits_ = 0;
};
thread_local int Interrupted::down = 0;

// Shows commits before they are durable, and then crashes: what was built upon
// them is forgotten with them. Nothing of that was acknowledged.
class Hasty : public Decorated {
 public:
  using Decorated::Decorated;
  std::optional<Record> load(const SessionKey& k, Deadline d) override {
    const std::lock_guard lock(mutex_);
    return inner_->load(k, d);
  }
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
    std::unique_lock lock(mutex_);
    const auto before = inner_->load(k, d);
    auto answer = inner_->commit(k, v, r, d);
    if (!std::holds_alternative<Done>(answer)) return answer;
    if (shown_ == k) {
      ++upon_it_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !shown_; });
    } else if (!shown_ && r.state == State::live && ++commits_ % 60 == 0) {
      shown_ = k;
      upon_it_ = 0;
      changed_.wait_for(lock, std::chrono::milliseconds(20), [this] { return upon_it_ > 0; });
      inner_->erase(k, std::nullopt, d);
      inner_->create(k, *before, d);
      shown_.reset();
      changed_.notify_all();
    } else {
      return answer;
    }
    throw StoreError(Trouble::unavailable, "wrong: it crashed before it answered", true);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<SessionKey> shown_;
  unsigned upon_it_ = 0, commits_ = 0;
};

std::shared_ptr<SessionStore> open_wrong(const std::string& what) {
  const std::shared_ptr<SessionStore> right = open_memory_store();
  if (what == "nothing") return right;
  if (what == "version_blind") return std::make_shared<races::VersionBlind>(right);
  if (what == "upserting") return std::make_shared<races::Upserting>(right);
  if (what == "forgetful") return std::make_shared<Forgetful>(right);
  if (what == "false_alarm") return std::make_shared<FalseAlarm>(right);
  if (what == "shrugging") return std::make_shared<Shrugging>(right);
  if (what == "lagging") return std::make_shared<Lagging>(right);
  if (what == "hasty") return std::make_shared<Hasty>(right);
  if (what == "interrupted") return std::make_shared<Interrupted>(right);
  throw std::invalid_argument("nobody is wrong like that: " + what);
}

}  // namespace
}  // namespace sancho::history

int main(int count, char** words) { return sancho::history::main_with(sancho::history::open_wrong, count, words); }
