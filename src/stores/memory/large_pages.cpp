#include "stores/memory/large_pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <new>

namespace sancho::memory {

namespace {
constexpr std::align_val_t line{64};

// A system that has no large pages, or gives none, goes on with small ones.
void want_large_page([[maybe_unused]] std::byte* at, [[maybe_unused]] std::size_t size, [[maybe_unused]] bool yes) {
#ifdef MADV_HUGEPAGE
  ::madvise(at, size, yes ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#endif
}

std::byte* map(std::size_t size) {
  void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(at);
}

// Memory of this size that begins at a multiple of it. Beside what was mapped so
// before, it mostly does.
std::byte* map_aligned(std::size_t size) {
  const auto beyond = [size](std::byte* at) { return reinterpret_cast<std::uintptr_t>(at) % size; };
  auto* at = map(size);
  if (beyond(at) != 0) {
    ::munmap(at, size);
    at = map(2 * size);
    const auto before = (size - beyond(at)) % size;
    if (before > 0) ::munmap(at, before);
    ::munmap(at + before + size, size - before);
    at += before;
  }
  want_large_page(at, size, true);
  return at;
}

// The system may have those of its pages that lie in here wholly.
void release(std::byte* at, std::size_t from, std::size_t until) {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  from = (from + page - 1) / page * page;
  until = until / page * page;
  if (from < until) ::madvise(at + from, until - from, MADV_DONTNEED);
}
}  // namespace

LargePages::~LargePages() {
  for (auto& [at, piece] : pieces_) ::munmap(at, piece_size);
}

std::byte* LargePages::take(std::size_t bytes) {
  if (!is_block(bytes)) return static_cast<std::byte*>(::operator new(bytes, line));
  const auto n = static_cast<unsigned>(size_for(bytes) / unit);
  const std::lock_guard lock(mutex_);
  if (few_in_use_ + bytes <= few_) {
    auto* const block = static_cast<std::byte*>(::operator new(bytes, line));
    few_in_use_ += bytes;
    return block;
  }
  for (Piece *piece = first_, *next = nullptr; piece; piece = next) {
    next = piece->behind;
    if (piece->longest < n) continue;
    if (auto* const block = take_from(*piece, n)) return block;
  }
  return take_from(add(map_aligned(piece_size)), n);
}

void LargePages::give_back(std::byte* block, std::size_t bytes) noexcept {
  if (!is_block(bytes)) return ::operator delete(block, line);
  const std::lock_guard lock(mutex_);
  if (auto* const piece = piece_of(block)) {
    const auto from = static_cast<std::size_t>(block - piece->at) / unit, n = size_for(bytes) / unit;
    return give_back(*piece, static_cast<unsigned>(from), static_cast<unsigned>(n));
  }
  few_in_use_ -= bytes;
  ::operator delete(block, line);
}

// Null if it is the heap's.
LargePages::Piece* LargePages::piece_of(std::byte* block) {
  const auto behind = pieces_.upper_bound(block);
  if (behind == pieces_.begin()) return nullptr;
  auto& piece = std::prev(behind)->second;
  return block < piece.at + piece_size ? &piece : nullptr;
}

void LargePages::give_back(Piece& piece, unsigned from, unsigned n) noexcept {
  for (auto i = from; i < from + n; ++i) piece.free[i / 64] |= std::uint64_t{1} << i % 64;
  in_use_ -= n * unit;
  piece.free_units += n;
  piece.longest = piece.free_units;
  if (!piece.listed) link(piece);
  if (piece.free_units == units) drop_piece(piece);
  else if (piece.thin) release(piece.at, from * unit, (from + n) * unit);
  else if (piece.free_units >= hardly_used) thin_out(piece);
}

// The first of the free units from there on, or of those that are taken; `units`
// if there is none.
unsigned LargePages::Piece::next(unsigned from, bool wanted) const {
  for (auto i = from; i < units; i = (i / 64 + 1) * 64)
    if (const auto word = (wanted ? free[i / 64] : ~free[i / 64]) >> i % 64) return i + static_cast<unsigned>(std::countr_zero(word));
  return units;
}

// The first run that is long enough. Null if there is none, which is remembered.
std::byte* LargePages::take_from(Piece& piece, unsigned n) {
  unsigned longest = 0;
  for (auto from = piece.next(0, true); from < units;) {
    const auto until = piece.next(from, false);
    if (until - from >= n) {
      for (auto i = from; i < from + n; ++i) piece.free[i / 64] &= ~(std::uint64_t{1} << i % 64);
      piece.free_units -= n;
      in_use_ += n * unit;
      if (&piece == empty_) empty_ = nullptr;
      if (&piece == last_ && piece.free_units < nearly_full && piece.free_units + n >= nearly_full)
        low_.store(true, std::memory_order_relaxed);
      if (piece.thin && piece.free_units < well_used) {
        piece.thin = false;
        want_large_page(piece.at, piece_size, true);
      }
      return piece.at + from * unit;
    }
    longest = std::max(longest, until - from);
    from = piece.next(until, true);
  }
  piece.longest = longest;
  if (longest < least / unit) unlink(piece);
  return nullptr;
}

// ## Pieces

// Unmaps it again if it throws.
LargePages::Piece& LargePages::add(std::byte* at) {
  try {
    auto& piece = pieces_.try_emplace(at, at, mapped_).first->second;
    ++mapped_;
    link(piece);
    return piece;
  } catch (...) {
    ::munmap(at, piece_size);
    throw;
  }
}

void LargePages::map_ahead() noexcept {
  if (!low_.exchange(false, std::memory_order_relaxed)) return;
  try {
    auto* const at = map_aligned(piece_size);
    *static_cast<volatile std::byte*>(at) = std::byte{0};  // so that it is there
    const std::lock_guard lock(mutex_);
    auto& piece = add(at);
    if (!empty_) empty_ = &piece;
  } catch (const std::bad_alloc&) {  // is met again by who needs it
  }
}

// One is kept, so that a block which comes and goes does not map a piece each time.
void LargePages::drop_piece(Piece& piece) noexcept {
  if (!empty_) {
    empty_ = &piece;
    return;
  }
  unlink(piece);
  auto* const at = piece.at;
  pieces_.erase(at);
  ::munmap(at, piece_size);
}

void LargePages::thin_out(Piece& piece) noexcept {
  piece.thin = true;
  want_large_page(piece.at, piece_size, false);  // or the system would soon make one of it again
  for (auto from = piece.next(0, true); from < units;) {
    const auto until = piece.next(from, false);
    release(piece.at, from * unit, until * unit);
    from = piece.next(until, true);
  }
}

void LargePages::link(Piece& piece) noexcept {
  auto* before = last_;
  while (before && before->number > piece.number) before = before->before;
  auto*& behind = before ? before->behind : first_;
  piece.before = before, piece.behind = behind;
  (behind ? behind->before : last_) = &piece;
  behind = &piece;
  piece.listed = true;
}

void LargePages::unlink(Piece& piece) noexcept {
  piece.listed = false;
  (piece.before ? piece.before->behind : first_) = piece.behind;
  (piece.behind ? piece.behind->before : last_) = piece.before;
}

}  // namespace sancho::memory
