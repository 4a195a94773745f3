#include "stores/mysql/row.hpp"

#include "stores/mysql/statements.hpp"

namespace sancho::mysql {

namespace {
constexpr std::int64_t farthest = std::int64_t{1} << 53;
bool sane(std::int64_t ms) { return ms <= farthest && ms >= -farthest; }
}  // namespace

void require_writable(const Record& r, const std::string& store) {
  for (const auto ms : {milliseconds(r.created), milliseconds(r.accessed), r.idle.count(), milliseconds(r.ends)})
    if (!sane(ms)) throw StoreError(Trouble::refused, store + ": a record's time is out of range");
}

std::optional<Record> record_of(const Answer& row, unsigned first) {
  const auto inc = row.natural(first), n = row.natural(first + 1), state = row.natural(first + 2);
  const auto created = row.integer(first + 3), accessed = row.integer(first + 4), idle = row.integer(first + 5),
             ends = row.integer(first + 6);
  if (!inc || !n || !state || !created || !accessed || !idle || !ends) return std::nullopt;
  if (*state > static_cast<std::uint64_t>(State::note)) return std::nullopt;
  if (!sane(*created) || !sane(*accessed) || !sane(*idle) || !sane(*ends)) return std::nullopt;
  const auto handle_text = row.text(first + 7), subject = row.text(first + 8), payload = row.text(first + 9);
  if (!handle_text || !subject || !payload) return std::nullopt;
  const auto handle = handle_text->empty() ? Handle{} : Handle::parse(*handle_text);
  if (!handle) return std::nullopt;
  return Record{.version = {*inc, *n},
                .state = static_cast<State>(*state),
                .created = Time{Duration{*created}},
                .accessed = Time{Duration{*accessed}},
                .idle = Duration{*idle},
                .ends = Time{Duration{*ends}},
                .subject = std::string(*subject),
                .handle = *handle,
                .payload = std::string(*payload)};
}

Record intact_record_of(const Answer& row, unsigned first, const std::string& store) {
  auto record = record_of(row, first);
  if (!record) throw StoreError(Trouble::corrupt, store + ": a record is damaged; it was left as it is");
  return *std::move(record);
}

Time time_of(const Answer& row) { return Time{Duration{row.integer(0).value_or(0)}}; }

}  // namespace sancho::mysql
