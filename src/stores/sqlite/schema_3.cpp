#include "stores/sqlite/schema_3.hpp"

#include <array>
#include <bit>

#include "crc32c.hpp"
#include "inline_packer.hpp"
#include "stores/sqlite/row.hpp"

namespace sancho::sqlite {

namespace {

// Over everything but the access time and the key.
std::int64_t checksum(const Record& r) {
  constexpr auto number = InlinePacker::most_of_number;
  std::array<char, 6 * number + InlinePacker::most_of_head> before;
  std::array<char, InlinePacker::most_of_head + sizeof(Handle)> behind;
  const auto bytes = [](const auto& from, const InlinePacker& p) {
    return std::string_view(from.data(), static_cast<std::size_t>(p.end() - from.data()));
  };
  InlinePacker p(before.data()), q(behind.data());
  p.natural(r.version.incarnation);
  p.natural(r.version.counter);
  p.natural(static_cast<std::uint8_t>(r.state));
  p.time(r.created);
  p.integer(r.idle.count());
  p.time(r.ends);
  p.text_head(r.subject.size());
  q.text(r.handle.text());
  const std::string_view parts[] = {bytes(before, p), r.subject, bytes(behind, q), r.payload};
  return crc32c(parts);
}

// The columns of `Sql::rows_of_3`; nothing if they are not what was written.
std::optional<Record> record_of_3(const Query& row) {
  const auto inc = row.integer(1), n = row.integer(2), state = row.integer(3), created = row.integer(4), accessed = row.integer(5),
             idle = row.integer(6), ends = row.integer(7), crc = row.integer(8);
  const auto subject = row.blob(9), handle_text = row.text(10), payload = row.blob(11);
  if (!inc || !n || !state || !created || !accessed || !idle || !ends || !crc || !subject || !handle_text || !payload) return std::nullopt;
  if (*state < 0 || *state > static_cast<int>(State::note)) return std::nullopt;
  const auto handle = handle_text->empty() ? Handle{} : Handle::parse(*handle_text);
  if (!handle) return std::nullopt;
  Record r{.version = {std::bit_cast<std::uint64_t>(*inc), std::bit_cast<std::uint64_t>(*n)},
           .state = static_cast<State>(*state),
           .created = Time{Duration{*created}},
           .accessed = Time{Duration{*accessed}},
           .idle = Duration{*idle},
           .ends = Time{Duration{*ends}},
           .subject = std::string(*subject),
           .handle = *handle,
           .payload = std::string(*payload)};
  if (checksum(r) != *crc) return std::nullopt;
  return r;
}

}  // namespace

void carry_over_3(Connection& c) {
  constexpr const char* doing = "upgrading its schema";
  {
    Query rows(c, Sql::rows_of_3, doing);
    while (rows.step()) {
      const auto key = SessionKey::from_bytes(rows.blob(0).value_or(std::string_view{}));
      if (!key) continue;  // nobody can ask for it
      // Its access time is outside of the checksum, so it may be anything.
      if (const auto record = record_of_3(rows); record && is_writable(*record)) {
        if (!insert_row(c, *key, *record, doing)) replace_row(c, free_bucket(c, *key, doing), *key, *record, doing);
      } else {
        insert_damaged_row(c, *key, rows.blob(9).value_or(std::string_view{}), doing);
      }
    }
  }
  c.run(
      "DROP TABLE sancho_sessions_3;"
      "CREATE INDEX sancho_sessions_due ON sancho_sessions (due);"
      "CREATE INDEX sancho_sessions_subject ON sancho_sessions (subject) WHERE subject <> x''",
      doing);
}

}  // namespace sancho::sqlite
