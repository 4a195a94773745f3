// # The human being on the other end of the line
//
// A session's user is any value the codec knows: a name, a number, a struct.
// What other sessions of the same user are found by is its *subject*, a string:
// the text itself, the number in decimal, or what the function `subject_of`
// says, which stands beside a user's struct:
//
//     struct Account { int id; std::string name; };
//     SANCHO_FIELDS(Account, id, name)
//     inline std::string subject_of(const Account& a) { return std::to_string(a.id); }
//
// A change of subject is a change of identity (promise P4). A changed value
// under the same subject is not.
#pragma once

#include <stdexcept>
#include <string>

#include "sancho/codec.hpp"
#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

inline std::string subject_of(const std::string& name) { return name; }
template <std::integral T>
std::string subject_of(T number) { return std::to_string(number); }

// A type whose values can be users.
template <class T>
concept UserLike = Encodable<T> && requires(const T& v) {
  { subject_of(v) } -> std::convertible_to<std::string>;
};

// A user, or nobody. Converts from any value that can be one, so that
// `session.set_user("ada")` and `session.set_user(account)` both read well.
class User {
 public:
  // Nobody.
  User() = default;

  // Throws `std::invalid_argument` for an empty subject: that would be nobody.
  template <UserLike T>
  User(const T& value) : value_(encode(value)), subject_(subject_of(value)) {
    if (subject_.empty()) throw std::invalid_argument("a user needs a subject that is not empty");
  }
  User(const char* name) : User(std::string(name)) {}

  // Is there one?
  explicit operator bool() const { return !subject_.empty(); }
  const std::string& subject() const { return subject_; }

  // The value as it was set. Throws `DecodeError` for nobody and for a user
  // that was set as another type.
  template <Encodable T>
  T as() const { return decode<T>(value_); }

  bool operator==(const User&) const = default;

 private:
  friend class SimpleSession;
  friend class ScopeBase;
  User(std::string value, std::string subject) : value_(std::move(value)), subject_(std::move(subject)) {}
  std::string value_;  // one MessagePack value
  std::string subject_;
};

}  // namespace sancho
