// # Slots
//
// A slot is one named value of a session, encoded by itself and decoded when it
// is first touched. Declare slots as members of your session class:
//
//     struct ShopSession : sancho::Session {
//       using Session::Session;
//       sancho::Slot<Cart> cart{*this, "cart"};
//       sancho::Counter visits{*this, "visits"};
//     };
//
// Reading (`*session.cart`, `session.cart->items`) is const and never makes a
// slot dirty. `edit()` gives a reference to write to; at the end of the request
// the encodings are compared, and what is the same is not saved. Where two requests
// have written the same slot, its merge rule decides; here the later cart wins
// (merge.hpp has others, which are given behind the name).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sancho/codec.hpp"
#include "sancho/export.hpp"
#include "sancho/merge.hpp"

namespace sancho SANCHO_EXPORT {

class ScopeBase;
class Session;

// What functions of sessions and slots hold while they work, so that a second
// thread that comes meanwhile is caught (misuse.hpp). Without checks it is
// nothing.
class SessionUse {
 public:
  explicit SessionUse(const ScopeBase* scope) noexcept : scope_(scope) {}
  ~SessionUse() {
    if (scope_) end();
  }
  SessionUse(const SessionUse&) = delete;
  SessionUse& operator=(const SessionUse&) = delete;

 private:
  void end() noexcept;
  const ScopeBase* scope_;
};

struct SlotOptions {
  // What becomes of it when two requests change it.
  Merge merge = {};
  // Does an anonymous visitor's value go along into the session of the user
  // who logs in? What one user left is never carried over to another.
  bool carry_at_login = true;
};

// What all slots have in common. A slot belongs to its session, lives as long,
// and is neither copied nor moved.
class SlotBase {
 public:
  SlotBase(const SlotBase&) = delete;
  SlotBase& operator=(const SlotBase&) = delete;

  const std::string& name() const { return name_; }
  const SlotOptions& options() const { return options_; }
  // Drops the value: it will not be there any more.
  void erase();

 protected:
  SlotBase(Session& session, std::string_view name, SlotOptions options);
  virtual ~SlotBase() = default;

  // A write after the request, or from another thread, would be lost silently.
  [[nodiscard]] SessionUse use() const;
  // The bytes as the session has them now, or nothing.
  std::optional<std::string_view> bytes() const;
  void put(std::string bytes);
  [[noreturn]] void quarantine(const DecodeError& why) const;
  // Is this the encoding of nothing: nil, or a container or text that is empty?
  static bool hollow(std::string_view bytes);

 private:
  friend class Session;
  // Encodes what was edited. Called by the session before it is saved.
  virtual void write_back() = 0;
  virtual void forget() = 0;
  virtual bool holds() const = 0;  // `present`, for the session's `has_info`

  Session& session_;
  std::string name_;
  SlotOptions options_;
  SlotBase* next_ = nullptr;
};

template <Encodable T>
class Slot : public SlotBase {
 public:
  // `name` is the slot's in the record: at most 64 characters, not beginning
  // with an underscore, which is the library's own.
  Slot(Session& session, std::string_view name, SlotOptions options = {}) : SlotBase(session, name, std::move(options)) {}

  // Does it hold something? An empty container or text is nothing; a zero is
  // something. Decodes nothing.
  bool present() const {
    const auto held = use();
    if (edited_ && changed()) return !hollow(encode(*value_));
    const auto now = bytes();
    return now && !hollow(*now);
  }

  // The value; a slot that is absent reads as `T{}`. Throws `DecodeError` if
  // the bytes are not a `T`: the slot is quarantined, and stays as it is until
  // it is assigned or erased. The reference lives until the slot is assigned or
  // the user changes.
  const T& get() const {
    const auto held = use();
    if (!value_) load();
    return *value_;
  }
  const T& operator*() const { return get(); }
  const T* operator->() const { return &get(); }

  // The value, to write to, until the request ends or the user changes.
  T& edit() {
    const auto held = use();
    get();
    if (!edited_) before_ = encode(*value_);
    edited_ = true;
    return *value_;
  }

  // Replaces the value, whatever was there.
  void set(T value) {
    const auto held = use();
    value_ = std::move(value);
    edited_ = assigned_ = true;
  }
  Slot& operator=(T value) {
    set(std::move(value));
    return *this;
  }

 private:
  void load() const {
    const auto now = bytes();
    try {
      if (now) value_ = decode<T>(*now);
      else value_.emplace();
    } catch (const DecodeError& e) {
      quarantine(e);
    }
  }
  void write_back() override {
    if (edited_ && changed()) put(encode(*value_));
  }
  // Looking through `edit()` makes no absent slot, and does not write a value
  // anew in our own words where a newer program's had more fields.
  bool changed() const { return assigned_ || encode(*value_) != before_; }
  bool holds() const override { return present(); }
  void forget() override {
    value_.reset();
    before_.clear();
    edited_ = assigned_ = false;
  }

  mutable std::optional<T> value_;
  std::string before_;  // edited: its encoding until then
  bool edited_ = false;
  bool assigned_ = false;
};

// A number that merges by adding: of two requests that both add one, both count.
class Counter : public Slot<std::int64_t> {
 public:
  Counter(Session& session, std::string_view name, bool carry_at_login = true)
      : Slot(session, name, {.merge = Merge::add(), .carry_at_login = carry_at_login}) {}

  // This request's own view of it.
  std::int64_t value() const { return get(); }
  Counter& operator+=(std::int64_t n) {
    set(get() + n);
    return *this;
  }
  Counter& operator++() { return *this += 1; }
  Counter& operator=(std::int64_t n) {
    set(n);
    return *this;
  }
};

}  // namespace sancho
