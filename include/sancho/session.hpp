// # Session
//
// What is remembered of one browser. The manager makes one for each request,
// from the record that the request's cookie opened, or from nothing; at the end
// of the request it saves what changed. A session belongs to its request and to
// the thread, or the coroutine, that serves it: it is neither copied, nor moved,
// nor kept.
//
// Two classes, as the seed's footnote proposes: `SimpleSession` knows who is
// there and since when; `Session` adds slots and form tokens. Applications
// derive from either and give the class to their `SessionManager`:
//
//     struct ShopSession : sancho::Session {
//       using Session::Session;
//       sancho::Slot<Cart> cart{*this, "cart"};
//       bool has_info() const override { return Session::has_info() || cart.present(); }
//     };
//
// Everything waits for the end of the request, except `consume_form_token` and
// the manager's `expire_session` and revocations: these act at once and stay.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "sancho/event.hpp"
#include "sancho/export.hpp"
#include "sancho/record.hpp"
#include "sancho/slot.hpp"
#include "sancho/user.hpp"

namespace sancho::protocol {
struct PayloadView;
}  // namespace sancho::protocol

namespace sancho SANCHO_EXPORT {

class ManagerBase;
class ScopeBase;

// The right to submit one form once, won by `consume_form_token`. Valid until
// the end of its request.
class FormClaim {
 public:
  // The same for the same submission and for no other: an idempotency key to
  // keep beside the order that the form was for. 16 hexadecimal digits.
  const std::string& id() const { return id_; }

  // Puts the token back, so that the form may be submitted again: for a handler
  // that found it could not do its work. Acts at once, and once: false if it was
  // given back before (even if another request has consumed it since), or if
  // the session has ended. Throws `StoreError`. (A coroutine awaits `give_back`
  // of its scope instead.)
  bool give_back();

 private:
  friend class ScopeBase;
  FormClaim(ScopeBase& scope, std::array<std::byte, 16> token, std::uint64_t attempt, std::string id)
      : scope_(&scope), token_(token), attempt_(attempt), id_(std::move(id)) {}
  ScopeBase* scope_;
  std::array<std::byte, 16> token_;
  std::uint64_t attempt_;
  std::string id_;
};

// What a session is made from. Made by the manager only; a subclass passes it
// on by `using Session::Session`.
struct SessionContext {
  ScopeBase& scope;
  const Clock& clock;
  RandomSource& random;
  const Record* record;             // null for a new visitor; outlives the session
  const protocol::PayloadView* payload;  // what is in it, taken apart; likewise
  std::string_view remote_address;  // of this request
};

class SimpleSession {
 public:
  explicit SimpleSession(const SessionContext& context);
  virtual ~SimpleSession();
  SimpleSession(const SimpleSession&) = delete;
  SimpleSession& operator=(const SimpleSession&) = delete;

  // A thread makes one session after the other, so it keeps the memory of the last
  // few for the next.
  static void* operator new(std::size_t size);
  static void* operator new(std::size_t size, std::align_val_t align);
  static void* operator new(std::size_t, void* place) noexcept { return place; }
  static void operator delete(void* memory, std::size_t size) noexcept;
  static void operator delete(void* memory, std::size_t size, std::align_val_t align) noexcept;
  static void operator delete(void*, void*) noexcept {}

  // The session's public name, or an empty one before it was first saved. The
  // seed's `id` is the cookie's value; ours is the handle, because the secret
  // has no business in application code, logs or pages.
  Handle id() const { return handle_; }

  // Who is there; converts to false for nobody. Read it as the type that was
  // set: `session.user().as<Account>()`.
  const User& user() const;

  // The same, typed: nothing for nobody. Throws `DecodeError` if the user was
  // set as another type.
  template <Encodable T = std::string>
  std::optional<T> get_user() const {
    const auto value = user_value();
    if (!value) return std::nullopt;
    try {
      return decode<T>(*value);
    } catch (const DecodeError& e) {
      throw DecodeError(std::string("the user does not decode as its type: ") + e.what());
    }
  }

  // The preferred way to set the user. Override it to check types: throw, and
  // nothing has changed. Another subject is a login (or with `User{}` a logout
  // that keeps what is not the user's): it is decided at the end of the request,
  // gives a new id and new form secrets, and ends the old id. What belongs to
  // the user who was there is out of sight from now on, and what this request
  // wrote for them is not kept.
  virtual void set_user(User user);

  // Says that the user proved themselves again: a new id, both timers start
  // anew, `get_auth_age` is zero. Decided at the end of the request.
  void reauthenticated();

  // "Keep me logged in": the session gets the policy's longer limits and its
  // cookie a Max-Age. Call it with a login.
  void keep_logged_in(bool keep = true);
  bool kept_logged_in() const { return persistent_; }

  // Asks for a new id at the end of this request, whether due or not.
  void renew_id();

  // The address that made the session's first request.
  const std::string& get_remote_address() const {
    describe();
    return remote_address_;
  }
  // ... and the browser's name for itself then, cut at 200 bytes.
  const std::string& get_user_agent() const {
    describe();
    return user_agent_;
  }

  // When it was made and last accessed. A request in progress counts as an
  // access only when it ends, and only once per access-time resolution.
  Time get_creation_time() const { return created_; }
  Time get_access_time() const { return accessed_; }
  // How long ago that is: at `now`, or at the manager's clock.
  Duration get_creation_age(std::optional<Time> now = {}) const;
  Duration get_access_age(std::optional<Time> now = {}) const;
  // Since the user last logged in or reauthenticated; nothing for nobody.
  std::optional<Duration> get_auth_age(std::optional<Time> now = {}) const;

  // Does it contain anything that must be saved? A session without info is not
  // stored and has no cookie; one that lost its info is removed.
  virtual bool has_info() const;

  // Called near the beginning of each request, when the session stands and
  // before the handler runs. Override it; the default does nothing.
  virtual void start_request() {}

  // `session HANDLE (user ada)`, or `(no user)`.
  std::string to_string() const;
  // `<ShopSession at 7f…: HANDLE>`.
  std::string repr() const;
  // In the seed's layout, for operators. Never a secret: where the seed prints
  // ids and tokens, this prints the handle and a count. `deep` is for
  // subclasses that have more to show, as in the seed.
  virtual void dump(std::ostream& out, bool header = true, bool deep = true) const;

 protected:
  // For functions of your own that read or write the session: hold what comes
  // back while you do. In a library with checks (misuse.hpp) it catches who uses
  // the session after its request, from another thread than the one that serves
  // it, or, where coroutines serve it, by two at once.
  [[nodiscard]] SessionUse use() const;
  virtual std::size_t form_token_count() const { return 0; }
  ScopeBase& scope_;
  const Clock& clock_;
  RandomSource& random_;
  const Record* record_;  // what it was made from; null for a new visitor
  const protocol::PayloadView* payload_;  // likewise

  // After a logout: nothing of the session is left in it.
  virtual void blank();
  // Another user is about to be set: what was written for the last one goes.
  virtual void leave_user() {}
  // Is the record somebody's who is not the user any more?
  bool record_is_anothers() const { return user_set_ && record_ && !record_->subject.empty() && record_->subject != user_.subject(); }

 private:
  friend class ManagerBase;
  friend class ScopeBase;
  friend class Session;
  // Most requests never ask where the session began, so it is looked up when one does.
  void describe() const;
  // Nor do most ask for a `User`: until this request sets one it is who the record
  // says.
  bool has_user() const { return !subject().empty(); }
  const std::string& subject() const { return user_set_ || !record_ ? user_.subject() : record_->subject; }
  std::optional<std::string_view> user_value() const;
  std::string_view user_bytes() const;  // the value, or nothing at all
  // The seed's `_set_access_time`: raises the access time to now if it is older
  // than `resolution`. True if it did.
  bool set_access_time(Duration resolution, Time now);

  Handle handle_;
  mutable User user_;
  mutable bool user_read_ = false;  // it is the record's
  mutable std::string remote_address_, user_agent_;
  mutable bool described_ = false;
  Session* full_ = nullptr;  // itself, if it is one
  Time created_, accessed_;
  std::optional<Time> authenticated_;
  Time issued_{};          // when the id of `record_` was made
  bool user_set_ = false;  // by this request
  bool persistent_ = false;
  bool keep_said_ = false;  // by this request, for the user it sets
  bool reauthenticated_ = false;
  bool renew_id_ = false;
  bool open_ = true;
};

class Session : public SimpleSession {
 public:
  explicit Session(const SessionContext& context);
  ~Session() override;

  // Also true for a slot that holds something and for outstanding form tokens.
  // (The seed counts the user only, and so forgets an anonymous cart.)
  bool has_info() const override;

  // ## Slots without a class: the package's DictSession
  //
  // Do not use one name both ways in one session class.

  // The value, or nothing. Throws `DecodeError` if it is of another type.
  template <Encodable T>
  std::optional<T> get(std::string_view name) const {
    const auto bytes = slot_bytes(name);
    if (!bytes) return std::nullopt;
    try {
      return decode<T>(*bytes);
    } catch (const DecodeError& e) {
      throw DecodeError("slot '" + std::string(name) + "' does not decode as its type: " + e.what());
    }
  }
  // Sets it. The names are the application's, but for a leading underscore.
  template <Encodable T>
  void set(std::string_view name, const T& value, Merge merge = {}) {
    check_name(name);
    put_slot(name, encode(value), std::move(merge));
  }
  void set(std::string_view name, const char* text) { set(name, std::string(text)); }
  // Removes it; true if it was there.
  bool erase(std::string_view name);
  bool contains(std::string_view name) const { return slot_bytes(name).has_value(); }

  // ## Form tokens

  static constexpr std::size_t MAX_FORM_TOKENS = 16;
  // How many are kept; a subclass may say otherwise. At most 256.
  virtual std::size_t max_form_tokens() const { return MAX_FORM_TOKENS; }

  // Makes a token and puts it at the end of the queue of outstanding ones; the
  // oldest give way beyond `max_form_tokens`. 22 characters of base64url; the
  // store keeps a digest of it. Throws `RandomError`.
  std::string create_form_token();
  // Is it outstanding, as far as this request knows? Decides nothing: of two
  // requests that ask, both may hear yes.
  bool has_form_token(std::string_view token) const;
  // Takes it out of the queue at the end of the request; false if it was not in.
  // (The seed raises an error then.)
  bool remove_form_token(std::string_view token);

  // Consumes it, now, in the store: of any number of submissions in any number
  // of processes, one gets the claim (promise P3). Nothing: it was not
  // outstanding. Throws `StoreError`; of kind *in_doubt*, nobody can tell. (A
  // coroutine awaits `consume_form_token` of its scope instead.)
  std::optional<FormClaim> consume_form_token(std::string_view token);

  // The session's CSRF token for a form or a script, masked afresh each time so
  // that compression leaks nothing of it; good as long as the session has its
  // identity. `form` ties it to one form. A visitor without a session gets one
  // by way of a signed cookie, and no record is made for it. Empty in a page
  // that is served without its session (`Outage::anonymous_pages`).
  //
  // Where the id travels in a header (`Policy::transport`), nothing is to be
  // protected from: the token is empty, and whatever came back passes.
  std::string csrf_token(std::string_view form = {});
  bool check_csrf_token(std::string_view token, std::string_view form = {});

  // ## Messages that are shown once

  // Beyond this many that nobody has taken, the oldest give way.
  static constexpr std::size_t max_flashes = 32;
  void flash(std::string_view message);
  // Those that are waiting, oldest first; they are gone then.
  std::vector<std::string> take_flashes();

 protected:
  std::size_t form_token_count() const override;

 private:
  friend class SlotBase;
  friend class ManagerBase;
  friend class ScopeBase;

  // A change that waits for the end of the request; no bytes: erased.
  struct Edit {
    std::string name, bytes;
    Merge merge;
  };
  void blank() override;
  void leave_user() override;
  void check_name(std::string_view name) const;
  std::optional<std::string_view> slot_bytes(std::string_view name) const;
  std::optional<std::string_view> loaded_bytes(std::string_view name) const;
  void put_slot(std::string_view name, std::string bytes, Merge merge);
  void write_back();
  const SlotBase* declared(std::string_view name) const;

  using TokenDigest = std::array<std::byte, 16>;
  static TokenDigest digest(std::string_view token);
  bool made_here(const TokenDigest& token) const;
  // It has been asked for in the store: this request sees it no more.
  void take_out(const TokenDigest& token);
  // Those of the record that are neither removed nor have given way.
  std::vector<TokenDigest> loaded_tokens() const;

  SlotBase* slots_ = nullptr;
  std::vector<Edit> edits_;
  std::vector<TokenDigest> tokens_made_, tokens_removed_;
};

}  // namespace sancho
