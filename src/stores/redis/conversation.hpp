// # Conversations
//
// What a store asks its servers, one thing after the other, and what it makes of
// the answers: a coroutine that decides and does no I/O. Each time it wants
// something done (a `Wish`) it stops. Whoever carries it out, waiting
// (client.cpp) or on an event loop (async_redis/), does that, hands in how it
// went, and lets it go on:
//
//     auto talk = verbs.load(key, deadline);
//     Floor floor(talk);
//     while (Wish* wish = floor.next()) {
//       try { floor.answer(do_it(*wish)); } catch (...) { floor.fail(std::current_exception()); }
//     }
//     return talk.result();
//
// What is in a wish may be taken out of it. A conversation may await others. It must not outlive what it was given by
// reference, and may be dropped wherever it stands.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/spare_block.hpp"
#include "sancho/store.hpp"
#include "stores/authority.hpp"
#include "stores/redis/broken.hpp"
#include "stores/redis/reply.hpp"

namespace sancho::redis {

// ## What can be wished for

// Commands for one node, one right after the other. The answer is one reply for
// each, or trouble: `Lost`, or `StoreError` where the node shows us the door.
struct Exchange {
  Endpoint to;
  Wire what;
  Deadline until;
  bool aside = false;  // a question who is in charge: to a Sentinel, or any node
  bool waits = false;  // WAIT is among them, and holds up what comes behind it
};

// No answer came.
struct Lost {
  Broken how;
  bool connected = false;  // else nothing was sent
  bool old = false;        // the connection had been in use before
};

// Nothing is done for so long, or until the deadline.
struct Pause {
  Duration length;
  Deadline until;
};

// The next record of a walk, for whoever walks. The answer: go on?
struct Show {
  const KeyedRecord* found = nullptr;
};

using Wish = std::variant<Exchange, Pause, Show>;

// ## The coroutine

template <class T>
class Conversation;

// Who speaks: shared by a conversation and those that it awaits.
class Floor {
 public:
  template <class T>
  explicit Floor(Conversation<T>& talk);
  Floor(const Floor&) = delete;
  Floor& operator=(const Floor&) = delete;

  // Goes on, once the wish before was answered. Null: it is over.
  Wish* next() {
    wish_ = nullptr;
    speaker_.resume();
    return wish_;
  }
  void answer(std::vector<Reply> replies) { replies_ = std::move(replies); }
  void answer(bool on) { on_ = on; }
  void fail(std::exception_ptr trouble) { trouble_ = std::move(trouble); }

 private:
  template <class>
  friend struct Asking;
  std::coroutine_handle<> speaker_;
  Wish* wish_ = nullptr;
  std::vector<Reply> replies_;
  bool on_ = false;
  std::exception_ptr trouble_;
};

// Stops until a wish was answered.
template <class Answer>
struct Asking {
  Floor& floor;
  Wish wish;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> speaker) noexcept {
    floor.speaker_ = speaker;
    floor.wish_ = &wish;
  }
  Answer await_resume() {
    if (floor.trouble_) std::rethrow_exception(std::exchange(floor.trouble_, nullptr));
    if constexpr (std::is_same_v<Answer, bool>) return floor.on_;
    if constexpr (std::is_same_v<Answer, std::vector<Reply>>) return std::move(floor.replies_);
  }
};

struct Talk : InSpareBlock {
  Floor* floor = nullptr;
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

  Asking<std::vector<Reply>> await_transform(Exchange&& wish) { return {*floor, std::move(wish)}; }
  Asking<void> await_transform(Pause&& wish) { return {*floor, wish}; }
  Asking<bool> await_transform(Show&& wish) { return {*floor, wish}; }
  template <class T>
  auto await_transform(Conversation<T>&& other);
};

template <class T>
class [[nodiscard]] Conversation {
 public:
  using Result = T;
  struct promise_type : Talk {
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
  friend class Floor;
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

template <class T>
Floor::Floor(Conversation<T>& talk) : speaker_(talk.handle_) {
  talk.handle_.promise().floor = this;
}

template <class T>
auto Talk::await_transform(Conversation<T>&& other) {
  other.handle_.promise().floor = floor;
  return typename Conversation<T>::Awaiting{std::move(other)};
}

}  // namespace sancho::redis
