#include "stores/redis/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <limits>
#include <new>

namespace sancho::redis {

namespace {

// Takes everything off OpenSSL's queue, so that nobody else finds it there.
std::string openssl_says() {
  std::array<char, 256> text{};
  const auto first = ERR_get_error();
  ERR_clear_error();
  if (first == 0) return "no reason given";
  ERR_error_string_n(first, text.data(), text.size());
  return text.data();
}

void want(bool done, const std::string& what) {
  if (!done) throw ConfigError("redis: " + what + ": " + openssl_says());
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void TlsSession::Free::operator()(ssl_st* session) const { SSL_free(session); }

TlsContext::TlsContext(const RedisTls& options) : context_(SSL_CTX_new(TLS_client_method())), name_(options.name) {
  if (!context_) throw std::bad_alloc();
  auto* c = context_.get();
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
  if (options.ca.empty())
    want(SSL_CTX_set_default_verify_paths(c) == 1, "the system's certificates cannot be read");
  else
    want(SSL_CTX_load_verify_locations(c, options.ca.c_str(), nullptr) == 1,
         "option 'ca' names no file of certificates");
  if (options.certificate.empty() != options.key.empty())
    throw ConfigError("redis: options 'cert' and 'key' go together: give both or none");
  if (options.certificate.empty()) return;
  want(SSL_CTX_use_certificate_chain_file(c, options.certificate.c_str()) == 1, "option 'cert' names no certificate");
  want(SSL_CTX_use_PrivateKey_file(c, options.key.c_str(), SSL_FILETYPE_PEM) == 1, "option 'key' names no key for it");
}

TlsSession::TlsSession(const TlsContext& context, const std::string& host) : session_(SSL_new(context.get())) {
  auto* in = BIO_new(BIO_s_mem());
  auto* out = BIO_new(BIO_s_mem());
  if (!session_ || !in || !out) {
    BIO_free(in);
    BIO_free(out);
    throw std::bad_alloc();
  }
  SSL_set_bio(session_.get(), in, out);  // which owns them
  SSL_set_connect_state(session_.get());
  const auto& name = context.name().empty() ? host : context.name();
  auto* rules = SSL_get0_param(session_.get());
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1) return;  // an address, and no name to send
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (SSL_set1_host(session_.get(), name.c_str()) != 1 || SSL_set_tlsext_host_name(session_.get(), name.c_str()) != 1)
    throw StoreError(Trouble::refused, "TLS: the host's name cannot be verified: " + openssl_says());
}

bool TlsSession::shake_hands() {
  ERR_clear_error();
  const int done = SSL_do_handshake(session_.get());
  if (done == 1) return true;
  const int why = SSL_get_error(session_.get(), done);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
  const auto verdict = SSL_get_verify_result(session_.get());
  if (verdict != X509_V_OK) {
    ERR_clear_error();
    throw StoreError(Trouble::refused, std::string("TLS: the server's certificate is not to be trusted: ") +
                                           X509_verify_cert_error_string(verdict) + "; see the option 'ca'");
  }
  throw StoreError(Trouble::unavailable, "TLS: the handshake failed: " + openssl_says());
}

void TlsSession::seal(std::string_view plain) {
  constexpr std::size_t most = std::numeric_limits<int>::max();
  while (!plain.empty()) {
    ERR_clear_error();
    const int n = SSL_write(session_.get(), plain.data(), static_cast<int>(std::min(plain.size(), most)));
    if (n <= 0) throw StoreError(Trouble::unavailable, "TLS: cannot write: " + openssl_says());
    plain.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string TlsSession::open(bool& closed) {
  std::string plain;
  std::array<char, 16384> part;
  for (;;) {
    ERR_clear_error();
    const int n = SSL_read(session_.get(), part.data(), static_cast<int>(part.size()));
    if (n > 0) {
      plain.append(part.data(), static_cast<std::size_t>(n));
      continue;
    }
    const int why = SSL_get_error(session_.get(), n);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return plain;
    if (why != SSL_ERROR_ZERO_RETURN) throw StoreError(Trouble::unavailable, "TLS: cannot read: " + openssl_says());
    closed = true;
    return plain;
  }
}

void TlsSession::received(std::string_view sealed) {
  BIO_write(SSL_get_rbio(session_.get()), sealed.data(), static_cast<int>(sealed.size()));
}

std::string TlsSession::to_send() {
  char* data = nullptr;
  auto* out = SSL_get_wbio(session_.get());
  const auto size = BIO_get_mem_data(out, &data);
  std::string sealed(data, static_cast<std::size_t>(size));
  BIO_reset(out);
  return sealed;
}

}  // namespace sancho::redis
