// # Who may log in
//
// Three accounts in memory, their passwords kept as scrypt hashes. A demo's
// passwords are no secret: the log-in page tells them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sancho/user.hpp"

namespace demo {

// What a session knows of its user.
struct Customer {
  std::string name;       // what they log in with, and their subject
  std::string full_name;  // what they are called on the pages
};
SANCHO_FIELDS(Customer, name, full_name)
inline std::string subject_of(const Customer& customer) { return customer.name; }

struct Hint {
  std::string name, password;
};
// What the log-in page tells.
const std::vector<Hint>& hints();

// The customer, if there is one of this name with this password. Takes the same
// time, and as long as a guess shall take, whether the name exists or not. Any
// thread. Throws `std::runtime_error` if there is no memory for the hash.
std::optional<Customer> log_in(std::string_view name, std::string_view password);

}  // namespace demo
