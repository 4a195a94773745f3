// # Conversations
//
// What a store asks its servers, one thing after the other, and what it makes of
// the answers: a coroutine that decides and does no I/O. Each time it wants
// something done (a *wish*) it stops. Whoever carries it out, waiting or on an
// event loop, does that, writes down in the wish how it went, and lets it go on:
//
//     auto talk = verbs.load(key, deadline);
//     Floor<Wish> floor(talk);
//     while (auto* wish = floor.next()) {
//       try { do_it(*wish); } catch (...) { floor.fail(std::current_exception()); }
//     }
//     return talk.result();
//
// `Wish` is a `std::variant` of pointers to whatever can be wished for. A
// conversation may await others. It must not outlive what it was given by
// reference, and may be dropped wherever it stands.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/spare_block.hpp"

namespace sancho {

template <class T, class Wish>
class Conversation;

// Who speaks: shared by a conversation and those that it awaits.
template <class Wish>
class Floor {
 public:
  template <class T>
  explicit Floor(Conversation<T, Wish>& talk);
  Floor(const Floor&) = delete;
  Floor& operator=(const Floor&) = delete;

  // Goes on, once the wish before was carried out. Null: it is over.
  const Wish* next() {
    wish_.reset();
    speaker_.resume();
    return wish_ ? &*wish_ : nullptr;
  }
  // Instead: what was wished for comes to this.
  void fail(std::exception_ptr trouble) { trouble_ = std::move(trouble); }

 private:
  template <class>
  friend struct Talk;
  std::coroutine_handle<> speaker_;
  std::optional<Wish> wish_;
  std::exception_ptr trouble_;
};

template <class Wish>
struct Talk : InSpareBlock {
  Floor<Wish>* floor = nullptr;
  std::coroutine_handle<> awaited_by;
  std::exception_ptr trouble;

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Over {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      const auto next = ended.promise().awaited_by;
      return next ? next : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  Over final_suspend() noexcept { return {}; }
  void unhandled_exception() { trouble = std::current_exception(); }

  // Stops until it was carried out.
  struct Wishing {
    Floor<Wish>& floor;
    Wish wish;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> speaker) noexcept {
      floor.speaker_ = speaker;
      floor.wish_ = wish;
    }
    void await_resume() {
      if (floor.trouble_) std::rethrow_exception(std::exchange(floor.trouble_, nullptr));
    }
  };
  template <class W>
    requires std::is_constructible_v<Wish, W*>
  Wishing await_transform(W& wish) {
    return {*floor, &wish};
  }
  template <class T>
  auto await_transform(Conversation<T, Wish>&& other);
};

template <class T, class Wish>
class [[nodiscard]] Conversation {
 public:
  struct promise_type : Talk<Wish> {
    std::optional<T> value;
    Conversation get_return_object() { return Conversation(Handle::from_promise(*this)); }
    template <class U>
    void return_value(U&& result) {
      value.emplace(std::forward<U>(result));
    }
  };
  using Handle = std::coroutine_handle<promise_type>;

  Conversation(Conversation&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Conversation& operator=(Conversation&&) = delete;
  ~Conversation() {
    if (handle_) handle_.destroy();
  }

  // Once it is over, and once. Throws what it has thrown.
  T result() {
    auto& promise = handle_.promise();
    if (promise.trouble) std::rethrow_exception(promise.trouble);
    return *std::move(promise.value);
  }

 private:
  template <class>
  friend class Floor;
  template <class>
  friend struct Talk;
  explicit Conversation(Handle handle) : handle_(handle) {}

  struct Awaiting {
    Conversation talk;
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> by) noexcept {
      talk.handle_.promise().awaited_by = by;
      return talk.handle_;
    }
    T await_resume() { return talk.result(); }
  };

  Handle handle_;
};

template <class Wish>
template <class T>
Floor<Wish>::Floor(Conversation<T, Wish>& talk) : speaker_(talk.handle_) {
  talk.handle_.promise().floor = this;
}

template <class Wish>
template <class T>
auto Talk<Wish>::await_transform(Conversation<T, Wish>&& other) {
  other.handle_.promise().floor = floor;
  return typename Conversation<T, Wish>::Awaiting{std::move(other)};
}

}  // namespace sancho
