// # Telling two machines apart
//
// Two histories that lead a machine to the same place with the same members
// have led it to the same state: whatever comes next, it does the same. The
// explorer rests on that, so a fingerprint holds *every* member of a machine,
// as bytes. The structured bindings see to it: a member that is added to a
// machine does not compile here until it is named.
#pragma once

#include <string>

#include "protocol/request.hpp"

namespace sancho::protocol {

struct Inspect {
  template <class F> static void each(const CreateOne& m, F& f) {
    const auto& [done, now, refused, doubt, at, key, record, payload, admission, attempt, op] = m;
    f(done, now, refused, doubt, at, key, record, payload, admission, attempt, op);
  }
  template <class F> static void each(const CommitOne& m, F& f) {
    const auto& [verdict, now, at, key, expected, record, payload, claim, attempt, doubt, op] = m;
    f(verdict, now, at, key, expected, record, payload, claim, attempt, doubt, op);
  }
  template <class F> static void each(const Settle& m, F& f) {
    const auto& [record, at, key, named, activate, op] = m;
    f(record, at, key, named, activate, op);
  }
  template <class F> static void each(const Follow& m, F& f) {
    const auto& [hand, replayed, at, begun, settle, op] = m;
    f(hand, replayed, at, begun, settle, op);
  }
  template <class F> static void each(const Open& m, F& f) {
    const auto& [hand, replayed, at, settle, follow, op] = m;
    f(hand, replayed, at, settle, follow, op);
  }
  template <class F> static void each(const FirstUse& m, F& f) {
    const auto& [hand, at, predecessor, commit, follow, op] = m;
    f(hand, at, predecessor, commit, follow, op);
  }
  template <class F> static void each(const Save& m, F& f) {
    const auto& [hand, outcome, attempt, merges, at, delta, claim, first, commit, follow] = m;
    f(hand, outcome, attempt, merges, at, delta, claim, first, commit, follow);
  }
  template <class F> static void each(const End& m, F& f) {
    const auto& [ended, begun, at, key, now, commit, op] = m;
    f(ended, begun, at, key, now, commit, op);
  }
  template <class F> static void each(const LogOut& m, F& f) {
    const auto& [at, presented, open] = m;
    f(at, presented, open);
  }
  template <class F> static void each(const Rotate& m, F& f) {
    const auto& [hand, outcome, rotated, merges, at, delta, nonce, decided, next, create, commit, follow, save, op] = m;
    f(hand, outcome, rotated, merges, at, delta, nonce, decided, next, create, commit, follow, save, op);
  }
  template <class F> static void each(const Replace& m, F& f) {
    const auto& [hand, opened, outcome, decided, at, why, heir, terms, next, enter, commit, follow, op] = m;
    f(hand, opened, outcome, decided, at, why, heir, terms, next, enter, commit, follow, op);
  }
  template <class F> static void each(const Fresh& m, F& f) {
    const auto& [opened, outcome, at, heir, terms, id, enter] = m;
    f(opened, outcome, at, heir, terms, id, enter);
  }
  template <class F> static void each(const Enter& m, F& f) {
    const auto& [done, now, refused, evicted, at, key, record, payload, terms, subject, handle, giving_way, sessions, removed, in_vain, create, close, end, op] = m;
    f(done, now, refused, evicted, at, key, record, payload, terms, subject, handle, giving_way, sessions, removed, in_vain, create, close, end, op);
  }
  template <class F> static void each(const Begin& m, F& f) {
    const auto& [seat, replayed, at, open, first_use] = m;
    f(seat, replayed, at, open, first_use);
  }
  template <class F> static void each(const Finish& m, F& f) {
    const auto& [outcome, hand, cookie, delete_cookie, created, rotated, touched, merges, at, seat, intent, first,
                 fresh, replace, rotate, save, commit, follow, open, op] = m;
    f(outcome, hand, cookie, delete_cookie, created, rotated, touched, merges, at, seat, intent, first, fresh, replace,
      rotate, save, commit, follow, open, op);
  }

  // ## What machines hold
  template <class F> static void each(const Hand& m, F& f) {
    const auto& [id, key, record] = m;
    f(id, key, record);
  }
  template <class F> static void each(const Seat& m, F& f) {
    const auto& [presented, saw, hand, alone, overtaken] = m;
    f(presented, saw, hand, alone, overtaken);
  }
  template <class F> static void each(const Intent& m, F& f) {
    const auto& [delta, has_info, touch, rotate, replace, terms, heir] = m;
    f(delta, has_info, touch, rotate, replace, terms, heir);
  }
  template <class F> static void each(const Heir& m, F& f) { f(m.record, m.payload, m.secret); }
  template <class F> static void each(const Delta& m, F& f) {
    const auto& [slots, made, removed, given_back, user] = m;
    f(slots, made, removed, given_back, user);
  }
  template <class F> static void each(const Amendment& m, F& f) { f(m.record, m.attempt); }
  template <class F> static void each(const SlotChange& m, F& f) {
    const auto& [name, base, mine, merge] = m;
    f(name, base, mine, merge.kind, merge.bound, bool(merge.function));
  }
  template <class F> static void each(const Payload& m, F& f) {
    const auto& [attempts, spent, predecessor, successor, nonce, used, why, issued, authenticated, persistent, address,
                 agent, user, tokens, csrf, slots, unknown] = m;
    f(attempts, spent, predecessor, successor, nonce, used, why, issued, authenticated, persistent, address, agent, user,
      tokens, csrf, slots, unknown);
  }
  template <class F> static void each(const Spent& m, F& f) { f(m.token, m.attempt); }
  template <class F> static void each(const SlotBytes& m, F& f) { f(m.name, m.value); }
  template <class F> static void each(const Load& m, F& f) { f(m.key); }
  template <class F> static void each(const Create& m, F& f) { f(m.key, m.record, m.admission); }
  template <class F> static void each(const AskEpochs& m, F& f) { f(m.subject); }
  template <class F> static void each(const Find& m, F& f) { f(m.subject); }
  template <class F> static void each(const KeyedRecord& m, F& f) { f(m.key, m.record); }
  template <class F> static void each(const Admission& m, F& f) { f(m.seen, m.cap); }
  template <class F> static void each(const EpochsSeen& m, F& f) { f(m.subject, m.everyone); }
  template <class F> static void each(const Terms& m, F& f) { f(m.cap, m.at_cap, m.seen); }
  template <class F> static void each(const Commit& m, F& f) { f(m.key, m.expected, m.record); }
  template <class F> static void each(const Touch& m, F& f) { f(m.key, m.incarnation, m.accessed); }
  template <class F> static void each(const Erase& m, F& f) { f(m.key, m.expected); }
};

}  // namespace sancho::protocol

namespace sancho::proof {

// Collects values as bytes, each so that none can be taken for another.
class Fingerprint {
 public:
  template <class... T>
  void operator()(const T&... values) { (add(values), ...); }
  std::string take() && { return std::move(out_); }

 private:
  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void add(T v) { out_.append(reinterpret_cast<const char*>(&v), sizeof v); }
  void add(std::string_view v) { add(v.size()), out_.append(v); }
  void add(const std::string& v) { add(std::string_view(v)); }
  void add(Time v) { add(v.time_since_epoch().count()); }
  void add(const Handle& v) { add(v.text()); }
  void add(Version v) { add(v.incarnation), add(v.counter); }
  void add(const SessionId& v) { add(std::string_view(v.reveal())); }
  void add(const SessionKey& v) { out_.append(v.bytes()); }
  void add(const Record& v) { add(std::string_view(encode_record(v))); }
  void add(std::monostate) {}
  template <std::size_t N>
  void add(const std::array<std::byte, N>& v) { out_.append(reinterpret_cast<const char*>(v.data()), N); }
  template <class T>
  void add(const std::optional<T>& v) {
    add(v.has_value());
    if (v) add(*v);
  }
  template <class T>
  void add(const std::vector<T>& v) {
    add(v.size());
    for (const auto& each : v) add(each);
  }
  template <class... T>
  void add(const std::variant<T...>& v) {
    add(v.index());
    std::visit([&](const auto& held) { add(held); }, v);
  }
  template <class T>
    requires requires(const T& v, Fingerprint& f) { protocol::Inspect::each(v, f); }
  void add(const T& v) { protocol::Inspect::each(v, *this); }

  std::string out_;
};

}  // namespace sancho::proof
