// The memory that the memory store's records lie in, against a naive model of it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <thread>
#include <vector>

#include "stores/memory/large_pages.hpp"

namespace sancho::memory {
namespace {

// Blocks that are taken, each full of its own bytes.
class Blocks {
 public:
  explicit Blocks(LargePages& memory) : memory_(memory) {}
  ~Blocks() {
    while (!blocks_.empty()) give_back(0);
  }
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;

  std::size_t size() const { return blocks_.size(); }
  std::vector<std::byte*> places() const {
    std::vector<std::byte*> all;
    for (const auto& block : blocks_) all.push_back(block.at);
    return all;
  }
  // Is it where it may be?
  bool take(std::size_t bytes) {
    const auto fill = static_cast<unsigned char>(++taken_);
    auto* const at = memory_.take(bytes);
    std::memset(at, fill, bytes);
    blocks_.push_back({at, bytes, fill});
    const auto behind = places_.upper_bound(at);
    const bool free = (behind == places_.end() || at + bytes <= behind->first) &&
                      (behind == places_.begin() || std::prev(behind)->first + std::prev(behind)->second <= at);
    places_.emplace(at, bytes);
    return free && reinterpret_cast<std::uintptr_t>(at) % 64 == 0;
  }
  // Was it as it was filled?
  bool give_back(std::size_t i) {
    const auto block = blocks_[i];
    const bool whole = std::all_of(block.at, block.at + block.bytes, [&](std::byte b) { return b == std::byte{block.fill}; });
    memory_.give_back(block.at, block.bytes);
    places_.erase(block.at);
    blocks_[i] = blocks_.back();
    blocks_.pop_back();
    return whole;
  }

 private:
  struct Block {
    std::byte* at;
    std::size_t bytes;
    unsigned char fill;
  };
  LargePages& memory_;
  std::vector<Block> blocks_;
  std::map<std::byte*, std::size_t> places_;
  unsigned taken_ = 0;
};

rc::Gen<std::size_t> sizes() {
  return rc::gen::oneOf(rc::gen::inRange<std::size_t>(1, 5000), rc::gen::inRange<std::size_t>(4000, 70'000),
                        rc::gen::element<std::size_t>(4095, 4096, 4097, 65'535, 65'536, 65'537, 300'000));
}

RC_GTEST_PROP(LargePages, GiveNobodyWhatAnotherHas, ()) {
  LargePages memory(*rc::gen::element<std::size_t>(0, 100'000, 1 << 20));
  Blocks blocks(memory);
  for (int step = *rc::gen::inRange(0, 400); step > 0; --step)
    if (blocks.size() == 0 || *rc::gen::inRange(0, 3) != 0) RC_ASSERT(blocks.take(*sizes()));
    else RC_ASSERT(blocks.give_back(*rc::gen::inRange<std::size_t>(0, blocks.size())));
}

TEST(LargePages, AreFilledToTheBrimAndGivenBack) {
  LargePages memory(0);
  {
    Blocks blocks(memory);
    for (int i = 0; i < 10 * 128; ++i) ASSERT_TRUE(blocks.take(16 << 10));
    EXPECT_EQ(memory.pieces(), 10u);
    ASSERT_TRUE(blocks.take(4096));
    EXPECT_EQ(memory.pieces(), 11u);
    // Every second one goes, and others that fit come.
    for (std::size_t i = 0; i < 10 * 64; ++i) ASSERT_TRUE(blocks.give_back(i));
    for (int i = 0; i < 10 * 64; ++i) ASSERT_TRUE(blocks.take(16 << 10));
    EXPECT_EQ(memory.pieces(), 11u);
  }
  EXPECT_EQ(memory.pieces(), 1u);  // for who comes next
}

// How much of these blocks is in memory.
std::size_t resident(const std::vector<std::byte*>& blocks, std::size_t bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> there(bytes / page);
  std::size_t pages = 0;
  for (auto* const at : blocks) {
    EXPECT_EQ(mincore(at, bytes, there.data()), 0);
    pages += static_cast<std::size_t>(std::count_if(there.begin(), there.end(), [](unsigned char c) { return c & 1; }));
  }
  return pages * page;
}

// 100 MiB, of which two blocks a piece stay.
TEST(LargePages, ThatAreHardlyUsedAreTheSystemsButForWhatIsUsed) {
  constexpr std::size_t size = 64 << 10, count = 50 * 32;
  LargePages memory(0);
  Blocks blocks(memory);
  for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(blocks.take(size));
  const auto all = blocks.places();
  EXPECT_EQ(resident(all, size), count * size);
  for (std::size_t i = blocks.size(); i-- > 0;) ASSERT_TRUE(i % 16 == 0 || blocks.give_back(i));
  EXPECT_EQ(memory.in_use(), 100 * size);
  EXPECT_EQ(memory.pieces(), 50u);
  EXPECT_EQ(resident(all, size), 100 * size);
  for (std::size_t i = 100; i < count; ++i) ASSERT_TRUE(blocks.take(size));
  EXPECT_EQ(memory.pieces(), 50u);
}

TEST(LargePages, AreMappedAheadWhereTheLastIsNearlyFull) {
  LargePages memory(0);
  Blocks blocks(memory);
  int before_the_second = 0;
  for (; memory.pieces() < 2; ++before_the_second) {
    ASSERT_TRUE(blocks.take(16 << 10));
    memory.look_ahead();
  }
  EXPECT_EQ(before_the_second, 113);  // of 128
  for (int i = 113; i < 128 + 112; ++i) {
    ASSERT_TRUE(blocks.take(16 << 10));
    memory.look_ahead();
    ASSERT_EQ(memory.pieces(), 2u);
  }
}

TEST(LargePages, ArePiecesOnlyForBlocksOfSomeSizeAndWhereThereAreMany) {
  LargePages memory;
  Blocks blocks(memory);
  for (int i = 0; i < 16; ++i) ASSERT_TRUE(blocks.take(65'536));
  EXPECT_EQ(memory.pieces(), 0u);
  EXPECT_EQ(memory.in_use(), 1u << 20);
  ASSERT_TRUE(blocks.take(4095) && blocks.take(65'537));
  EXPECT_EQ(memory.pieces(), 0u);
  ASSERT_TRUE(blocks.take(4096) && blocks.take(65'536));
  EXPECT_EQ(memory.pieces(), 1u);
  ASSERT_TRUE(blocks.give_back(0) && blocks.take(65'536));
  EXPECT_EQ(memory.in_use(), (1u << 20) + 4096 + 65'536);
}

TEST(LargePages, AreSharedByThreads) {
  LargePages memory(0);
  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 4; ++seed)
    threads.emplace_back([&memory, seed] {
      Blocks blocks(memory);
      auto n = seed;
      for (int round = 0; round < 2000; ++round) {
        n = n * 1664525 + 1013904223;
        if (blocks.size() < 20 || n >> 31) EXPECT_TRUE(blocks.take(n >> 16));
        else EXPECT_TRUE(blocks.give_back((n >> 8) % blocks.size()));
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_LE(memory.pieces(), 1u);
}

}  // namespace
}  // namespace sancho::memory
