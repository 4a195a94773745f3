#include "accounts.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace demo {

namespace {

using Hash = std::array<unsigned char, 32>;
using Salt = std::array<unsigned char, 16>;

struct Account {
  Customer customer;
  Salt salt;
  Hash hash;
};

// OWASP's "Password Storage" allows N = 2^14, r = 8, p = 5: 16 MiB, and a fifth
// of a second on a small machine.
Hash scrypt(std::string_view password, const Salt& salt) {
  Hash hash;
  constexpr std::uint64_t memory = 64 << 20;
  if (EVP_PBE_scrypt(password.data(), password.size(), salt.data(), salt.size(), 1 << 14, 8, 5, memory, hash.data(),
                     hash.size()) != 1)
    throw std::runtime_error("scrypt failed");
  return hash;
}

template <std::size_t N>
std::array<unsigned char, N> from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::array<unsigned char, N> out;
  for (std::size_t i = 0; i < N; ++i) out[i] = static_cast<unsigned char>(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
  return out;
}

Account account(std::string name, std::string full_name, std::string_view salt, std::string_view hash) {
  return {{std::move(name), std::move(full_name)}, from_hex<16>(salt), from_hex<32>(hash)};
}

const std::vector<Account>& accounts() {
  static const std::vector<Account> all = {
      account("sancho", "Sancho Panza", "8df9a52bb4bff012056e494136d83aab",
              "e4c1de10e810f411d91db84daebd1ca87902bff33d60e44d1bb112ecd1b4b71d"),
      account("quixote", "Don Quixote", "d2cd04eea1cc11e04d47a533a0e4f0a7",
              "dfee3f725f392d9c42b61ac641e0cea8427baeae671b525746cc48cfb83467f8"),
      account("dulcinea", "Dulcinea del Toboso", "3b9b7971068ab8a08e26ee6f16a63fab",
              "4e6aa43dbaa303682986eefdbce59c5425bad694245a19714f52a9acc5a7cbb4"),
  };
  return all;
}

}  // namespace

const std::vector<Hint>& hints() {
  static const std::vector<Hint> all = {
      {"sancho", "barataria-1615"}, {"quixote", "rocinante-1605"}, {"dulcinea", "el-toboso-1605"}};
  return all;
}

std::optional<Customer> log_in(std::string_view name, std::string_view password) {
  const Account* found = nullptr;
  for (const auto& a : accounts())
    if (a.customer.name == name) found = &a;
  // For a name that nobody has, somebody's hash is computed all the same.
  const auto& tried = found ? *found : accounts().front();
  const auto hash = scrypt(password, tried.salt);
  const bool same = CRYPTO_memcmp(hash.data(), tried.hash.data(), hash.size()) == 0;
  return found && same ? std::optional(found->customer) : std::nullopt;
}

}  // namespace demo
