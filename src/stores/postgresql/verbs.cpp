#include "stores/postgresql/verbs.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/crypto.hpp"
#include "stores/postgresql/meaning.hpp"
#include "stores/postgresql/schema.hpp"

namespace sancho::postgresql {

namespace {
const PostgresqlOptions& sensible(const PostgresqlOptions& options) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (options.name_space.size() > 32 || !std::ranges::all_of(options.name_space, fits))
    throw ConfigError("postgresql: a namespace is of at most 32 letters a-z, digits and _");
  if (options.connections == 0) throw ConfigError("postgresql: a pool needs a connection at least");
  const auto words = {"", "on", "off", "local", "remote_write", "remote_apply"};
  if (std::ranges::find(words, options.synchronous_commit) == words.end())
    throw ConfigError("postgresql: synchronous_commit must be on, off, local, remote_write or remote_apply");
  return options;
}
}  // namespace

Verbs::Verbs(std::string_view uri, const PostgresqlOptions& options)
    : options_(sensible(options)),
      tables_(options_.name_space),
      statements_(tables_),
      place_(Place::parse(uri)),
      admittance_(options_) {}

StoreTraits Verbs::traits() const {
  const auto durability = admittance_.durability();
  return {.thread_safe = true,
          .multiprocess_safe = true,
          .durable = durability.crash,
          .power_safe = durability.power,
          .linearizable = true,
          .keeps = true,
          .survives_failover = durability.failover,
          .distributed = true};
}

Conversation<Done> Verbs::setup() const { return set_up(tables_, lock_for("setup", ""), name()); }

// ## Exchanges

// What fails on a connection that was there before says nothing about the server
// of now: then another is taken, until one was opened for this call.
Conversation<std::vector<Result>> Verbs::ask(Intent intent, std::span<const Step> steps, const char* doing,
                                             Deadline deadline) const {
  const bool writing = intent == Intent::write;
  Exchange exchange{.steps = steps, .until = deadline};
  for (;;) {
    co_await exchange;
    if (!exchange.reply.failure) co_return std::move(exchange.reply.results);
    const auto& failure = *exchange.reply.failure;
    const bool in_doubt = writing && failure.maybe_done;
    const auto next = meaning_of(failure.sqlstate).next;
    const bool worth_it = next == Next::again || (next == Next::elsewhere && !exchange.fresh);
    if (!worth_it || in_doubt || failure.late || deadline.passed()) raise(name(), doing, failure, writing);
  }
}

Record Verbs::intact(const Result& result, int column) const {
  auto record = record_of(result, 0, column);
  if (!record) throw StoreError(Trouble::corrupt, name() + ": a record is damaged; it was left as it is");
  return *std::move(record);
}

void Verbs::once_more(const char* doing, Deadline deadline) const {
  if (deadline.passed())
    throw StoreError(Trouble::contention,
                     name() + ": " + doing + ": others kept changing the record until the deadline");
}

// ## The verbs
//
// Each answer begins with a number (sql.cpp). A record that was in nobody's way
// was changed by somebody else in the same moment: the statement is sent again,
// and sees what that one did.

Conversation<std::optional<Record>> Verbs::load(const SessionKey& key, Deadline deadline) const {
  const Step step{Sql::load, Parameters().bytes(key.bytes())};
  const auto found = co_await ask(Intent::read, step, "loading a session", deadline);
  if (found.back().rows() == 0) co_return std::nullopt;
  co_return intact(found.back(), 0);
}

Conversation<CreateAnswer> Verbs::create(const SessionKey& key, const Record& record, Deadline deadline,
                                         const Admission* admission) const {
  constexpr const char* doing = "creating a session";
  if (admission && record.subject.empty())
    throw StoreError(Trouble::refused, name() + ": an admission is for a record with a subject");
  const Row row(key, record, name());
  auto parameters = row.parameters_of_new();
  if (!admission) {
    const Step step{Sql::create, std::move(parameters)};
    co_return co_await create_by(std::span(&step, 1), doing, deadline);
  }
  const auto digest = sha256(std::array{std::string_view(record.subject)});
  parameters.bytes(as_text(digest))
      .number(as_signed(admission->seen.subject))
      .number(as_signed(admission->seen.everyone));
  parameters.number(admission->cap);
  const std::array steps{lock_of(record, *admission), Step{Sql::create_admitted, std::move(parameters)}};
  co_return co_await create_by(std::span(steps), doing, deadline);
}

Conversation<CreateAnswer> Verbs::create_by(std::span<const Step> steps, const char* doing, Deadline deadline) const {
  for (;; once_more(doing, deadline)) {
    const auto results = co_await ask(Intent::write, steps, doing, deadline);
    const auto& answer = results.back();
    if (answer.rows() == 0) continue;  // the key was taken in the same moment
    switch (answer.number(0, 0).value_or(-1)) {
      case 0:
        co_return Taken{intact(answer, 1)};
      case 1:
        co_return Done{};
      case 3:
        co_return Refused{Refused::Why::revoked};
      case 4:
        co_return Refused{Refused::Why::at_cap};
      default:
        break;
    }
    // An expired one is replaced, unless it is damaged.
    if (answer.bytes(0, 1)) intact(answer, 1);
  }
}

Conversation<CommitAnswer> Verbs::commit(const SessionKey& key, const Version& expected, const Record& record,
                                         Deadline deadline) const {
  constexpr const char* doing = "committing a session";
  const Row row(key, record, name());
  auto parameters = row.parameters();
  parameters.number(as_signed(expected.incarnation)).number(as_signed(expected.counter));
  const Step step{Sql::commit, std::move(parameters)};
  for (;; once_more(doing, deadline)) {
    const auto results = co_await ask(Intent::write, step, doing, deadline);
    const auto& answer = results.back();
    if (answer.rows() == 0) co_return Gone{};
    if (answer.number(0, 0) == 1) co_return Done{};
    auto current = intact(answer, 1);
    if (current.version != expected) co_return Conflict{std::move(current)};
    if (current.subject != record.subject)
      throw StoreError(Trouble::refused, name() + ": a commit may not change the subject");
  }
}

Conversation<TouchAnswer> Verbs::touch(const SessionKey& key, std::uint64_t incarnation, Time accessed,
                                       Deadline deadline) const {
  constexpr const char* doing = "touching a session";
  const Step step{Sql::touch,
                  Parameters().bytes(key.bytes()).number(as_signed(incarnation)).number(milliseconds(accessed))};
  for (;; once_more(doing, deadline)) {
    const auto results = co_await ask(Intent::write, step, doing, deadline);
    const auto& answer = results.back();
    if (answer.rows() == 0) co_return Gone{};
    if (answer.number(0, 0) == 1) co_return Done{};
  }
}

Conversation<EraseAnswer> Verbs::erase(const SessionKey& key, const std::optional<Version>& expected,
                                       Deadline deadline) const {
  constexpr const char* doing = "erasing a session";
  const auto version = expected.value_or(Version{});
  const Step step{Sql::erase, Parameters()
                                  .bytes(key.bytes())
                                  .number(as_signed(version.incarnation))
                                  .number(as_signed(version.counter))
                                  .boolean(!expected)};
  for (;; once_more(doing, deadline)) {
    const auto results = co_await ask(Intent::write, step, doing, deadline);
    const auto& answer = results.back();
    if (answer.rows() == 0) co_return Absent{};
    auto record = intact(answer, 1);
    if (answer.number(0, 0) == 1) co_return Removed{std::move(record)};
    if (expected && record.version != *expected) co_return Conflict{std::move(record)};
  }
}

}  // namespace sancho::postgresql
