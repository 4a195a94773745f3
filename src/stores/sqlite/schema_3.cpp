#include "stores/sqlite/schema_3.hpp"

#include <array>
#include <bit>

#include "base/crc32c.hpp"
#include "base/inline_packer.hpp"
#include "stores/columns.hpp"
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
  const auto natural = [&](int column) {
    const auto n = row.integer(column);
    return n ? std::optional(std::bit_cast<std::uint64_t>(*n)) : std::nullopt;
  };
  auto record = columns::record_of({.incarnation = natural(1),
                                    .counter = natural(2),
                                    .state = natural(3),
                                    .created = row.integer(4),
                                    .accessed = row.integer(5),
                                    .idle = row.integer(6),
                                    .ends = row.integer(7),
                                    .subject = row.blob(9),
                                    .handle = row.text(10),
                                    .payload = row.blob(11)});
  if (record && row.integer(8) != checksum(*record)) record.reset();
  return record;
}

}  // namespace

void carry_over_3(Connection& c) {
  constexpr const char* doing = "upgrading its schema";
  {
    Query rows(c, Sql::rows_of_3, doing);
    while (rows.step()) {
      const auto key = SessionKey::from_bytes(rows.blob(0).value_or(std::string_view{}));
      if (!key) continue;  // nobody can ask for it
      if (const auto record = record_of_3(rows)) {
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
