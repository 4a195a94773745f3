#include "sancho/session.hpp"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <ostream>
#include <typeinfo>

#include "base/base64url.hpp"
#include "base/checks.hpp"
#include "base/crypto.hpp"
#include "base/spare_block.hpp"
#include "protocol/payload.hpp"
#include "sancho/csrf.hpp"
#include "sancho/manager_base.hpp"
#include "session/scope_state.hpp"

namespace sancho {

// ## SimpleSession

SimpleSession::SimpleSession(const SessionContext& context)
    : scope_(context.scope),
      clock_(context.clock),
      random_(context.random),
      record_(context.record),
      payload_(context.payload) {
  if (!record_) {
    created_ = accessed_ = clock_.now();
    remote_address_ = context.remote_address;
    described_ = true;
    return;
  }
  const auto& payload = *payload_;
  handle_ = record_->handle;
  created_ = record_->created;
  accessed_ = record_->accessed;
  authenticated_ = payload.authenticated;
  issued_ = payload.issued;
  persistent_ = payload.persistent;
}

// Where the scope has no state any more, the strings just go.
SimpleSession::~SimpleSession() {
  const auto* state = scope_.state_.get();
  if (!state || !user_read_) return;
  ScopeBase::Room::leave(state->room.user, user_.value_);
  ScopeBase::Room::leave(state->room.subject, user_.subject_);
}

void SimpleSession::describe() const {
  if (described_ || !payload_) return;
  remote_address_ = payload_->remote_address;
  user_agent_ = payload_->user_agent;
  described_ = true;
}

// ## Memory for sessions

void* SimpleSession::operator new(std::size_t size) { return SpareBlocks::take(size); }
void* SimpleSession::operator new(std::size_t size, std::align_val_t align) { return ::operator new(size, align); }

void SimpleSession::operator delete(void* memory, std::size_t size) noexcept { SpareBlocks::give(memory, size); }
void SimpleSession::operator delete(void* memory, std::size_t, std::align_val_t align) noexcept {
  ::operator delete(memory, align);
}

const User& SimpleSession::user() const {
  const auto held = use();
  if (user_set_ || user_read_ || !record_ || record_->subject.empty()) return user_;
  auto& room = scope_.state_->room;
  if (payload_->user.size() > user_.value_.capacity()) user_.value_.swap(room.user);
  if (record_->subject.size() > user_.subject_.capacity()) user_.subject_.swap(room.subject);
  user_.value_.assign(payload_->user);
  user_.subject_.assign(record_->subject);
  user_read_ = true;
  return user_;
}

std::string_view SimpleSession::user_bytes() const {
  if (user_set_ || !record_) return user_.value_;
  return record_->subject.empty() ? std::string_view{} : payload_->user;
}

std::optional<std::string_view> SimpleSession::user_value() const {
  const auto held = use();
  return has_user() ? std::optional(user_bytes()) : std::nullopt;
}

void SimpleSession::set_user(User user) {
  const auto held = use();
  if (has_user() && user.subject() != subject()) leave_user();
  user_ = std::move(user);
  user_set_ = true;
}

void SimpleSession::blank() {
  describe();
  user_ = User{};
  handle_ = Handle{};
  record_ = nullptr;
  payload_ = nullptr;
  authenticated_.reset();
  persistent_ = keep_said_ = reauthenticated_ = renew_id_ = false;
}

void SimpleSession::reauthenticated() {
  const auto held = use();
  reauthenticated_ = true;
}

void SimpleSession::keep_logged_in(bool keep) {
  const auto held = use();
  persistent_ = keep;
  keep_said_ = true;
}

void SimpleSession::renew_id() {
  const auto held = use();
  renew_id_ = true;
}

Duration SimpleSession::get_creation_age(std::optional<Time> now) const { return now.value_or(clock_.now()) - created_; }

Duration SimpleSession::get_access_age(std::optional<Time> now) const { return now.value_or(clock_.now()) - accessed_; }

std::optional<Duration> SimpleSession::get_auth_age(std::optional<Time> now) const {
  if (!has_user()) return std::nullopt;
  const auto at = now.value_or(clock_.now());
  // Logged in by this very request.
  if (reauthenticated_ || !authenticated_ || !record_ || record_->subject != subject()) return Duration::zero();
  return at - *authenticated_;
}

bool SimpleSession::has_info() const { return has_user(); }

bool SimpleSession::set_access_time(Duration resolution, Time now) {
  if (now - accessed_ <= resolution) return false;
  accessed_ = now;
  return true;
}

namespace {
std::string name_of(const Handle& handle) { return handle.empty() ? "None" : std::string(handle.text()); }

std::string local(Time t) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
  std::tm tm{};
  localtime_r(&seconds, &tm);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm)};
}
}  // namespace

std::string SimpleSession::to_string() const {
  if (has_user()) return fmt::format("session {} (user {})", name_of(handle_), subject());
  return fmt::format("session {} (no user)", name_of(handle_));
}

std::string SimpleSession::repr() const {
  const std::unique_ptr<char, decltype(&std::free)> name(abi::__cxa_demangle(typeid(*this).name(), nullptr, nullptr, nullptr), &std::free);
  return fmt::format("<{} at {:x}: {}>", name ? name.get() : "Session", reinterpret_cast<std::uintptr_t>(this), name_of(handle_));
}

void SimpleSession::dump(std::ostream& out, bool header, bool /*deep*/) const {
  if (header) out << fmt::format("session {}:", name_of(handle_));
  out << fmt::format("  user {}", has_user() ? subject() : "None");
  out << fmt::format("  _remote_address: {}", get_remote_address());
  out << fmt::format("  created {}, last accessed {}", local(created_), local(accessed_));
  out << fmt::format("  _form_tokens: {}\n", form_token_count());
}

SessionUse SimpleSession::use() const {
  if constexpr (!checks) return SessionUse(nullptr);
  if (!open_) misused({Rule::used_in_time, "rule broken: a session is used after its request has finished"});
  if (const auto broken = scope_.out_of_turn()) misused(*broken);
  return SessionUse(scope_.begin_use() ? &scope_ : nullptr);
}

// ## Slots

namespace {
constexpr std::string_view flash_slot = "_flash";
}  // namespace

Session::Session(const SessionContext& context) : SimpleSession(context) { full_ = this; }
Session::~Session() = default;

void Session::check_name(std::string_view name) const {
  if (name.empty() || name.size() > 64) throw UsageError("a slot's name has 1 to 64 characters");
  if (name.front() == '_') throw UsageError("slot names that begin with an underscore are the library's own: '" + std::string(name) + "'");
}

std::optional<std::string_view> Session::loaded_bytes(std::string_view name) const {
  if (!record_ || (record_is_anothers() && name != flash_slot)) return std::nullopt;
  return payload_->slot(name);
}

std::optional<std::string_view> Session::slot_bytes(std::string_view name) const {
  const auto held = use();
  for (const auto& edit : edits_)
    if (edit.name == name) return edit.bytes.empty() ? std::nullopt : std::optional<std::string_view>(edit.bytes);
  return loaded_bytes(name);
}

void Session::put_slot(std::string_view name, std::string bytes, Merge merge) {
  const auto held = use();
  for (auto& edit : edits_)
    if (edit.name == name) {
      edit.bytes = std::move(bytes);
      edit.merge = std::move(merge);
      return;
    }
  edits_.push_back({std::string(name), std::move(bytes), std::move(merge)});
}

void Session::blank() {
  SimpleSession::blank();
  for (auto* slot = slots_; slot; slot = slot->next_) slot->forget();
  edits_.clear();
  tokens_made_.clear();
  tokens_removed_.clear();
}

// Messages stay: "you have been logged out" is for whoever sits there.
void Session::leave_user() {
  for (auto* slot = slots_; slot; slot = slot->next_) slot->forget();
  std::erase_if(edits_, [](const Edit& e) { return e.name != flash_slot; });
  tokens_made_.clear();
}

bool Session::erase(std::string_view name) {
  const bool was = contains(name);
  const auto* slot = declared(name);
  put_slot(name, {}, slot ? slot->options().merge : Merge{});
  return was;
}

const SlotBase* Session::declared(std::string_view name) const {
  for (const auto* slot = slots_; slot; slot = slot->next_)
    if (slot->name() == name) return slot;
  return nullptr;
}

void Session::write_back() {
  for (auto* slot = slots_; slot; slot = slot->next_) slot->write_back();
}

// A slot that is declared may hold an edit nobody has encoded yet, so each is
// asked for the bytes it would be saved with.
bool Session::has_info() const {
  if (SimpleSession::has_info() || form_token_count() > 0) return true;
  for (const auto* slot = slots_; slot; slot = slot->next_)
    if (slot->holds()) return true;
  const auto counts = [&](std::string_view name) { return !declared(name); };
  for (const auto& edit : edits_)
    if (counts(edit.name) && !SlotBase::hollow(edit.bytes)) return true;
  if (!record_) return false;
  if (payload_->slots.empty()) return false;
  Unpacker u(payload_->slots);
  for (auto pairs = u.map(); pairs > 0; --pairs) {
    const auto name = u.text();
    const auto value = u.value();
    if (record_is_anothers() && name != flash_slot) continue;
    const bool edited = std::any_of(edits_.begin(), edits_.end(), [&](const Edit& e) { return e.name == name; });
    if (counts(name) && !edited && !SlotBase::hollow(value)) return true;
  }
  return false;
}

// ## Form tokens

Session::TokenDigest Session::digest(std::string_view token) {
  const std::string_view parts[] = {"sancho form token", token};
  const auto whole = sha256(parts);
  TokenDigest half;
  std::copy_n(whole.begin(), half.size(), half.begin());
  return half;
}

std::string Session::create_form_token() {
  const auto held = use();
  std::array<std::byte, 16> bytes;
  random_.fill(bytes);
  auto token = base64url(bytes);
  tokens_made_.push_back(digest(token));
  // The oldest give way, and that is those of earlier requests first.
  const auto most = std::clamp<std::size_t>(max_form_tokens(), 1, 256);
  for (const auto& loaded : loaded_tokens()) {
    if (form_token_count() <= most) break;
    tokens_removed_.push_back(loaded);
  }
  if (tokens_made_.size() > most) tokens_made_.erase(tokens_made_.begin());
  return token;
}

namespace {
template <class List>
auto place_of(List& list, const std::array<std::byte, 16>& token) {
  return std::find_if(list.begin(), list.end(), [&](const auto& t) { return same_secret(t, token); });
}
bool in(const auto& list, const std::array<std::byte, 16>& token) { return place_of(list, token) != list.end(); }
}  // namespace

std::vector<Session::TokenDigest> Session::loaded_tokens() const {
  if (!record_ || record_is_anothers()) return {};
  std::vector<TokenDigest> all;
  const auto& payload = *payload_;
  for (std::size_t i = 0; i < payload.token_count(); ++i) {
    TokenDigest token;
    std::copy_n(as_bytes(payload.tokens.substr(i * token.size(), token.size())).begin(), token.size(), token.begin());
    if (!in(tokens_removed_, token)) all.push_back(token);
  }
  return all;
}

bool Session::has_form_token(std::string_view token) const {
  const auto held = use();
  const auto wanted = digest(token);
  return in(tokens_made_, wanted) || in(loaded_tokens(), wanted);
}

bool Session::remove_form_token(std::string_view token) {
  if (!has_form_token(token)) return false;
  const auto wanted = digest(token);
  if (const auto made = place_of(tokens_made_, wanted); made != tokens_made_.end()) tokens_made_.erase(made);
  else tokens_removed_.push_back(wanted);
  return true;
}

std::size_t Session::form_token_count() const { return loaded_tokens().size() + tokens_made_.size(); }

std::optional<FormClaim> Session::consume_form_token(std::string_view token) { return scope_.consume(token); }

bool FormClaim::give_back() { return scope_->give_back(*this); }

bool Session::made_here(const TokenDigest& token) const { return in(tokens_made_, token); }

void Session::take_out(const TokenDigest& token) {
  if (in(loaded_tokens(), token)) tokens_removed_.push_back(token);
}

std::string Session::csrf_token(std::string_view form) {
  const auto held = use();
  const auto secret = scope_.csrf_secret(true);
  return secret ? mask_csrf_token(*secret, form, random_) : std::string();
}

bool Session::check_csrf_token(std::string_view token, std::string_view form) {
  const auto held = use();
  return scope_.csrf_matches(token, form);
}

// ## Flash
//
// A set of [number, text], so that two requests that add the same text both
// count, and one that takes them away takes only what it saw.

namespace {
using Flashes = std::vector<std::pair<std::uint64_t, std::string>>;
}  // namespace

void Session::flash(std::string_view message) {
  const auto held = use();
  auto all = get<Flashes>(flash_slot).value_or(Flashes{});
  all.emplace_back(random_.draw_u64(), message);
  // Nobody reads more at once, and who never reads any must not fill the store.
  if (all.size() > max_flashes) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(max_flashes));
  put_slot(flash_slot, encode(all), Merge::set_union());
}

std::vector<std::string> Session::take_flashes() {
  const auto held = use();
  std::vector<std::string> messages;
  for (auto& [number, text] : get<Flashes>(flash_slot).value_or(Flashes{})) messages.push_back(std::move(text));
  if (!messages.empty()) put_slot(flash_slot, {}, Merge::set_union());
  return messages;
}

}  // namespace sancho
