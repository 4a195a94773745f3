#include "sancho/slot.hpp"

#include <stdexcept>

#include "base/checks.hpp"
#include "session/scope_state.hpp"

namespace sancho {

SlotBase::SlotBase(Session& session, std::string_view name, SlotOptions options)
    : session_(session), name_(name), options_(std::move(options)), next_(session.slots_) {
  session.check_name(name);
  if (session.declared(name)) throw UsageError("a session class declares the slot '" + name_ + "' twice");
  session.slots_ = this;
}

void SlotBase::erase() {
  const auto held = use();
  forget();
  session_.erase(name_);
}

// Asked at each look at a slot, so the session is not asked in vain.
SessionUse SlotBase::use() const {
  if constexpr (!checks) return SessionUse(nullptr);
  return session_.use();
}

void SessionUse::end() noexcept { scope_->end_use(); }

std::optional<std::string_view> SlotBase::bytes() const { return session_.slot_bytes(name_); }

void SlotBase::put(std::string bytes) { session_.put_slot(name_, std::move(bytes), options_.merge); }

void SlotBase::quarantine(const DecodeError& why) const {
  const auto what = "slot '" + name_ + "' does not decode as its type: " + why.what();
  session_.scope_.report(EventKind::slot_quarantined, what);
  throw DecodeError(what);
}

bool SlotBase::hollow(std::string_view bytes) {
  using namespace std::string_view_literals;
  return bytes.empty() || bytes == "\xc0"sv || bytes == "\xa0"sv || bytes == "\x90"sv || bytes == "\x80"sv || bytes == "\xc4\0"sv;
}

}  // namespace sancho
