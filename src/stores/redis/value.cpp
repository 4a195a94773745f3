#include "stores/redis/value.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <bit>

#include "big_endian.hpp"
#include "sancho/error.hpp"
#include "stores/columns.hpp"

namespace sancho::redis {

namespace {

constexpr std::size_t check_size = 8, checked_from = 16;
constexpr std::string_view magic = "SNK";
constexpr char format = 1;

// OpenSSL 3 deprecates this interface in favour of one that looks the algorithm up
// at each call, which takes longer than the digesting (crypto.cpp).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
struct Check {
  explicit Check(std::string_view body) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, body.data(), body.size());
    SHA1_Final(digest.data(), &context);
  }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(digest.data()), check_size}; }
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
};
#pragma GCC diagnostic pop

EightBytes signed_bytes(std::int64_t number) {
  if (!columns::is_sane(number)) throw StoreError(Trouble::refused, "a record's time is out of range");
  return EightBytes(std::bit_cast<std::uint64_t>(number));
}
EightBytes signed_bytes(Time time) { return signed_bytes(time.time_since_epoch().count()); }

std::int64_t signed_number(std::string_view bytes) { return std::bit_cast<std::int64_t>(number_of(bytes)); }

}  // namespace

std::string bytes_of(std::uint64_t number) { return std::string(EightBytes(number)); }

std::string bytes_of(Time time) { return std::string(signed_bytes(time)); }

std::string bytes_of(const Version& version) {
  std::string bytes;
  bytes.reserve(16);
  return bytes.append(EightBytes(version.incarnation)).append(EightBytes(version.counter));
}

std::uint64_t number_of(std::string_view bytes) {
  if (bytes.size() == 8) return get_big_endian<std::uint64_t>(bytes.data());
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

std::string value_of(const Record& r) {
  if (r.subject.size() > 0xffffffff) throw StoreError(Trouble::refused, "a record's subject is too long");
  std::string value;
  value.reserve(value_head + r.subject.size() + r.payload.size());
  value.append(check_size, '\0').append(signed_bytes(r.accessed));
  value.append(magic).push_back(format);
  value.append(EightBytes(r.version.incarnation)).append(EightBytes(r.version.counter)).push_back(static_cast<char>(r.state));
  value.append(signed_bytes(r.idle.count())).append(signed_bytes(r.ends)).append(signed_bytes(r.created));
  value.append(r.handle.text()).append(16 - r.handle.text().size(), '\0');
  value.append(std::string_view(EightBytes(r.subject.size())).substr(4));
  value.append(r.subject).append(r.payload);
  const Check check(std::string_view(value).substr(checked_from));
  std::ranges::copy(check.bytes(), value.begin());
  return value;
}

Record record_of(std::string_view value, const std::string& store) {
  const auto corrupt = [&](const char* how) {
    return StoreError(Trouble::corrupt, store + ": a record is damaged (" + how + "); it was left as it is");
  };
  if (value.size() < checked_from) throw corrupt("it is too short");
  if (Check(value.substr(checked_from)).bytes() != value.substr(0, check_size)) throw corrupt("its checksum is wrong");
  if (value.substr(checked_from, magic.size()) != magic) throw corrupt("it does not begin as one");
  if (static_cast<unsigned char>(value.at(checked_from + magic.size())) > format)
    throw StoreError(Trouble::unavailable, store + ": a record was written by a newer version of sancho");
  if (value.size() < value_head) throw corrupt("it is too short");

  std::size_t at = checked_from + magic.size() + 1;
  const auto take = [&](std::size_t n) {
    const auto field = value.substr(at, n);
    at += n;
    return field;
  };
  Record r;
  r.version.incarnation = number_of(take(8));
  r.version.counter = number_of(take(8));
  const auto state = number_of(take(1));
  if (state > static_cast<std::uint8_t>(State::note))
    throw StoreError(Trouble::unavailable, store + ": a record has a state of a newer version of sancho");
  r.state = static_cast<State>(state);
  r.idle = Duration{signed_number(take(8))};
  r.ends = Time{Duration{signed_number(take(8))}};
  r.created = Time{Duration{signed_number(take(8))}};
  const auto accessed = signed_number(value.substr(check_size, 8));
  if (!columns::is_sane(accessed)) throw corrupt("its access time is none");  // outside of the check
  r.accessed = Time{Duration{accessed}};
  const auto handle = take(16);
  if (handle[0] != '\0') {
    const auto parsed = Handle::parse(handle);
    if (!parsed) throw corrupt("its handle is none");
    r.handle = *parsed;
  }
  const auto subject_size = number_of(take(4));
  if (subject_size > value.size() - at) throw corrupt("its subject is longer than it");
  r.subject = take(static_cast<std::size_t>(subject_size));
  r.payload = value.substr(at);
  return r;
}

std::optional<Head> head_of(std::string_view value) {
  if (value.size() < value_head || value.substr(checked_from, magic.size()) != magic || value[19] != format)
    return std::nullopt;
  const auto state = static_cast<unsigned char>(value[36]);
  if (state > static_cast<unsigned char>(State::note)) return std::nullopt;
  const auto time = [&](std::size_t at) { return Duration{signed_number(value.substr(at, 8))}; };
  Record r;
  r.state = static_cast<State>(state);
  r.accessed = Time{time(8)};
  r.idle = time(37);
  r.ends = Time{time(45)};
  return Head{r.state, r.expires()};
}

}  // namespace sancho::redis
