#include "request.hpp"

#include <stdexcept>

#include "sancho/msgpack.hpp"

namespace sancho::proof {

using namespace protocol;

std::string packed_text(std::string_view text) {
  Packer p;
  p.text(text);
  return std::move(p).take();
}

std::string packed_number(std::int64_t number) {
  Packer p;
  p.integer(number);
  return std::move(p).take();
}

namespace {
const Rules rules;

Secret32 secret_of(char who) {
  Secret32 secret;
  secret.fill(static_cast<std::byte>(who));
  return secret;
}

bool holds_anything(const Payload& p) { return !p.user.empty() || !p.slots.empty() || !p.tokens.empty(); }
}  // namespace

// ## The request

const Op* Request::resume(Universe& universe, Answer& answer) {
  Chance chance(universe.names, who_, drawn_);
  Env env{.name_space = "", .rules = rules, .random = chance, .now = now};
  try {
    return run(universe, env, answer);
  } catch (const StoreError& e) {
    result.outcome = Ended::trouble;
    result.trouble = e.what();
    return nullptr;
  }
}

const Op* Request::run(Universe& universe, Env& env, Answer& answer) {
  if (const auto* found = std::get_if<Found>(&answer)) met_ = word_of(found->record.handle);
  if (const auto* epochs = std::get_if<EpochsSeen>(&answer)) result.late = epochs->subject != 0;
  if (result.does == Does::end_all) return end_all(universe, env, answer);
  SANCHO_BEGIN
  begin_.emplace(result.presented ? std::optional(universe.names.id(result.presented)) : std::nullopt);
  SANCHO_RUN(*begin_);
  began();
  if (result.does == Does::consume) {
    if (!seat_.hand) {
      result.outcome = Ended::refused;
      return nullptr;
    }
    claim_.emplace(*seat_.hand, Delta{}, the_token);
    SANCHO_RUN(*claim_);
    consumed();
    if (result.outcome == Ended::in_doubt) return nullptr;
  }
  if (result.does == Does::logout) {
    log_out_.emplace(env, seat_.presented, seat_.hand);
    SANCHO_RUN(*log_out_);
    log_out_.reset();
    seat_.leave();
  }
  if (seat_.hand) SANCHO_ASK(Op{});
  intent_.emplace(intent());
  first_ = at_once(env);
  if (first_) {
    SANCHO_ASK((Commit{seat_.hand->key, seat_.hand->record->version, first_->record}));
    if (std::holds_alternative<Done>(answer)) {
      kept_at_once();
      return nullptr;
    }
    go_on(env);
  } else {
    finish_.emplace(seat_, std::move(*intent_));
  }
  intent_.reset();
  SANCHO_RUN(*finish_);
  finished(universe.names);
  SANCHO_END;
}

// As the manager does it: change the epoch, then end what is found.
const Op* Request::end_all(Universe& universe, Env& env, Answer& answer) {
  SANCHO_BEGIN
  SANCHO_ASK((Create{universe.epoch_key(), universe.epoch_record(), {}}));
  while (std::holds_alternative<Lost>(answer)) SANCHO_ASK_AGAIN();
  SANCHO_ASK(Find{"U1"});
  for (const auto& each : std::get<Sessions>(answer).found) doomed_.push_back(each.key);
  while (!doomed_.empty()) {
    end_.emplace(doomed_.back());
    doomed_.pop_back();
    SANCHO_RUN(*end_);
  }
  end_.reset();
  result.outcome = Ended::out;
  SANCHO_END;
}

void Request::began() {
  seat_ = std::move(begin_->seat);
  begin_.reset();
  result.saw = seat_.saw;
  if (seat_.hand) result.base = slots_of(unseal(*seat_.hand->record));
  if (seat_.hand) result.handle = word_of(seat_.hand->record->handle);
  else if (seat_.saw == Saw::ended) result.handle = met_;
}

void Request::consumed() {
  switch (claim_->outcome) {
    case Outcome::claimed: result.outcome = Ended::claimed; break;
    case Outcome::refused: result.outcome = Ended::refused; break;
    case Outcome::in_doubt: result.outcome = Ended::in_doubt; break;
    default: throw std::logic_error("a claim that is neither won nor refused");
  }
  if (claim_->merges > 0) seat_.alone = false;
  seat_.now_at(std::move(claim_->hand));
  claim_.reset();
}

// ## What the handler did

Delta Request::delta(const Payload& view) const {
  const auto base = [&](std::string_view slot) {
    const auto* held = view.find(slot);
    return held ? held->value : std::string();
  };
  const auto set = [&](const char* slot, std::string mine, MergeKind merge = MergeKind::last_writer) {
    return Delta{.slots = {{slot, base(slot), std::move(mine), {merge, 0, {}}}}, .tokens_made = {}, .tokens_removed = {}, .given_back = {}, .user = {}};
  };
  const std::string me(1, who_);
  switch (result.does) {
    case Does::write_a: return set("a", packed_text(me));
    case Does::write_b: return set("b", packed_text(me));
    case Does::erase_a: return view.find("a") ? set("a", "") : Delta{};
    case Does::inc:
    case Does::rotate_inc: return set("n", packed_number(slots_of(view).n.value_or(0) + 1), MergeKind::add);
    case Does::empty: {
      Delta all;
      for (const auto& slot : view.slots) {
        const auto merge = slot.name == "n" ? MergeKind::add : MergeKind::last_writer;
        all.slots.push_back({slot.name, slot.value, "", {merge, 0, {}}});
      }
      all.tokens_removed = view.tokens;
      return all;
    }
    default: return {};
  }
}

Intent Request::intent() const {
  Intent intent;
  Payload view;
  if (seat_.hand) view = unseal(*seat_.hand->record);
  intent.delta = delta(view);
  Payload after = view;
  apply(after, intent.delta, rules.max_tokens);
  intent.has_info = result.does != Does::empty && holds_anything(after);
  intent.touch = result.does == Does::touch;
  intent.rotate = result.does == Does::rotate || result.does == Does::rotate_inc;

  const bool reauth = result.does == Does::reauth && seat_.hand;
  const bool login = is_login(result.does) || result.does == Does::reauth;
  auto& [heir, payload, secret] = intent.heir.emplace();
  heir = {.version = {}, .state = State::live, .created = now, .accessed = now, .idle = std::chrono::hours(1),
          .ends = now + std::chrono::hours(24), .subject = {}, .handle = handle_of(std::string("h") + who_), .payload = {}};
  payload.issued = now;
  secret = secret_of(who_);
  if (!login) return intent;
  intent.replace = reauth ? EndReason::reauth : EndReason::login;
  heir.subject = seat_.hand && (seat_.hand->record->subject == "U1") != reauth ? "U2" : "U1";
  if (is_login(result.does) && result.does != Does::login) {
    intent.terms.emplace();
    if (is_capped(result.does)) intent.terms->cap = 1;
    if (result.does == Does::login_evict) intent.terms->at_cap = AtCap::evict_oldest;
  }
  payload.user = packed_text(heir.subject);
  payload.authenticated = now;
  if (!seat_.hand) return intent;
  if (reauth) heir.handle = seat_.hand->record->handle;
  payload.slots = view.slots;
  payload.user_agent = word_of(seat_.hand->record->handle);  // whose heir, for the checks
  return intent;
}

// ## The short way, as the manager goes it

std::optional<Amendment> Request::at_once(Env& env) const {
  if (!seat_.hand || !seat_.presented || !seat_.hand->id.same_as(*seat_.presented)) return std::nullopt;
  return first_commit(env, seat_, PayloadView(*seat_.hand->record), *intent_);
}

// What it asks first has been answered.
void Request::go_on(Env& env) {
  finish_.emplace(seat_, std::move(*intent_), std::move(first_));
  first_.reset();
  Answer none;
  finish_->resume(env, none);
}

void Request::kept_at_once() {
  if (!has_outcome()) result.outcome = Ended::kept;
  intent_.reset();
  first_.reset();
  seat_ = {};
}

// ## How it ended

bool Request::has_outcome() const { return result.outcome == Ended::claimed || result.outcome == Ended::refused; }

void Request::finished(Names& names) {
  const auto& f = *finish_;
  if (!has_outcome()) switch (f.outcome) {
      case Outcome::ok: result.outcome = Ended::ok; break;
      case Outcome::kept: result.outcome = Ended::kept; break;
      case Outcome::dropped: result.outcome = Ended::dropped; break;
      case Outcome::won: result.outcome = Ended::won; break;
      case Outcome::lost: result.outcome = Ended::lost; break;
      case Outcome::at_cap: result.outcome = Ended::at_cap; break;
      case Outcome::emptied: result.outcome = Ended::emptied; break;
      case Outcome::in_doubt: result.outcome = Ended::in_doubt; break;
      default: throw std::logic_error("a request ended in a way that is none");
    }
  if (f.cookie) result.cookie = names.of(*f.cookie);
  if (f.delete_cookie) result.cookie = deletion;
  if (is_login(result.does) || result.does == Does::reauth)
    result.heir = result.does == Does::reauth && result.saw == Saw::session ? result.handle : std::string("h") + who_;
  else if (f.created)
    result.handle = word_of(f.hand->record->handle);
  if (result.does == Does::logout) {
    result.outcome = Ended::out;
    if (result.presented) result.cookie = deletion;
  }
  finish_.reset();
  seat_ = {};
}

std::string Result::show(const Names& names) const {
  constexpr std::string_view outcomes[] = {"ok", "kept", "claimed", "refused", "dropped", "won", "lost", "refused at the cap", "emptied", "out", "in doubt", "trouble: "};
  std::string out(outcomes[static_cast<std::size_t>(outcome)]);
  out += trouble;
  if (cookie == deletion) out += ", deletes the cookie";
  else if (cookie) out += ", Set-Cookie " + names.label(cookie);
  return out;
}

std::string Request::fingerprint() const {
  Fingerprint f;
  f(who_, drawn_, at_, met_, seat_, begin_, claim_, log_out_, intent_, first_, finish_, doomed_, end_, op_);
  f(result.does, result.presented, result.saw, result.handle, result.outcome, result.cookie, result.base.a, result.base.b,
    result.base.n, result.heir, result.late, result.trouble);
  return std::move(f).take();
}

}  // namespace sancho::proof
