#include "stores/mysql/connection.hpp"

#include <mariadb/errmsg.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <new>

namespace sancho::mysql {

// ## Answers

bool Answer::next() {
  row_ = rows_ ? mysql_fetch_row(rows_.get()) : nullptr;
  lengths_ = row_ ? mysql_fetch_lengths(rows_.get()) : nullptr;
  return row_ != nullptr;
}

std::optional<std::string_view> Answer::text(unsigned column) const {
  if (!row_ || !row_[column]) return std::nullopt;
  return std::string_view(row_[column], lengths_[column]);
}

namespace {
template <class Number>
std::optional<Number> number_of(std::optional<std::string_view> text) {
  Number n{};
  if (!text) return std::nullopt;
  const auto* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, n);
  return error == std::errc{} && stop == end ? std::optional(n) : std::nullopt;
}
}  // namespace

std::optional<std::int64_t> Answer::integer(unsigned column) const { return number_of<std::int64_t>(text(column)); }
std::optional<std::uint64_t> Answer::natural(unsigned column) const { return number_of<std::uint64_t>(text(column)); }

// ## Waiting

// The socket, or the deadline. After the deadline the connection is shut, and
// the connector is told that time is up at every further step until it has given
// back what it holds.
int Connection::wait_for(int wanted, Deadline deadline) {
  const int socket = mysql_get_socket(mysql_);
  while (!timed_out_) {
    pollfd p{.fd = socket, .events = 0, .revents = 0};
    if (wanted & MYSQL_WAIT_READ) p.events |= POLLIN;
    if (wanted & MYSQL_WAIT_WRITE) p.events |= POLLOUT;
    if (wanted & MYSQL_WAIT_EXCEPT) p.events |= POLLPRI;
    const auto left = deadline.left().count();
    const int n = ::poll(&p, 1, static_cast<int>(std::min<Duration::rep>(left + 1, 1 << 30)));
    if (n > 0) {
      const int broken = p.revents & (POLLERR | POLLHUP | POLLNVAL);
      int ready = 0;
      if (p.revents & POLLIN || broken) ready |= MYSQL_WAIT_READ;
      if (p.revents & POLLOUT || broken) ready |= MYSQL_WAIT_WRITE;
      if (p.revents & POLLPRI) ready |= MYSQL_WAIT_EXCEPT;
      if (const int both = ready & wanted) return both;
      return wanted & ~MYSQL_WAIT_TIMEOUT;
    }
    timed_out_ = deadline.passed();
  }
  sound_ = false;
  ::shutdown(socket, SHUT_RDWR);
  return MYSQL_WAIT_TIMEOUT;
}

template <class Start, class Cont>
void Connection::drive(Start start, Cont cont, Deadline deadline) {
  for (int wanted = start(); wanted != 0;) wanted = cont(wait_for(wanted, deadline));
}

// ## Beginning and end

namespace {

void begin_library() {
  static std::once_flag once;
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
}

// No password in the clear, whatever a server asks for.
constexpr const char* ways_to_log_in = "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password";
// The connector runs on a stack of its own; name look-ups and TLS need more than it takes by itself.
constexpr std::size_t stack_size = 256 * 1024;
constexpr unsigned long largest_packet = 1ul << 30;

void set_tls(MYSQL* mysql, const MysqlOptions& options) {
  if (options.tls == MysqlOptions::Tls::off) return;
  const my_bool yes = 1, verify = options.tls == MysqlOptions::Tls::verify;
  mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
  mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (!options.tls_ca.empty()) mysql_options(mysql, MYSQL_OPT_SSL_CA, options.tls_ca.c_str());
}

}  // namespace

Connection::Connection(const MysqlOptions& options, const MysqlHost& host, Deadline deadline) {
  begin_library();
  mysql_ = mysql_init(nullptr);
  if (!mysql_) throw std::bad_alloc();
  const unsigned protocol = options.socket.empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
  const unsigned no = 0;
  mysql_options(mysql_, MYSQL_OPT_NONBLOCK, &stack_size);
  mysql_options(mysql_, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_options(mysql_, MYSQL_OPT_LOCAL_INFILE, &no);  // a server does not get to read our files
  mysql_options(mysql_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options(mysql_, MYSQL_OPT_MAX_ALLOWED_PACKET, &largest_packet);
  mysql_optionsv(mysql_, MARIADB_OPT_RESTRICTED_AUTH, ways_to_log_in);
  set_tls(mysql_, options);
  MYSQL* connected = nullptr;
  const auto text_or_null = [](const std::string& s) { return s.empty() ? nullptr : s.c_str(); };
  const char* name = options.socket.empty() ? host.host.c_str() : "localhost";
  drive(
      [&] {
        return mysql_real_connect_start(&connected, mysql_, name, text_or_null(options.user),
                                        options.password ? options.password->c_str() : "", options.database.c_str(),
                                        host.port, text_or_null(options.socket), CLIENT_MULTI_STATEMENTS);
      },
      [&](int ready) { return mysql_real_connect_cont(&connected, mysql_, ready); }, deadline);
  if (connected && !timed_out_) return;
  Failure failure{
      .code = mysql_errno(mysql_), .reach = Failure::Reach::not_sent, .maybe_done = false, .timed_out = timed_out_};
  if (failure.code < CR_MIN_ERROR || failure.code > CR_MAX_ERROR) failure.reach = Failure::Reach::answered;
  mysql_close(mysql_);
  throw failure;
}

// The farewell is sent if there is room for it, and the answer is not waited
// for: a connection that is shut cannot hold us up.
Connection::~Connection() {
  if (!mysql_) return;
  if (!sound_) ::shutdown(mysql_get_socket(mysql_), SHUT_RDWR);
  mysql_close(mysql_);
}

// What the connector holds is lost with it: giving it back would send a farewell
// on a socket that the parent still uses.
void Connection::abandon() {
  ::close(mysql_get_socket(mysql_));
  mysql_ = nullptr;
}

bool Connection::stale() const {
  pollfd p{.fd = mysql_get_socket(mysql_), .events = POLLIN, .revents = 0};
  return ::poll(&p, 1, 0) != 0;
}

bool Connection::in_transaction() const {
  unsigned status = 0;
  return mariadb_get_infov(mysql_, MARIADB_CONNECTION_SERVER_STATUS, &status) == 0 &&
         (status & SERVER_STATUS_IN_TRANS) != 0;
}

// ## Statements

void Connection::fail(Effect effect) {
  Failure f{
      .code = mysql_errno(mysql_), .reach = Failure::Reach::answered, .maybe_done = false, .timed_out = timed_out_};
  const bool ours =
      (f.code >= CR_MIN_ERROR && f.code <= CR_MAX_ERROR) || (f.code >= CER_MIN_ERROR && f.code <= CER_MAX_ERROR);
  // The connector gives this one when it could not write the whole command, and
  // never for an answer that does not come. Servers begin when they have it all.
  if (f.code == CR_SERVER_GONE_ERROR)
    f.reach = Failure::Reach::not_sent;
  else if (ours || timed_out_)
    f.reach = Failure::Reach::lost;
  const auto meaning = meaning_of(f.code);
  if (f.reach != Failure::Reach::answered || meaning.remedy == Remedy::elsewhere || f.code == 1153) sound_ = false;
  const bool harmless =
      f.reach == Failure::Reach::not_sent || (f.reach == Failure::Reach::answered && meaning.not_done);
  f.maybe_done = effect == Effect::writes && !harmless;
  throw f;
}

std::vector<Answer> Connection::run(std::string_view sql, Effect effect, Deadline deadline) {
  if (deadline.passed())
    throw Failure{.code = 0, .reach = Failure::Reach::not_sent, .maybe_done = false, .timed_out = true};
  int failed = 0;
  drive([&] { return mysql_real_query_start(&failed, mysql_, sql.data(), static_cast<unsigned long>(sql.size())); },
        [&](int ready) { return mysql_real_query_cont(&failed, mysql_, ready); }, deadline);
  std::vector<Answer> answers;
  for (;;) {
    if (failed != 0) fail(effect);
    if (mysql_field_count(mysql_) > 0) {
      MYSQL_RES* rows = nullptr;
      drive([&] { return mysql_store_result_start(&rows, mysql_); },
            [&](int ready) { return mysql_store_result_cont(&rows, mysql_, ready); }, deadline);
      if (!rows) fail(effect);
      answers.emplace_back(rows);
    } else {
      answers.emplace_back(mysql_affected_rows(mysql_), mysql_insert_id(mysql_));
    }
    if (!mysql_more_results(mysql_)) return answers;
    drive([&] { return mysql_next_result_start(&failed, mysql_); },
          [&](int ready) { return mysql_next_result_cont(&failed, mysql_, ready); }, deadline);
  }
}

}  // namespace sancho::mysql
