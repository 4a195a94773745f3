#include "stores/postgresql/postgresql_store.hpp"

#include "stores/postgresql/meaning.hpp"

namespace sancho {

std::unique_ptr<SessionStore> open_postgresql_store(std::string_view uri, const PostgresqlOptions& options) {
  auto store = std::make_unique<postgresql::PostgresqlStore>(uri, options);
  store->setup();
  return store;
}

namespace postgresql {

void PostgresqlStore::setup() {
  const auto deadline = Deadline::after(verbs_.options().open_timeout);
  carry_out_on(*pool_.take(deadline), verbs_.setup(), deadline);
}

void PostgresqlStore::grant(const Wish& wish, Floor& floor, const Each* each) {
  try {
    if (auto* const* show = std::get_if<Show*>(&wish))
      (*show)->go_on = (*each)((*show)->found);
    else
      exchange(*std::get<Exchange*>(wish));
  } catch (...) {
    floor.fail(std::current_exception());
  }
}

void PostgresqlStore::exchange(Exchange& what) {
  const auto lease = pool_.take(what.until);
  what.reply = lease->run(what.steps, what.until);
  what.fresh = lease.fresh();
  if (what.reply.failure && meaning_of(what.reply.failure->sqlstate).next == Next::elsewhere) lease->retire();
}

}  // namespace postgresql
}  // namespace sancho
