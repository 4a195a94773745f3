// What a request can still do while its store is out of order.
#include <algorithm>

#include "session/scope_state.hpp"

namespace sancho {

bool ScopeBase::can_read() const { return !state_->blind; }

bool ScopeBase::can_write() const {
  const auto& s = *state_;
  if (s.blind || s.write_failed) return false;
  const auto* known = s.manager.health();
  return !known || known->can_write();
}

void ScopeBase::must_have_read(const char* what) const {
  if (state_->blind)
    throw StoreError(Trouble::unavailable, state_->manager.store_name() +
                                               ": the session could not be read when this request began: " + what);
}

// A conflict or a corrupt record says nothing about the next write.
void ScopeBase::note_trouble(const StoreError& error) {
  const auto kind = error.kind();
  if (kind == Trouble::unavailable || kind == Trouble::full || kind == Trouble::refused || kind == Trouble::in_doubt)
    state_->write_failed = true;
}

namespace {
// Messages that have been shown: they may well be shown again.
bool only_takes_flashes(const protocol::Delta& delta) {
  const bool slots_alone = !delta.concerns_tokens() && !delta.user;
  return slots_alone && std::all_of(delta.slots.begin(), delta.slots.end(), [](const auto& slot) {
    return slot.name == "_flash" && slot.mine.empty();
  });
}
}  // namespace

// The page was read from the store and is right, whether this is saved or not:
// the access time, an id that was due for renewal. A policy that reckons with
// outages counts more as such.
bool ScopeBase::is_upkeep(const protocol::Intent& intent) const {
  const auto& s = *state_;
  if (intent.replace || s.session->renew_id_) return false;
  if (s.manager.policy().outage == Outage::fail_closed) return intent.delta.empty() && intent.has_info;
  return intent.delta.empty() || only_takes_flashes(intent.delta);
}

void ScopeBase::spare_upkeep(protocol::Intent& intent) const {
  if (!state_->seat.hand) return;
  const bool nothing = intent.delta.empty() && !intent.touch && !intent.rotate && intent.has_info;
  if (nothing) return;
  intent.delta.slots.clear();
  intent.touch = intent.rotate = false;
  intent.has_info = true;
  report(EventKind::served_read_only);
}

}  // namespace sancho
