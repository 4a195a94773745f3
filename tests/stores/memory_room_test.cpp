// How much memory the memory store takes, counted where it is allocated: what was
// asked for, rounded up as the allocator does, and its own eight bytes; and what is
// mapped.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

#include "sancho/stores/memory.hpp"
#include "stores/memory/shard.hpp"

namespace {
std::atomic<std::int64_t> in_use = 0, allocated = 0, mapped = 0;

void* count(void* p) {
  if (!p) throw std::bad_alloc();
  in_use += static_cast<std::int64_t>(malloc_usable_size(p)) + 8;
  allocated += static_cast<std::int64_t>(malloc_usable_size(p));
  return p;
}
void release(void* p) {
  if (p) in_use -= static_cast<std::int64_t>(malloc_usable_size(p)) + 8;
  std::free(p);
}
}  // namespace

void* operator new(std::size_t n) { return count(std::malloc(n)); }
void* operator new[](std::size_t n) { return count(std::malloc(n)); }
void* operator new(std::size_t n, std::align_val_t a) { return count(std::aligned_alloc(static_cast<std::size_t>(a), (n + static_cast<std::size_t>(a) - 1) / static_cast<std::size_t>(a) * static_cast<std::size_t>(a))); }
void* operator new[](std::size_t n, std::align_val_t a) { return operator new(n, a); }
void operator delete(void* p) noexcept { release(p); }
void operator delete[](void* p) noexcept { release(p); }
void operator delete(void* p, std::size_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t) noexcept { release(p); }
void operator delete(void* p, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { release(p); }

extern "C" void* mmap(void* at, std::size_t n, int rights, int flags, int file, off_t from) noexcept {
  in_use += static_cast<std::int64_t>(n);
  mapped += static_cast<std::int64_t>(n);
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, n, rights, flags, file, from));
}
extern "C" int munmap(void* at, std::size_t n) noexcept {
  in_use -= static_cast<std::int64_t>(n);
  mapped -= static_cast<std::int64_t>(n);
  return static_cast<int>(syscall(SYS_munmap, at, n));
}

namespace sancho {
namespace {

using namespace std::chrono_literals;

Deadline soon() { return Deadline::after(10min); }

// The n-th key: digests are uniform, and so are these.
SessionKey key(std::uint64_t n) {
  std::string bytes(32, '\0');
  for (std::size_t i = 0; i < 32; i += 8) {
    n += 0x9e3779b97f4a7c15;
    auto z = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    z ^= z >> 31;
    for (std::size_t k = 0; k < 8; ++k) bytes[i + k] = static_cast<char>(z >> 8 * k);
  }
  return *SessionKey::from_bytes(bytes);
}

class MemoryRoom : public testing::Test {
 protected:
  MemoryRoom() {
    record.version = {1, 1};
    record.created = record.accessed = clock.now();
    record.idle = 30min;
    record.ends = clock.now() + 30 * 24h;
    record.handle = Handle::draw(system_random());
    record.payload.assign(200, 'x');
  }
  void fill(std::uint64_t from, std::uint64_t to) {
    for (auto n = from; n < to; ++n) store->create(key(n), record, soon(), nullptr);
  }
  double each(std::int64_t n) const { return static_cast<double>(in_use - before) / static_cast<double>(n); }

  ManualClock clock;
  Record record;
  std::int64_t before = in_use;
  std::unique_ptr<SessionStore> store = open_memory_store(clock);
};

// Of the last pieces of two megabytes there is a part for nobody yet.
TEST_F(MemoryRoom, ASessionWith200BytesTakesNoMoreThan300) {
  std::uint64_t there = 0;
  for (const std::uint64_t n : {100'000u, 1'000'000u, 1'414'000u}) {
    fill(there, n);
    there = n;
    EXPECT_LE(each(static_cast<std::int64_t>(n)), n < 1'000'000 ? 340 : 300) << "at " << n << " sessions";
    RecordProperty("bytes_at_" + std::to_string(n), std::to_string(each(static_cast<std::int64_t>(n))));
  }
}

TEST_F(MemoryRoom, AFewSessionsTakeNoPiece) {
  const auto before_them = mapped.load();
  fill(0, 20'000);
  EXPECT_EQ(mapped, before_them);
  fill(20'000, 25'000);
  EXPECT_EQ(mapped - before_them, 2 << 20);
}

TEST_F(MemoryRoom, AUserCostsNoMoreThan64BytesWithAShortName) {
  record.subject = "user123456";
  fill(0, 200'000);
  EXPECT_LE(each(200'000), 364);
}

// What is moved on the way is copied to where it was allocated: so no insertion
// moves more than a small part of what there is.
TEST_F(MemoryRoom, NoInsertionAllocatesMoreThanAPageAndTwoSegments) {
  memory::LargePages large;
  memory::Subjects subjects(large);
  memory::Shard shard(large, subjects, 127);
  std::int64_t most = 0;
  for (std::uint64_t n = 0; n < 20'000; ++n) {
    const auto k = key(n);
    const auto before_it = allocated + static_cast<std::int64_t>(large.in_use());
    shard.insert(k, memory::hash_of(k), record);
    most = std::max(most, allocated + static_cast<std::int64_t>(large.in_use()) - before_it);
  }
  EXPECT_GT(large.pieces(), 1u);
  EXPECT_LE(most, 48 * 1024);
}

// But for the first megabyte, which is the heap's, and records of more than two kilobytes.
TEST_F(MemoryRoom, RecordsOfAnySizeLieInPieces) {
  for (std::size_t size = 200; size < 1960; size += 16) {
    memory::LargePages large;
    memory::Subjects subjects(large);
    memory::Shard shard(large, subjects, 127);
    record.payload.assign(size, 'x');
    constexpr std::size_t sessions = 6'000;
    for (std::uint64_t n = 0; n < sessions; ++n) shard.insert(key(n), memory::hash_of(key(n)), record);
    EXPECT_GE(large.in_use(), sessions * size / 2) << size;
  }
}

TEST_F(MemoryRoom, OpeningTakesLittle) { EXPECT_LE(in_use - before, 64 * 1024); }

TEST_F(MemoryRoom, ReadingTouchingAndCommittingKeepNothing) {
  fill(0, 1000);
  const auto steady = in_use.load();
  auto current = record;
  for (int round = 0; round < 50; ++round) {
    auto next = current;
    ++next.version.counter;
    next.payload.assign(static_cast<std::size_t>(200 + round % 7 * 40), 'y');
    for (std::uint64_t n = 0; n < 1000; ++n) {
      EXPECT_TRUE(store->load(key(n), soon()));
      store->touch(key(n), 1, clock.now(), soon());
      EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key(n), current.version, next, soon())));
    }
    current = next;
    clock.advance(1s);
  }
  auto last = record;
  last.version = current.version;
  ++last.version.counter;
  for (std::uint64_t n = 0; n < 1000; ++n) store->commit(key(n), current.version, last, soon());
  EXPECT_LE(in_use, steady + 200 * 1024);
}

TEST_F(MemoryRoom, WhatOldSessionsLeaveBehindIsMovedTogether) {
  memory::LargePages large;
  memory::Subjects subjects(large);
  memory::Shard shard(large, subjects, 127);
  constexpr std::size_t sessions = 20'000;
  for (std::uint64_t n = 0; n < sessions; ++n) {
    record.accessed = clock.now() + (n % 4 == 0 ? 10min : 0min);
    shard.insert(key(n), memory::hash_of(key(n)), record);
  }
  const auto all = large.in_use();
  SweepAnswer answer;
  for (std::optional<memory::Hash> at = 0; at;) {
    const auto next = shard.part(*at, [](const memory::Packed&) {});
    EXPECT_TRUE(shard.remove_old(*at, clock.now() + 5min, sessions, answer));
    at = next;
  }
  EXPECT_EQ(answer.removed, sessions / 4 * 3);
  EXPECT_LE(large.in_use(), all / 2);
}

// Sessions that come and go, whose payloads get larger, while a few stay: what
// they left is used again or given back.
TEST_F(MemoryRoom, WhatGoesMakesRoomForWhatComesOfWhateverSize) {
  std::uint64_t next = 0;
  for (int generation = 0; generation < 12; ++generation) {
    record.accessed = clock.now();
    record.payload.assign(200 + static_cast<std::size_t>(generation) * 12, 'x');
    fill(next, next + 50'000);
    next += 50'000;
    for (auto n = next - 50'000; n < next; n += 50) store->touch(key(n), 1, clock.now() + 24h, soon());
    clock.advance(31min);
    for (bool more = true; more;) more = store->sweep({}, soon()).more;
  }
  const auto left = store->scan()->count(soon());
  EXPECT_EQ(left, 12u * 1000);
  // Twice what those take who were there at once, and not twelve times.
  EXPECT_LE(in_use - before, 2 * 62'000 * 450);
}

}  // namespace
}  // namespace sancho
