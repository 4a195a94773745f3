// What a request asks of its store, each as a task: what it begins with, which
// machines it takes, and what becomes of their outcome or of their trouble.
#pragma once

#include "base/spare.hpp"
#include "session/scope_state.hpp"
#include "session/task.hpp"

namespace sancho {

// What they have in common. A task stays where it was made.
class ScopeBase::Task {
 public:
  explicit Task(ScopeBase& scope) : scope_(scope), s_(*scope.state_) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  bool plain() const { return false; }
  Deadline until() const { return s_.manager.deadline(); }
  const char* done_already() const { return nullptr; }

 protected:
  // True for the first time.
  bool first() { return !std::exchange(begun_, true); }

  // Made when a machine needs it: the clock is read then.
  protocol::Env& env() {
    if (!env_) env_.emplace(s_.env(rules_.emplace(s_.rules())));
    return *env_;
  }

  ScopeBase& scope_;
  State& s_;

 private:
  std::optional<protocol::Rules> rules_;
  std::optional<protocol::Env> env_;
  bool begun_ = false;
};

// The session that the request's cookie opens.
class ScopeBase::Entering : public Task {
 public:
  // Looking the record up before a machine asks for anything: mostly that is all. Small,
  // unlike the task, for those who keep it while they wait.
  class FirstLook {
   public:
    explicit FirstLook(ScopeBase& scope) : scope_(scope), s_(*scope.state_) {}
    // False: the request has no id, and nothing is to be looked up.
    bool due();
    Deadline until() const { return s_.manager.deadline(); }
    const SessionKey& key();
    // Where the record is to be put; then `looked` says whether that was all.
    Record& place() { return *s_.seat.hand->record; }
    bool looked(bool found);
    // The last thing, once it is known whose session it is.
    void settle();

   private:
    friend class Entering;
    ScopeBase& scope_;
    State& s_;
    std::optional<protocol::Answer> met_;
  };

  // What a look that was due has left over: its first stage is to be run.
  Entering(ScopeBase& scope, FirstLook&& look) : Task(scope), look_(std::move(look)) {}

  bool more();
  const protocol::Op* resume(protocol::Answer& answer);
  void failed(const StoreError& e);

  // All of it, where the thread may wait for the store; without the task, if the look
  // is all.
  static void carry_out_with(SessionStore& store, ScopeBase& scope);

 private:
  static void go_in(SessionStore& store, ScopeBase& scope, FirstLook& look, const StoreError* trouble);
  bool settle();
  FirstLook look_;
  std::optional<protocol::Begin> begin_;
  std::optional<protocol::LogOut> out_;  // an id that came back may end its session
  bool without_ = false;                 // it goes on without a session
};

// The scope's `consume_form_token`, for the digest of the token.
class ScopeBase::Consuming : public Task {
 public:
  using Digest = std::array<std::byte, 16>;
  Consuming(ScopeBase& scope, const Digest& token) : Task(scope), token_(token) {}
  static Digest digest(std::string_view token);

  bool more();
  const protocol::Op* resume(protocol::Answer& answer);
  void failed(const StoreError& e);
  const char* done_already() const { return save_->decided() ? "the form token was consumed already" : nullptr; }
  std::optional<FormClaim> result() { return std::move(claim_); }

 private:
  void settle();
  Digest token_;
  Session* session_ = nullptr;
  std::optional<protocol::Save> save_;
  std::optional<FormClaim> claim_;
};

// The claim is the other way round: the form may be submitted once more.
class ScopeBase::GivingBack : public Task {
 public:
  GivingBack(ScopeBase& scope, const FormClaim& claim);
  bool more();
  const protocol::Op* resume(protocol::Answer& answer);
  void failed(const StoreError&) { throw; }
  const char* done_already() const { return save_->decided() ? "the form token was given back already" : nullptr; }
  bool result() const { return kept_; }

 private:
  std::array<std::byte, 16> token_;
  std::uint64_t attempt_;
  std::optional<protocol::Save> save_;
  bool kept_ = false;
};

// `expire_session`.
class ScopeBase::LoggingOut : public Task {
 public:
  using Task::Task;
  bool more();
  const protocol::Op* resume(protocol::Answer& answer);
  void failed(const StoreError& e);
  const char* done_already() const { return out_->begun() ? half : nullptr; }

  static constexpr const char* half = "the logout is half done: log out once more";

 private:
  std::optional<protocol::LogOut> out_;
};

// What `finish` does, but for the header lines.
class ScopeBase::Saving : public Task {
 public:
  using Task::Task;
  // Nothing is to be saved, and that is settled: no task is needed. Most requests. Else
  // it is to be made next.
  static bool is_needless(ScopeBase& scope);
  // Both, where the thread may wait for the store.
  static void carry_out_with(SessionStore& store, ScopeBase& scope);

  bool more();
  const protocol::Op* resume(protocol::Answer& answer);
  void failed(const StoreError& e);
  const char* done_already() const;

 private:
  static void save(SessionStore& store, ScopeBase& scope);
  bool begin();
  const protocol::Op* go_on(protocol::Answer& answer);
  protocol::Finish& to_finish(std::optional<protocol::Amendment>&& first = {});
  void settle();
  void tell_evicted();
  std::optional<Handle> before_;  // whose session it was
  std::optional<protocol::EndReason> reason_;
  bool upkeep_ = false;
  bool unmergeable_ = false;
  std::optional<protocol::LogOut> out_;  // nobody is left
  std::optional<protocol::Intent> intent_;   // until `finish_` has it
  std::optional<protocol::Op> only_commit_;  // that may be all there is to do
  protocol::Attempt attempt_ = 0;            // its
  bool kept_ = false;                        // it was all
  // Mostly not needed: so it is not part of this, which stands on a stack.
  Roomy<protocol::Finish> finish_;
};

// `begin_login`.
class ScopeBase::Announcing : public Task {
 public:
  Announcing(ScopeBase& scope, std::string subject) : Task(scope), subject_(std::move(subject)) {}
  bool more();
  bool plain() const { return true; }
  const protocol::Op* resume(protocol::Answer& answer) { return epochs_->resume(answer); }
  void failed(const StoreError& e);

 private:
  std::string subject_;
  std::optional<Question> epochs_;
};

// `sessions`.
class ScopeBase::Listing : public Task {
 public:
  using Task::Task;
  bool more();
  bool plain() const { return true; }
  const protocol::Op* resume(protocol::Answer& answer) { return find_->resume(answer); }
  void failed(const StoreError&) { throw; }
  std::vector<SessionInfo> result() { return std::move(all_); }

 private:
  void settle();
  std::optional<Question> find_;
  std::vector<SessionInfo> all_;
};

}  // namespace sancho
