// # What one request leaves to the next
//
// Memory that is wanted once a request. Each thread keeps a little of its own, so
// nobody waits for anybody, and what was taken on one thread may be given back on
// another.
#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <utility>

namespace sancho {

// Where memory that goes is watched, all of it has to go.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool keep_spare = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
inline constexpr bool keep_spare = false;
#else
inline constexpr bool keep_spare = true;
#endif
#else
inline constexpr bool keep_spare = true;
#endif

// The calling thread's stock of `T`, a pointer or something like it that is false
// when it is empty: at most `most`. `Drop()(T)` ends one. While the thread goes,
// and behind that, nothing is kept.
template <class T, std::size_t most, class Drop>
class Stock {
 public:
  // The last one that was given and that `fits`, or an empty one.
  template <class Fits>
  static T take(Fits fits) noexcept {
    for (auto i = shelf.size; i > 0; --i) {
      if (!fits(shelf.items[i - 1])) continue;
      const T found = shelf.items[i - 1];
      shelf.items[i - 1] = shelf.items[--shelf.size];
      return found;
    }
    return {};
  }
  static T take() noexcept { return shelf.size > 0 ? shelf.items[--shelf.size] : T{}; }

  static void give(T item) noexcept {
    if (!shelf.open && !shelf.closed) {
      static thread_local Keeper keeper;
      shelf.open = keep_spare;
    }
    if (!shelf.open || shelf.size == most) return Drop()(item);
    shelf.items[shelf.size++] = item;
  }

 private:
  // Has no destructor, so it can be looked at when the keeper has gone.
  struct Shelf {
    std::array<T, most> items{};
    std::size_t size = 0;
    bool open = false, closed = false;
  };
  struct Keeper {
    ~Keeper() {
      shelf.open = false;
      shelf.closed = true;
      while (shelf.size > 0) Drop()(shelf.items[--shelf.size]);
    }
  };
  static inline thread_local constinit Shelf shelf{};
};

// Owns a `T`, which is large, in memory that a thread keeps for the next one.
template <class T>
class Roomy {
 public:
  Roomy() = default;
  Roomy(const Roomy&) = delete;
  Roomy& operator=(const Roomy&) = delete;
  ~Roomy() { reset(); }

  template <class... Args>
  T& emplace(Args&&... args) {
    reset();
    void* const room = take();
    try {
      at_ = new (room) T(std::forward<Args>(args)...);
    } catch (...) {
      Spare::give(room);
      throw;
    }
    return *at_;
  }
  void reset() noexcept {
    if (!at_) return;
    auto* const gone = std::exchange(at_, nullptr);
    gone->~T();
    Spare::give(gone);
  }
  explicit operator bool() const { return at_ != nullptr; }
  T& operator*() const { return *at_; }
  T* operator->() const { return at_; }

 private:
  struct Drop {
    void operator()(void* room) const noexcept { ::operator delete(room); }
  };
  using Spare = Stock<void*, 1, Drop>;
  static void* take() {
    void* const spare = Spare::take();
    return spare ? spare : ::operator new(sizeof(T));
  }
  T* at_ = nullptr;
};

}  // namespace sancho
