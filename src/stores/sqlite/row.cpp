#include "stores/sqlite/row.hpp"

#include <array>
#include <bit>

#include "crc32c.hpp"
#include "inline_packer.hpp"

namespace sancho::sqlite {

namespace {

// SQLite's integers have a sign; versions have none.
std::int64_t as_signed(std::uint64_t v) { return std::bit_cast<std::int64_t>(v); }
std::uint64_t as_unsigned(std::int64_t v) { return std::bit_cast<std::uint64_t>(v); }

constexpr std::int64_t farthest = std::int64_t{1} << 53;
bool sane(std::int64_t ms) { return ms <= farthest && ms >= -farthest; }

// Over everything but the access time, which a touch raises alone, and the key,
// which is the session's and not the record's.
std::int64_t checksum(const Record& r, std::string_view subject, std::string_view payload) {
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
  p.text_head(subject.size());
  q.text(r.handle.text());
  const std::string_view parts[] = {bytes(before, p), subject, bytes(behind, q), payload};
  return crc32c(parts);
}

}  // namespace

void require_writable(const Record& r, const std::string& store) {
  for (const auto ms : {milliseconds(r.created), milliseconds(r.accessed), r.idle.count(), milliseconds(r.ends)})
    if (!sane(ms)) throw StoreError(Trouble::refused, store + ": a record's time is out of range");
}

namespace {
struct Values {
  std::span<sqlite3_value*> values;  // from the second column on
  sqlite3_value* at(int column) const { return values[static_cast<std::size_t>(column - 1)]; }
  auto integer(int column) const { return integer_of(at(column)); }
  auto blob(int column) const { return blob_of(at(column)); }
  auto text(int column) const { return sqlite::text_of(at(column)); }
};

template <class Row>
std::optional<RowView> checked(const Row& row) {
  const auto inc = row.integer(1), n = row.integer(2), state = row.integer(3), created = row.integer(4), accessed = row.integer(5),
             idle = row.integer(6), ends = row.integer(7), crc = row.integer(8);
  if (!inc || !n || !state || !created || !accessed || !idle || !ends || !crc) return std::nullopt;
  if (*state < 0 || *state > static_cast<int>(State::note)) return std::nullopt;
  if (!sane(*created) || !sane(*accessed) || !sane(*idle) || !sane(*ends)) return std::nullopt;
  const auto subject = row.blob(9), handle_text = row.text(10), payload = row.blob(11);
  if (!subject || !handle_text || !payload) return std::nullopt;
  const auto handle = handle_text->empty() ? Handle{} : Handle::parse(*handle_text);
  if (!handle) return std::nullopt;
  RowView view{.head = {.version = {as_unsigned(*inc), as_unsigned(*n)},
                        .state = static_cast<State>(*state),
                        .created = Time{Duration{*created}},
                        .accessed = Time{Duration{*accessed}},
                        .idle = Duration{*idle},
                        .ends = Time{Duration{*ends}},
                        .handle = *handle},
               .subject = *subject,
               .payload = *payload};
  if (checksum(view.head, *subject, *payload) != *crc) return std::nullopt;
  return view;
}
}  // namespace

std::optional<RowView> view_of(const Query& row) { return checked(row); }

std::optional<Record> record_of(const Query& row) {
  const auto view = view_of(row);
  if (!view) return std::nullopt;
  return view->copy();
}

namespace {
RowView intact(std::optional<RowView> view, const std::string& store) {
  if (!view) throw StoreError(Trouble::corrupt, store + ": a record is damaged; it was left as it is");
  return *std::move(view);
}
}  // namespace

RowView intact_view_of(const Query& row, const std::string& store) { return intact(checked(row), store); }
RowView intact_view_of(std::span<sqlite3_value*> values, const std::string& store) { return intact(checked(Values{values}), store); }

// Into the strings that are there.
void RowView::copy_to(Record& record) const {
  record.version = head.version, record.state = head.state;
  record.created = head.created, record.accessed = head.accessed, record.idle = head.idle, record.ends = head.ends;
  record.subject.assign(subject);
  record.handle = head.handle;
  record.payload.assign(payload);
}

Record RowView::copy() const {
  Record record;
  copy_to(record);
  return record;
}

std::string raw_key_of(const Query& row) { return std::string(row.blob(0).value_or(std::string_view{})); }

namespace {
void bind_head(Query& query, const SessionKey& key, const Record& r, Time accessed) {
  query.bind_blob(key.bytes()).bind(as_signed(r.version.incarnation)).bind(as_signed(r.version.counter));
  query.bind(static_cast<std::int64_t>(r.state)).bind(milliseconds(r.created)).bind(milliseconds(accessed));
  query.bind(r.idle.count()).bind(milliseconds(r.ends)).bind(checksum(r, r.subject, r.payload));
}
}  // namespace

void bind_new(Query& query, const SessionKey& key, const Record& r) {
  bind_head(query, key, r, r.accessed);
  query.bind_blob(r.subject).bind_text(r.handle.text()).bind_blob(r.payload).bind(milliseconds(r.expires()));
}

void bind_commit(Query& query, const SessionKey& key, const Record& r, Time accessed) {
  bind_head(query, key, r, accessed);
  query.bind_text(r.handle.text()).bind_blob(r.payload);
}

}  // namespace sancho::sqlite
