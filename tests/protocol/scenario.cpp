#include "scenario.hpp"

#include <algorithm>
#include <stdexcept>

namespace sancho::proof {

using namespace protocol;

namespace {
struct Base {
  Record record;
  Payload payload;
};

Base base(char incarnation, std::string_view subject) {
  Base b;
  b.record.version = {static_cast<std::uint64_t>(incarnation), 0};
  b.record.created = b.record.accessed = now - std::chrono::minutes(10);
  b.record.idle = std::chrono::hours(1);
  b.record.ends = now + std::chrono::hours(24);
  b.record.subject = subject;
  b.record.handle = handle_of("h0");
  b.payload.attempts = {1};
  b.payload.issued = b.record.created;
  b.payload.slots = {{"a", packed_text("0")}, {"n", packed_number(0)}};
  b.payload.tokens = {the_token};
  b.payload.csrf = Secret32{};
  b.payload.csrf->fill(std::byte{'0'});
  if (!subject.empty()) b.payload.user = packed_text(subject);
  return b;
}

Payload stripped(const Payload& p) {
  Payload out;
  out.attempts = p.attempts;
  out.issued = p.issued;
  return out;
}

Base moved(Base b, const SessionKey& to, const Nonce& nonce) {
  b.record.state = State::moved;
  b.record.version = b.record.version.after(0);
  b.payload = stripped(b.payload);
  b.payload.successor = to;
  b.payload.nonce = nonce;
  return b;
}

Base ended(Base b, EndReason why, std::optional<SessionKey> to = {}) {
  b.record.state = State::ended;
  b.record.version = b.record.version.after(0);
  b.payload = stripped(b.payload);
  b.payload.successor = to;
  b.payload.why = why;
  return b;
}

Base pending(Base b, const SessionKey& from) {
  b.record.state = State::pending;
  b.payload.predecessor = from;
  return b;
}

No sealed(Universe& u, Base b, const SessionId& id) {
  if (b.payload.csrf) b.payload.csrf = *b.payload.csrf ^ csrf_mask(id);
  b.record.payload = seal(b.record, b.payload);
  return u.record(b.record);
}
}  // namespace

Start start(Universe& u, std::string_view name) {
  const auto nonce = nonce_of('0');
  const auto x = id_of('X'), y = x.successor(nonce), z = id_of('Z');
  const IdNo X = u.names.add(x, "X"), Y = u.names.add(y, "X/0"), Z = u.names.add(z, "Z");
  u.names.drew_nonce(nonce, "0");
  const auto &xk = u.names.key(X), &yk = u.names.key(Y), &zk = u.names.key(Z);
  const auto store = [&](std::optional<Base> at_x, std::optional<Base> at_y = {}, std::optional<Base> at_z = {}) {
    No s = 0;
    if (at_x) s = u.put(s, X, sealed(u, *at_x, x));
    if (at_y) s = u.put(s, Y, sealed(u, *at_y, y));
    if (at_z) s = u.put(s, Z, sealed(u, *at_z, z));
    return s;
  };
  const auto anonymous = base('i', ""), user = base('i', "U1"), next = base('j', "U1");
  auto met = next;  // the successor, before its first use
  met.payload.predecessor = xk;
  if (name == "nothing") return {name, 0, 0, {0}};
  if (name == "anonymous") return {name, store(anonymous), X, {X}};
  if (name == "elsewhere") return {name, store(user), 0, {0}};
  if (name == "user") return {name, store(user), X, {X}};
  if (name == "rotated") return {name, store(moved(user, yk, nonce), met), X, {X, Y}};
  if (name == "rotated, used") {
    auto old = moved(user, yk, nonce);
    old.payload.used = now;
    return {name, store(old, next), Y, {X, Y}};
  }
  if (name == "half rotated") return {name, store(moved(user, yk, nonce), pending(next, xk)), X, {X}};
  if (name == "undecided") return {name, store(user, pending(next, xk)), X, {X}};
  if (name == "ghost") return {name, store(ended(user, EndReason::logout), pending(next, xk)), X, {X}};
  if (name == "logged out") return {name, store(ended(anonymous, EndReason::logout)), X, {X}};
  if (name == "emptied") return {name, store(ended(anonymous, EndReason::empty)), X, {X}};
  if (name == "only a" || name == "only token") {
    auto little = anonymous;
    if (name == "only a") little.payload.tokens.clear(), little.payload.slots.pop_back();
    else little.payload.slots.clear();
    return {name, store(little), X, {X}};
  }
  if (name == "half logged in") {
    auto heir = pending(base('k', "U1"), xk);
    heir.record.handle = handle_of("hZ");
    heir.payload.user_agent = "h0";
    heir.payload.csrf->fill(std::byte{'Z'});
    return {name, store(ended(anonymous, EndReason::login, zk), {}, heir), X, {X, Z}};
  }
  throw std::invalid_argument("no such start: " + std::string(name));
}

// ## Scenarios

std::string Scenario::name() const {
  std::string out(start);
  for (std::size_t i = 0; i < does.size(); ++i) out += (i ? " || " : ": ") + std::string(word(does[i]));
  return out + (faults ? ", faults: " + std::to_string(faults) : "");
}

namespace {
// A reauthentication needs a user.
bool sensible(std::string_view start, const std::vector<Does>& does) {
  constexpr std::string_view nobody[] = {"nothing", "anonymous", "logged out", "only a", "emptied", "only token", "elsewhere", "ghost"};
  // The model's epoch changes once.
  if (std::count(does.begin(), does.end(), Does::end_all) > 1) return false;
  return std::find(does.begin(), does.end(), Does::reauth) == does.end() ||
         std::find(std::begin(nobody), std::end(nobody), start) == std::end(nobody);
}

void add(std::vector<Scenario>& out, Scenario s, std::size_t size, std::size_t from, const std::vector<Does>& of) {
  if (s.does.size() == size) {
    if (sensible(s.start, s.does)) out.push_back(std::move(s));
    return;
  }
  for (std::size_t i = from; i < of.size(); ++i) {
    auto next = s;
    next.does.push_back(of[i]);
    add(out, std::move(next), size, i, of);
  }
}
}  // namespace

std::vector<Scenario> all(std::string_view start, std::size_t size, int faults, const std::vector<Does>& of) {
  std::vector<Scenario> out;
  add(out, {start, {}, faults}, size, 0, of);
  return out;
}

std::vector<Does> every_operation() {
  std::vector<Does> out;
  for (std::size_t i = 0; i < operations; ++i) out.push_back(static_cast<Does>(i));
  return out;
}

bool may_empty(std::string_view start, Does does) {
  return does == Does::empty || (start == "only a" && does == Does::erase_a) || (start == "only token" && does == Does::consume);
}

}  // namespace sancho::proof
