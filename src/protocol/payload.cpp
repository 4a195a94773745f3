// What a payload holds, and how it is written.
#include "protocol/payload.hpp"

#include <algorithm>

#include "protocol/payload_writer.hpp"
#include "sancho/msgpack.hpp"

namespace sancho::protocol {

// ## Slots by name

namespace {
auto place(auto& slots, std::string_view name) {
  return std::lower_bound(slots.begin(), slots.end(), name, [](const SlotBytes& s, std::string_view n) { return s.name < n; });
}
}  // namespace

SlotBytes* Payload::find(std::string_view name) {
  const auto at = place(slots, name);
  return at != slots.end() && at->name == name ? &*at : nullptr;
}

const SlotBytes* Payload::find(std::string_view name) const {
  const auto at = place(slots, name);
  return at != slots.end() && at->name == name ? &*at : nullptr;
}

void Payload::put(std::string_view name, std::string value) {
  const auto at = place(slots, name);
  if (at != slots.end() && at->name == name) at->value = std::move(value);
  else slots.insert(at, {std::string(name), std::move(value)});
}

void Payload::drop(std::string_view name) {
  const auto at = place(slots, name);
  if (at != slots.end() && at->name == name) slots.erase(at);
}

// ## Writing

namespace {
// What a payload that owns its parts has of them.
class Owned {
 public:
  explicit Owned(const Payload& p) : p_(p) {}

  std::size_t pairs() const {
    std::size_t pairs = 0;
    for (const bool there : {!p_.attempts.empty(), !p_.spent.empty(), !p_.user.empty(), !p_.tokens.empty(), !p_.slots.empty()}) pairs += there;
    for (Unpacker u(p_.unknown); !u.done(); ++pairs) u.value(), u.value();
    return pairs;
  }
  std::size_t room() const {
    std::size_t size = 8 * p_.attempts.size() + 24 * p_.spent.size() + 16 * p_.tokens.size() + p_.user.size() + p_.unknown.size();
    for (const auto& s : p_.slots) size += s.name.size() + s.value.size() + 5;
    return size;
  }
  void attempts(Writer& out) const {
    if (p_.attempts.empty()) return;
    out.text("attempts"), out.binary_head(8 * p_.attempts.size());
    for (const auto a : p_.attempts) out.raw(EightBytes(a));
  }
  void spent(Writer& out) const {
    if (p_.spent.empty()) return;
    out.text("spent"), out.binary_head(24 * p_.spent.size());
    for (const auto& s : p_.spent) out.raw(bytes_of(s.token)), out.raw(EightBytes(s.attempt));
  }
  void user(Writer& out) const {
    if (!p_.user.empty()) out.text("user"), out.raw(p_.user);
  }
  void tokens(Writer& out) const {
    if (p_.tokens.empty()) return;
    out.text("tokens"), out.binary_head(16 * p_.tokens.size());
    for (const auto& t : p_.tokens) out.raw(bytes_of(t));
  }
  void slots(Writer& out) const {
    if (p_.slots.empty()) return;
    out.text("slots"), out.map(p_.slots.size());
    for (const auto& s : p_.slots) out.text(s.name), out.raw(s.value);
  }
  void unknown(Writer& out) const { out.raw(p_.unknown); }

 private:
  const Payload& p_;
};
}  // namespace

std::string seal(const Record& record, const Payload& p) { return write_sealed(record, p, Owned(p)); }

// ## The CSRF secret at rest

Secret32 csrf_mask(const SessionId& id) { return id.mac("sancho csrf at rest"); }

Secret32 operator^(const Secret32& a, const Secret32& b) {
  Secret32 out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] ^ b[i];
  return out;
}

}  // namespace sancho::protocol
