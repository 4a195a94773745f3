#include "stores/redis/verbs.hpp"

#include <algorithm>

#include "stores/redis/value.hpp"

namespace sancho::redis {

Verbs::Verbs(const RedisOptions& options, Dealings& dealings)
    : options_(options), dealings_(dealings), calls_(dealings.name(), options.name_space, options.report_expiry) {
  if (dealings_.deployment() == Deployment::cluster) tags_ = tags_by_slot();
}

StoreTraits Verbs::traits() const {
  return {.thread_safe = true,
          .multiprocess_safe = true,
          .durable = settings_.durable,
          .power_safe = settings_.power_safe,
          .linearizable = true,
          .keeps = settings_.keeps,
          .survives_failover = false,
          .distributed = true,
          .sweeps_itself = options_.report_expiry == Duration::zero()};
}

SubjectPlace Verbs::place_now(std::string_view subject) const {
  const std::lock_guard lock(mutex_);
  return place_of(subject, secret_);
}

Placed Verbs::placed(const SubjectPlace& place) const {
  if (tags_.empty()) return {place, 0};
  return {place, tags_[crc16(tag_text(place.tag)) % slot_count]};
}

std::optional<Placed> Verbs::placed_beside(const SessionKey& key, const Record& record) const {
  if (record.subject.empty()) return std::nullopt;
  auto found = placed(place_now(record.subject));
  if (found.place.tag == place_tag(key)) return found;
  throw StoreError(Trouble::refused,
                   name() + ": a record with a subject belongs under a key with the subject's routing tag");
}

// The server's answer has another form than ours have.
void Verbs::not_understood() const {
  throw StoreError(Trouble::unavailable, name() + ": the server's answer was not understood");
}

// ## The verbs

Conversation<std::optional<Record>> Verbs::load(const SessionKey& key, Deadline deadline) {
  const auto call = calls_.load(calls_.keys().record(key));
  co_return calls_.loaded(co_await dealings_.run(call, deadline));
}

// Nearly always one call. A second, when the subject has so many records that
// the cap has to be counted; more, while these change.
Conversation<CreateAnswer> Verbs::create(const SessionKey& key, const Record& record, Deadline deadline,
                                         const Admission* admission) {
  if (admission && record.subject.empty())
    throw StoreError(Trouble::refused, name() + ": an admission is for a record with a subject");
  const auto beside = placed_beside(key, record);
  std::vector<std::string> members;
  for (;;) {
    const auto call = calls_.create(key, record, beside ? &*beside : nullptr, admission, members);
    const auto reply = co_await dealings_.run(call, deadline);
    if (auto answer = calls_.created(reply, members)) co_return *std::move(answer);
    if (deadline.passed())
      throw StoreError(Trouble::contention, name() + ": the user's sessions changed until the deadline");
  }
}

Conversation<CommitAnswer> Verbs::commit(const SessionKey& key, const Version& expected, const Record& record,
                                         Deadline deadline) {
  const auto beside = placed_beside(key, record);
  const auto call = calls_.commit(key, expected, record, beside ? &beside->place : nullptr);
  co_return calls_.committed(co_await dealings_.run(call, deadline));
}

Conversation<TouchAnswer> Verbs::touch(const SessionKey& key, std::uint64_t incarnation, Time accessed,
                                       Deadline deadline) {
  const auto call = calls_.touch(key, incarnation, accessed);
  co_return calls_.touched(co_await dealings_.run(call, deadline));
}

Conversation<EraseAnswer> Verbs::erase(const SessionKey& key, const std::optional<Version>& expected,
                                       Deadline deadline) {
  const auto call = calls_.erase(key, expected);
  co_return calls_.erased(co_await dealings_.run(call, deadline));
}

// ## A subject's sessions

Conversation<Verbs::About> Verbs::ask_about(std::string_view subject, const CallFor& call, Deadline deadline) {
  for (;;) {
    About about{.place = place_now(subject), .reply = {}};
    std::vector<Call> calls;
    calls.push_back(calls_.meta());
    calls.push_back(call(about.place));
    auto replies = co_await dealings_.run_all(calls, deadline);
    const bool elsewhere = co_await take_secret(replies[0], deadline);
    if (elsewhere) continue;
    about.reply = std::move(replies[1]);
    co_return about;
  }
}

// In order. Also says where the subject has its place.
Conversation<std::vector<std::string>> Verbs::members_of(std::string_view subject, SubjectPlace& place,
                                                         Deadline deadline) {
  const CallFor call = [this](const SubjectPlace& there) { return calls_.members(there); };
  auto about = co_await ask_about(subject, call, deadline);
  place = about.place;
  std::vector<std::string> members;
  for (auto& member : about.reply.items) members.push_back(std::move(member.text));
  std::sort(members.begin(), members.end());
  co_return members;
}

// The index may name what has gone: that is taken out of it on the way. It is
// read again if it has grown meanwhile, because what is new there may have taken
// over from a record that was read too late.
Conversation<std::vector<KeyedRecord>> Verbs::find_by_subject(std::string_view subject, Deadline deadline) {
  std::vector<KeyedRecord> found;
  if (subject.empty()) co_return found;
  SubjectPlace place;
  std::vector<std::string> dead;
  for (auto members = co_await members_of(subject, place, deadline); !members.empty();) {
    found.clear();
    dead.clear();
    std::vector<Call> loads;
    Names names;
    for (const auto& member : members) {
      names.push_back(calls_.keys().member_record(place, member));
      loads.push_back(calls_.load(names.back()));
    }
    const auto records = co_await dealings_.run_all(loads, deadline);
    for (std::size_t i = 0; i < members.size(); ++i) {
      auto record = readable(records[i]);
      const auto key = calls_.keys().session(names[i]);
      if (record && key && record->subject == subject && may_open(record->state))
        found.push_back({*key, *std::move(record)});
      else
        dead.push_back(members[i]);
    }
    auto now = co_await members_of(subject, place, deadline);
    if (std::includes(members.begin(), members.end(), now.begin(), now.end())) break;
    if (deadline.passed())
      throw StoreError(Trouble::unavailable, name() + ": the subject's sessions kept changing until the deadline");
    members = std::move(now);
  }
  constexpr std::size_t most = 1000;  // keys to a script
  if (dead.size() > most) dead.resize(most);
  if (!dead.empty()) {
    const auto call = calls_.prune(place, subject, dead);
    co_await dealings_.run(call, deadline);
  }
  co_return found;
}

// ## Epochs
//
// The subject's epoch is beside its sessions. Everyone's has to be beside
// everybody's, for one script to see both: a cluster has a copy in each slot,
// and a change is written to all 16384 of them. Whoever is admitted in a slot was
// so before that slot's copy changed, or has seen the new one; when all have
// been written, no other is left.
Conversation<EpochsSeen> Verbs::epochs(std::string_view subject, Deadline deadline) {
  const auto number = [](const Reply& reply) { return reply.kind == Reply::Kind::text ? number_of(reply.text) : 0; };
  if (subject.empty()) {
    const auto call = calls_.everyone(tags_.empty() ? 0 : tags_.back());
    const auto reply = co_await dealings_.run(call, deadline);
    co_return EpochsSeen{0, reply.items.empty() ? 0 : number(reply.items[0])};
  }
  const CallFor call = [this](const SubjectPlace& place) { return calls_.epochs(placed(place)); };
  const auto about = co_await ask_about(subject, call, deadline);
  if (about.reply.items.size() != 2) not_understood();
  co_return EpochsSeen{number(about.reply.items[0]), number(about.reply.items[1])};
}

Conversation<Done> Verbs::set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline) {
  if (!subject.empty()) {
    const CallFor nothing = [this](const SubjectPlace&) { return calls_.meta(); };
    const auto about = co_await ask_about(subject, nothing, deadline);
    const auto call = calls_.set_epoch(about.place, epoch, until);
    co_await dealings_.run(call, deadline);
    co_return Done{};
  }
  if (tags_.empty()) {
    const auto call = calls_.set_everyone(0, epoch, until);
    co_await dealings_.run(call, deadline);
    co_return Done{};
  }
  std::vector<Call> calls;
  for (const auto tag : tags_) calls.push_back(calls_.set_everyone(tag, epoch, until));
  try {
    co_await dealings_.run_all(calls, deadline);
  } catch (const StoreError& e) {
    throw StoreError(e.kind(), e.what(), true);  // in some slots it was
  }
  co_return Done{};
}

}  // namespace sancho::redis
