// # TLS, without a socket
//
// Plain bytes in, sealed bytes out, and the other way round. Who owns the socket
// moves the sealed ones: OpenSSL would write to it by itself, and raise SIGPIPE
// in a program that did not ask for it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sancho/stores/redis.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace sancho::redis {

// Certificates and rules, for all connections of a store.
class TlsContext {
 public:
  // Throws `ConfigError` for a file that cannot be used.
  explicit TlsContext(const RedisTls& options);
  ssl_ctx_st* get() const { return context_.get(); }
  const std::string& name() const { return name_; }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::string name_;
};

class TlsSession {
 public:
  // `host` is whom the certificate must be for, unless the options name another.
  TlsSession(const TlsContext& context, const std::string& host);

  // Goes on with the handshake; true once it is over. Throws `StoreError`.
  bool shake_hands();
  void seal(std::string_view plain);
  // What has arrived in plain. Sets `closed` if the other side has said so.
  std::string open(bool& closed);

  void received(std::string_view sealed);  // from the wire
  std::string to_send();                   // to the wire

 private:
  struct Free {
    void operator()(ssl_st* session) const;
  };
  std::unique_ptr<ssl_st, Free> session_;
};

}  // namespace sancho::redis
