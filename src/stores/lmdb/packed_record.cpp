#include "stores/lmdb/packed_record.hpp"

#include <bit>

#include "base/big_endian.hpp"
#include "base/crc32c.hpp"
#include "sancho/error.hpp"
#include "stores/columns.hpp"

namespace sancho::lmdb {

namespace {
constexpr char format = 1;
constexpr std::size_t handle_size = 16;
constexpr std::size_t checksum_at = 1, state_at = checksum_at + 4, incarnation_at = state_at + 1,
                      counter_at = incarnation_at + 8, created_at = counter_at + 8, idle_at = created_at + 8,
                      ends_at = idle_at + 8, handle_at = ends_at + 8, subject_size_at = handle_at + handle_size,
                      subject_at = subject_size_at + 4;

std::uint32_t checksum(const SessionKey& key, std::string_view body) {
  const std::string_view parts[] = {key.bytes(), body.substr(state_at)};
  return crc32c(parts);
}

void put(char* to, std::int64_t milliseconds) { put_big_endian(to, std::bit_cast<std::uint64_t>(milliseconds)); }
std::int64_t milliseconds(const char* at) { return std::bit_cast<std::int64_t>(get_big_endian<std::uint64_t>(at)); }

[[noreturn]] void fail_as_damaged() { throw StoreError(Trouble::corrupt, "a record is damaged; it was left as it is"); }
}  // namespace

void append_packed(std::string& out, const SessionKey& key, const Record& r) {
  const auto begin = out.size();
  out.resize(begin + subject_at, '\0');
  char* const to = out.data() + begin;
  to[0] = format;
  to[state_at] = static_cast<char>(r.state);
  put_big_endian(to + incarnation_at, r.version.incarnation);
  put_big_endian(to + counter_at, r.version.counter);
  put(to + created_at, r.created.time_since_epoch().count());
  put(to + idle_at, r.idle.count());
  put(to + ends_at, r.ends.time_since_epoch().count());
  r.handle.text().copy(to + handle_at, handle_size);
  put_big_endian(to + subject_size_at, static_cast<std::uint32_t>(r.subject.size()));
  out += r.subject;
  out += r.payload;
  put_big_endian(out.data() + begin + checksum_at, checksum(key, std::string_view(out).substr(begin)));
}

void unpack(const SessionKey& key, std::string_view bytes, Record& into) {
  using columns::is_sane;
  if (bytes.empty()) fail_as_damaged();
  if (static_cast<unsigned char>(bytes[0]) > format)
    throw StoreError(Trouble::unavailable, "a record was written by a newer version of sancho");
  const char* const at = bytes.data();
  if (bytes[0] != format || bytes.size() < subject_at || checksum(key, bytes) != get_big_endian<std::uint32_t>(at + checksum_at))
    fail_as_damaged();
  const auto state = static_cast<unsigned char>(at[state_at]);
  if (state > static_cast<unsigned char>(State::note))
    throw StoreError(Trouble::unavailable, "a record has a state of a newer version of sancho");
  const auto created = milliseconds(at + created_at), idle = milliseconds(at + idle_at), ends = milliseconds(at + ends_at);
  const auto subject_size = get_big_endian<std::uint32_t>(at + subject_size_at);
  const auto handle = at[handle_at] == '\0' ? Handle{} : Handle::parse(bytes.substr(handle_at, handle_size));
  if (!handle || !is_sane(created) || !is_sane(idle) || !is_sane(ends) || subject_size > bytes.size() - subject_at)
    fail_as_damaged();
  into.version = {get_big_endian<std::uint64_t>(at + incarnation_at), get_big_endian<std::uint64_t>(at + counter_at)};
  into.state = static_cast<State>(state);
  into.created = Time{Duration{created}};
  into.idle = Duration{idle};
  into.ends = Time{Duration{ends}};
  into.handle = *handle;
  into.subject.assign(bytes.substr(subject_at, subject_size));
  into.payload.assign(bytes.substr(subject_at + subject_size));
}

}  // namespace sancho::lmdb
