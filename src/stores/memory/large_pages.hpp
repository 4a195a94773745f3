// # Memory in large pieces
//
// Blocks of 4 to 64 KiB, out of pieces of two megabytes that the system is asked to
// map with one page each. Of ten million sessions hardly one is where the processor
// knows its way to: with small pages it looks that up in memory too, before each of
// a record's own misses. What is smaller or larger comes from the heap, and so does
// the first megabyte of blocks: few sessions need no piece. Any thread may call.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

namespace sancho::memory {

class LargePages {
 public:
  // `few`: how many bytes of blocks are the heap's at most.
  explicit LargePages(std::size_t few = std::size_t{1} << 20) : few_(few) {}
  // All blocks have been given back.
  ~LargePages();
  LargePages(const LargePages&) = delete;
  LargePages& operator=(const LargePages&) = delete;

  // So many bytes, with anything in them, that begin where a cache line does; from
  // the oldest piece that has room, so that others become empty. Throws
  // `std::bad_alloc`.
  std::byte* take(std::size_t bytes);
  // What was taken with this size. The system has back what is free of a piece that is
  // hardly used, and the piece when it is empty.
  void give_back(std::byte* block, std::size_t bytes) noexcept;

  // Maps the next piece, if there will soon be none with room: for who holds no lock,
  // because a system may take milliseconds for two megabytes. Else whoever takes a
  // block has to wait.
  void look_ahead() noexcept {
    if (low_.load(std::memory_order_relaxed)) map_ahead();
  }
  // Does so when it goes.
  class Ahead {
   public:
    explicit Ahead(LargePages& pages) : pages_(pages) {}
    ~Ahead() { pages_.look_ahead(); }
    Ahead(const Ahead&) = delete;
    Ahead& operator=(const Ahead&) = delete;

   private:
    LargePages& pages_;
  };

  // How many pieces are mapped, and how many bytes of blocks are taken.
  std::size_t pieces() const {
    const std::lock_guard lock(mutex_);
    return pieces_.size();
  }
  std::size_t in_use() const {
    const std::lock_guard lock(mutex_);
    return in_use_ + few_in_use_;
  }

  // What `take` uses for so many.
  static std::size_t size_for(std::size_t bytes) { return is_block(bytes) ? (bytes + unit - 1) / unit * unit : bytes; }

 private:
  static constexpr std::size_t piece_size = std::size_t{2} << 20, unit = 512, least = 4096, most = 65536;
  static constexpr unsigned units = piece_size / unit;
  static constexpr unsigned hardly_used = units * 7 / 8, well_used = units / 2, nearly_full = units / 8;  // free ones
  static bool is_block(std::size_t bytes) { return bytes >= least && bytes <= most; }

  struct Piece {
    Piece(std::byte* begin, std::uint64_t n) : at(begin), number(n) { free.fill(~std::uint64_t{0}); }
    std::byte* at;
    std::uint64_t number;  // those before were mapped earlier
    std::array<std::uint64_t, units / 64> free;  // a bit a unit
    unsigned free_units = units;
    unsigned longest = units;  // no run of free ones is longer
    Piece *before = nullptr, *behind = nullptr;  // in the list of those that may have room, by number
    bool listed = false;
    bool thin = false;  // hardly used: its free parts are the system's

    unsigned next(unsigned from, bool wanted) const;
  };
  std::byte* take_from(Piece& piece, unsigned n);
  Piece* piece_of(std::byte* block);
  void give_back(Piece& piece, unsigned from, unsigned n) noexcept;
  Piece& add(std::byte* at);
  void map_ahead() noexcept;
  void drop_piece(Piece& piece) noexcept;
  void thin_out(Piece& piece) noexcept;
  void link(Piece& piece) noexcept;
  void unlink(Piece& piece) noexcept;

  mutable std::mutex mutex_;
  std::map<std::byte*, Piece> pieces_;  // by where they begin
  std::uint64_t mapped_ = 0;  // pieces, ever
  std::size_t in_use_ = 0, few_in_use_ = 0;
  const std::size_t few_;
  Piece *first_ = nullptr, *last_ = nullptr;  // of the list
  Piece* empty_ = nullptr;                    // one that is kept
  std::atomic<bool> low_ = false;             // the last piece with room has become nearly full
};

}  // namespace sancho::memory
