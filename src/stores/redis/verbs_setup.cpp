// Opening: what the server's settings are worth, and the key that says which
// layout a namespace has and by which secret its sessions are routed.
#include <array>

#include "sancho/random.hpp"
#include "stores/redis/verbs.hpp"

namespace sancho::redis {

namespace {
constexpr int schema = 1;

bool is_there(const Reply& meta) {
  using Kind = Reply::Kind;
  return meta.items.size() == 2 && meta.items[0].kind == Kind::text && meta.items[1].kind == Kind::text;
}
}  // namespace

Conversation<Done> Verbs::open() {
  co_await setup();
  auto all = co_await settings_of_all(Deadline::after(options_.open_timeout));
  using Durability = RedisOptions::Durability;
  if (options_.durability != Durability::ask) {
    all.durable = options_.durability != Durability::none;
    all.power_safe = options_.durability == Durability::power;
  }
  settings_ = all;
  co_return Done{};
}

// Asked again while a master is being replaced.
Conversation<Settings> Verbs::settings_of_all(Deadline deadline) {
  for (;;) {
    try {
      Settings all{true, true, true};
      const auto masters = co_await dealings_.masters(deadline);
      for (const auto& node : masters) {
        const auto settings = co_await settings_of(node, deadline);
        all = all & settings;
      }
      co_return all;
    } catch (const StoreError& e) {
      const bool one = dealings_.deployment() == Deployment::server;
      if (one || e.kind() != Trouble::unavailable || deadline.passed()) throw;
    }
    co_await Pause{Duration{50}, deadline};
  }
}

Conversation<std::optional<Reply>> Verbs::ask_if_permitted(const Endpoint& node, const Command& command,
                                                           Deadline deadline) {
  try {
    co_return co_await dealings_.run_at(node, command, deadline);
  } catch (const StoreError& e) {
    if (e.kind() != Trouble::refused) throw;
  }
  co_return std::nullopt;
}

// What may not be asked does not hold.
Conversation<Settings> Verbs::settings_of(const Endpoint& node, Deadline deadline) {
  const Command about_it{"INFO", "everything"};
  const auto info = co_await ask_if_permitted(node, about_it, deadline);
  const int version = info ? major_version_in_info(info->text) : 0;
  if (version != 0 && version < 7) throw StoreError(Trouble::refused, name() + ": the server is older than Redis 7");
  const auto in_use = settings_question();
  const auto config = co_await ask_if_permitted(node, in_use, deadline);
  auto settings = config ? settings_in_config(*config) : info ? settings_in_info(info->text) : Settings{};
  // What a script writes is a transaction in Redis' log. When it is read again,
  // Redis 7.0 drops what the user named default may not do.
  for (const auto& command : replayed_commands(calls_.keys().meta())) {
    if (!settings.durable) break;
    Command question{"ACL", "DRYRUN", "default"};
    question.insert(question.end(), command.begin(), command.end());
    const auto verdict = co_await ask_if_permitted(node, question, deadline);
    if (!verdict || verdict->kind != Reply::Kind::status) settings.durable = settings.power_safe = false;
  }
  co_return settings;
}

// ## The meta key
//
// A new secret is drawn only where the namespace has no record. Otherwise
// sessions that exist would be sought in other places than they are.
Conversation<Done> Verbs::setup() {
  const auto deadline = Deadline::after(options_.open_timeout);
  const auto question = calls_.meta();
  auto meta = co_await dealings_.run(question, deadline);
  const auto secret = secret_now();
  if (secret.empty() && !is_there(meta)) {
    const bool used = co_await has_records(deadline);
    // Another process may have set the namespace up since, and made them.
    if (used) meta = co_await dealings_.run(question, deadline);
    if (used && !is_there(meta))
      throw StoreError(Trouble::refused, name() + ": there are sessions, and the key " + calls_.keys().meta() +
                                             " that says where is missing; remove the sessions, or restore it");
  }
  if (!secret.empty() || is_there(meta)) {
    co_await take_secret(meta, deadline);
    co_return Done{};
  }
  std::array<std::byte, 32> drawn{};
  system_random().fill(drawn);
  const auto call = calls_.write_meta(std::to_string(schema), std::string(as_text(drawn)));
  adopt(co_await dealings_.run(call, deadline));
  co_return Done{};
}

Conversation<bool> Verbs::has_records(Deadline deadline) {
  bool any = false;
  const EachPage page = [&any](const Names&) -> Conversation<bool> {
    any = true;
    co_return false;
  };
  co_await through_all(page, deadline);
  co_return any;
}

std::string Verbs::secret_now() const {
  const std::lock_guard lock(mutex_);
  return secret_;
}

// A meta key that somebody removed under us is written again with what it held.
Conversation<bool> Verbs::take_secret(const Reply& meta, Deadline deadline) {
  const auto before = secret_now();
  if (is_there(meta)) {
    adopt(meta);
  } else {
    const auto call = calls_.write_meta(std::to_string(schema), before);
    adopt(co_await dealings_.run(call, deadline));
  }
  co_return secret_now() != before;
}

void Verbs::adopt(const Reply& meta) {
  if (meta.items.size() != 2 || meta.items[1].text.size() != 32)
    throw StoreError(Trouble::unavailable, name() + ": the key " + calls_.keys().meta() + " is not understood");
  if (meta.items[0].text != std::to_string(schema))
    throw StoreError(Trouble::unavailable, name() + ": the namespace has layout " + meta.items[0].text +
                                               " of a newer version of sancho; run that, or use another namespace");
  const std::lock_guard lock(mutex_);
  secret_ = meta.items[1].text;
}

}  // namespace sancho::redis
