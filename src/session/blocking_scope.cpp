// The scope of a request whose thread waits for the store.
#include "sancho/manager.hpp"
#include "session/revocation.hpp"
#include "session/runner.hpp"
#include "session/scope_tasks.hpp"

namespace sancho {

RequestScopeBase::RequestScopeBase(SessionManagerBase& manager, const Request& request)
    : ScopeBase(manager, request), manager_(manager), thread_(std::this_thread::get_id()) {
  Entering::carry_out_with(manager.store(), *this);
}

RequestScopeBase::~RequestScopeBase() {
  if (!is_over()) go_away(!is_thrown_away());
}

std::optional<Misuse> RequestScopeBase::out_of_turn() const {
  if (std::this_thread::get_id() == thread_) return std::nullopt;
  return Misuse{Rule::on_its_thread, "rule broken: a session is used from another thread than its request's"};
}

std::optional<FormClaim> RequestScopeBase::consume(std::string_view token) {
  Consuming consuming(*this, Consuming::digest(token));
  carry_out(consuming, manager_.store());
  return consuming.result();
}

bool RequestScopeBase::give_back(const FormClaim& claim) {
  GivingBack giving(*this, claim);
  carry_out(giving, manager_.store());
  return giving.result();
}

void RequestScopeBase::expire_session() {
  LoggingOut out(*this);
  carry_out(out, manager_.store());
}

void RequestScopeBase::begin_login(std::string_view subject) {
  Announcing announcing(*this, std::string(subject));
  carry_out(announcing, manager_.store());
}

std::vector<SessionInfo> RequestScopeBase::sessions() const {
  Listing listing(const_cast<RequestScopeBase&>(*this));
  carry_out(listing, manager_.store());
  return listing.result();
}

bool RequestScopeBase::end_session(const Handle& handle) {
  if (own_handle() == handle) {
    expire_session();
    return true;
  }
  const auto subject = acting_for();
  if (subject.empty()) return false;
  return manager_.end_chosen(
             subject, [&](const KeyedRecord& k) { return k.record.handle == handle; }, manager_.deadline()) > 0;
}

std::size_t RequestScopeBase::end_other_sessions() {
  const auto mine = own_handle();
  const auto subject = acting_for();
  if (subject.empty()) return 0;
  // A login of this very request goes on under the new epoch; but not one that
  // has lost already, because somebody else has changed it since.
  auto* epochs = manager_.store().epochs();
  auto* seen = epochs ? announced(subject) : nullptr;
  const bool holds = seen && epochs->epochs(subject, manager_.deadline()) == *seen;
  const auto epoch = manager_.change_epoch(subject, manager_.deadline());
  if (holds && epoch) seen->subject = *epoch;
  return manager_.end_chosen(
      subject, [&](const KeyedRecord& k) { return k.record.handle != mine; }, manager_.deadline());
}

// ## The end

void RequestScopeBase::maintain() { Saving::carry_out_with(manager_.store(), *this); }

HeaderLines RequestScopeBase::finish() {
  must_not_be_over();
  try {
    maintain();
  } catch (...) {
    give_up();
    throw;
  }
  return leave();
}

}  // namespace sancho
