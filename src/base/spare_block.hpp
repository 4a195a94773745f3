// # Memory for what comes and goes with each call
//
// Coroutines above all: sixteen that wait at once are more of a size than malloc
// keeps at hand for a thread. Each thread keeps some blocks that were given back on
// it, for whatever is as large, up to 128 KiB.
#pragma once

#include <array>
#include <cstddef>
#include <new>

#include "base/spare.hpp"

namespace sancho {

class SpareBlocks {
 public:
  // Never part of a coroutine: that may go on on another thread, and a compiler keep
  // the address of this one's shelf.
  [[gnu::noinline]] static void* take(std::size_t size) {
    const auto kind = kind_of(size);
    if (kind >= kinds) return ::operator new(size);
    auto* const block = shelf.first[kind];
    if (!block) return ::operator new(size_of(kind));
    shelf.first[kind] = block->next;
    shelf.bytes -= size_of(kind);
    return block;
  }

  [[gnu::noinline]] static void give(void* memory, std::size_t size) noexcept {
    const auto kind = kind_of(size);
    if (kind >= kinds) return ::operator delete(memory);
    if (!shelf.open && !shelf.closed) {
      static thread_local Keeper keeper;
      shelf.open = keep_spare;
    }
    if (!shelf.open || shelf.bytes + size_of(kind) > most) return ::operator delete(memory);
    shelf.first[kind] = new (memory) Block{shelf.first[kind]};
    shelf.bytes += size_of(kind);
  }

 private:
  struct Block {
    Block* next;
  };
  static constexpr std::size_t grain = 64, kinds = 64, most = 128 * 1024;
  static constexpr std::size_t kind_of(std::size_t size) { return size == 0 ? 0 : (size - 1) / grain; }
  static constexpr std::size_t size_of(std::size_t kind) { return (kind + 1) * grain; }

  // Has no destructor, so it can be looked at when the keeper has gone.
  struct Shelf {
    std::array<Block*, kinds> first;
    std::size_t bytes;
    bool open, closed;
  };
  struct Keeper {
    ~Keeper() {
      shelf.open = false;
      shelf.closed = true;
      for (auto& first : shelf.first)
        while (auto* block = first) {
          first = block->next;
          ::operator delete(block);
        }
    }
  };
  static inline thread_local constinit Shelf shelf = {};  // empty, and not open
};

// Of such memory.
struct InSpareBlock {
  static void* operator new(std::size_t size) { return SpareBlocks::take(size); }
  static void operator delete(void* memory, std::size_t size) noexcept { SpareBlocks::give(memory, size); }
};

template <class T>
struct SpareAllocator {
  using value_type = T;
  SpareAllocator() = default;
  template <class U>
  SpareAllocator(const SpareAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(SpareBlocks::take(n * sizeof(T))); }
  void deallocate(T* memory, std::size_t n) noexcept { SpareBlocks::give(memory, n * sizeof(T)); }
  bool operator==(const SpareAllocator&) const = default;
};

}  // namespace sancho
