// Walking, counting, and finding a user's sessions.
#include "stores/postgresql/verbs.hpp"

namespace sancho::postgresql {

namespace {
constexpr int page_size = 100;
}

// A statement a page, each beginning behind the last key of the one before: no
// cursor, no lock, and no connection while the records are shown.
Conversation<Done> Verbs::walk(Deadline deadline) const {
  std::string after;
  for (bool more = true; more;) {
    const Step step{Sql::walk, Parameters().bytes(after).number(page_size)};
    const auto results = co_await ask(Intent::read, step, "walking over the sessions", deadline);
    const auto& page = results.back();
    more = page.rows() == page_size;
    for (int row = 0; row < page.rows(); ++row) {
      const auto found = keyed_of(page, row, 0);
      if (!found) continue;
      Show show{*found};
      co_await show;
      if (!show.go_on) co_return Done{};
    }
    if (more) after = page.bytes(page_size - 1, 0).value_or("");
  }
  co_return Done{};
}

Conversation<std::size_t> Verbs::count(Deadline deadline) const {
  const Step step{Sql::count};
  const auto results = co_await ask(Intent::read, step, "counting the sessions", deadline);
  co_return static_cast<std::size_t>(results.back().number(0, 0).value_or(0));
}

Conversation<std::vector<KeyedRecord>> Verbs::find_by_subject(std::string_view subject, Deadline deadline) const {
  const Step step{Sql::by_subject, Parameters().bytes(subject)};
  const auto results = co_await ask(Intent::read, step, "finding a user's sessions", deadline);
  std::vector<KeyedRecord> found;
  for (int row = 0; row < results.back().rows(); ++row)
    if (auto each = keyed_of(results.back(), row, 0)) found.push_back(*std::move(each));
  co_return found;
}

}  // namespace sancho::postgresql
