#include "stores/sqlite/packed_record.hpp"

#include "base/big_endian.hpp"
#include "base/crc32c.hpp"
#include "stores/columns.hpp"

namespace sancho::sqlite {

namespace {

using columns::is_sane;

// ## The places

constexpr std::size_t key_size = 32, number_size = 17, handle_size = 16;
constexpr std::size_t key_at = 4, incarnation_at = key_at + key_size, counter_at = incarnation_at + 8, subject_size_at = counter_at + 8,
                      state_at = subject_size_at + 4, created_at = state_at + 1,
                      idle_at = created_at + number_size, ends_at = idle_at + number_size, handle_at = ends_at + number_size,
                      subject_at = handle_at + handle_size;
static_assert(subject_at == 124, "sql.hpp counts them too");

// ## Numbers

// Eight digits at once: by fours, by twos, by one. A quotient is a product of which the
// upper part is kept; these are exact below 10,000 and below 100.
void put_eight_digits(char* to, std::uint64_t n) {
  n = n / 10000 << 32 | n % 10000;
  const auto hundreds = n * 5243 >> 19 & 0x0000007f0000007f;
  n = hundreds << 16 | (n - hundreds * 100);
  const auto tens = n * 103 >> 10 & 0x000f000f000f000f;
  n = tens << 8 | (n - tens * 10);
  put_big_endian(to, n + 0x3030303030303030);
}

void put_number(char* to, std::int64_t n) {
  *to = n < 0 ? '-' : '+';
  auto rest = static_cast<std::uint64_t>(n < 0 ? -n : n);
  put_eight_digits(to + 1, rest / 100000000);
  put_eight_digits(to + 9, rest % 100000000);
}

// Eight digits at once, two by two.
std::uint64_t get_eight_digits(const char* from) {
  auto n = get_big_endian<std::uint64_t>(from) - 0x3030303030303030;
  n = (n & 0x00ff00ff00ff00ff) + (n >> 8 & 0x00ff00ff00ff00ff) * 10;
  n = (n & 0x0000ffff0000ffff) + (n >> 16 & 0x0000ffff0000ffff) * 100;
  return (n & 0xffffffff) + (n >> 32) * 10000;
}

std::int64_t get_number(const char* from) {
  const auto n = get_eight_digits(from + 1) * 100000000 + get_eight_digits(from + 9);
  return static_cast<std::int64_t>(*from == '-' ? 0 - n : n);
}

std::uint32_t checksum(std::string_view bytes) { return crc32c(bytes.substr(key_at)); }

std::uint32_t subject_size(std::string_view bytes) { return get_big_endian<std::uint32_t>(bytes.data() + subject_size_at); }

}  // namespace

void require_writable(const Record& record, const std::string& store) { columns::require_writable(record, store); }

std::string packed(const Handle& handle) {
  std::string text(handle.text());
  text.resize(handle_size, ' ');
  return text;
}

std::string packed(const SessionKey& key, const Record& r) {
  std::string bytes;
  bytes.reserve(subject_at + r.subject.size() + r.payload.size());
  bytes.resize(subject_at, ' ');
  char* const to = bytes.data();
  key.bytes().copy(to + key_at, key_size);
  put_big_endian(to + incarnation_at, r.version.incarnation);
  put_big_endian(to + counter_at, r.version.counter);
  put_big_endian(to + subject_size_at, static_cast<std::uint32_t>(r.subject.size()));
  to[state_at] = static_cast<char>('0' + static_cast<int>(r.state));
  put_number(to + created_at, r.created.time_since_epoch().count());
  put_number(to + idle_at, r.idle.count());
  put_number(to + ends_at, r.ends.time_since_epoch().count());
  r.handle.text().copy(to + handle_at, handle_size);
  bytes += r.subject;
  bytes += r.payload;
  put_big_endian(bytes.data(), checksum(bytes));
  return bytes;
}

std::string packed_damage(const SessionKey& key) { return std::string(key_at, '\0') + std::string(key.bytes()); }

std::string_view packed_key(std::string_view bytes) {
  return bytes.size() < incarnation_at ? std::string_view{} : bytes.substr(key_at, key_size);
}

std::optional<RecordView> unpacked(std::string_view bytes, Time accessed) {
  if (bytes.size() < subject_at || checksum(bytes) != get_big_endian<std::uint32_t>(bytes.data())) return std::nullopt;
  if (subject_size(bytes) > bytes.size() - subject_at) return std::nullopt;
  const char* const at = bytes.data();
  const int state = at[state_at] - '0';
  const auto created = get_number(at + created_at), idle = get_number(at + idle_at), ends = get_number(at + ends_at);
  if (state < 0 || state > static_cast<int>(State::note)) return std::nullopt;
  if (!is_sane(created) || !is_sane(accessed) || !is_sane(idle) || !is_sane(ends)) return std::nullopt;
  const auto handle = at[handle_at] == ' ' ? Handle{} : Handle::parse(bytes.substr(handle_at, handle_size));
  if (!handle) return std::nullopt;
  return RecordView{.version = {get_big_endian<std::uint64_t>(at + incarnation_at), get_big_endian<std::uint64_t>(at + counter_at)},
                    .state = static_cast<State>(state),
                    .created = Time{Duration{created}},
                    .accessed = accessed,
                    .idle = Duration{idle},
                    .ends = Time{Duration{ends}},
                    .handle = *handle,
                    .key = packed_key(bytes),
                    .subject = bytes.substr(subject_at, subject_size(bytes)),
                    .payload = bytes.substr(subject_at + subject_size(bytes))};
}

std::optional<std::string> packed_of_4(std::string_view bytes, std::string_view subject) {
  if (bytes.size() < subject_at || subject_size(bytes) != subject.size()) return std::nullopt;
  const std::string_view parts[] = {bytes.substr(key_at), subject};
  if (crc32c(parts) != get_big_endian<std::uint32_t>(bytes.data())) return std::nullopt;
  std::string now(bytes);
  now.insert(subject_at, subject);
  put_big_endian(now.data(), checksum(now));
  return now;
}

// Into the strings that are there.
void RecordView::copy_to(Record& record) const {
  record.version = version, record.state = state;
  record.created = created, record.accessed = accessed, record.idle = idle, record.ends = ends;
  record.subject.assign(subject);
  record.handle = handle;
  record.payload.assign(payload);
}

Record RecordView::copy() const {
  Record record;
  copy_to(record);
  return record;
}

}  // namespace sancho::sqlite
