#include "mysql_fixture.hpp"

#include <fcntl.h>
#include <grp.h>
#include <mariadb/mysql.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "stores/authority.hpp"
#include "stores/mysql/mysql_store.hpp"

namespace sancho::mysql_test {

std::optional<MysqlOptions> options_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (!text) return std::nullopt;
  const auto uri = StoreUri::parse(text);
  const auto authority = Authority::parse(uri, 3306);
  MysqlOptions o;
  for (const auto& e : authority.endpoints) o.hosts.push_back({e.host, e.port});
  o.user = authority.user;
  o.password = authority.password;
  o.database = uri.path.substr(1);
  OptionReader options(uri);
  using Tls = MysqlOptions::Tls;
  o.tls = options.word<Tls>("tls", {{"off", Tls::off}, {"verify", Tls::verify}}, o.tls);
  o.tls_ca = options.text("tls_ca");
  options.finish();
  return o;
}

MysqlOptions with_host_first(MysqlOptions options, std::size_t host) {
  std::rotate(options.hosts.begin(), options.hosts.begin() + static_cast<std::ptrdiff_t>(host % options.hosts.size()),
              options.hosts.end());
  return options;
}

MysqlOptions only_host(MysqlOptions options, std::size_t host) {
  options.hosts.assign(1, options.hosts[host]);
  return options;
}

std::string uri_of(const MysqlOptions& o) {
  std::string hosts;
  for (const auto& h : o.hosts) hosts += (hosts.empty() ? "" : ",") + h.host + ":" + std::to_string(h.port);
  return "mysql://" + o.user + ":" + *o.password + "@" + hosts + "/" + o.database + "?namespace=" + o.name_space;
}

// ## The server itself

namespace {
bool connect(MYSQL* mysql, const MysqlOptions& o, const MysqlHost& host, const char* database) {
  const unsigned protocol = MYSQL_PROTOCOL_TCP;
  mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
  const my_bool tls = o.tls != MysqlOptions::Tls::off;
  mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &tls);
  return mysql_real_connect(mysql, host.host.c_str(), o.user.c_str(), o.password->c_str(), database, host.port, nullptr, 0);
}
}  // namespace

struct Raw::Handle {
  MYSQL* mysql = mysql_init(nullptr);
};

Raw::Raw(const MysqlOptions& o, std::size_t host) : handle_(std::make_unique<Handle>()) {
  if (!connect(handle_->mysql, o, o.hosts[host], o.database.c_str()))
    ADD_FAILURE() << "cannot connect: " << mysql_error(handle_->mysql);
}
Raw::~Raw() { mysql_close(handle_->mysql); }

unsigned Raw::attempt(const std::string& sql) {
  mysql_real_query(handle_->mysql, sql.data(), static_cast<unsigned long>(sql.size()));
  const auto code = mysql_errno(handle_->mysql);
  mysql_free_result(mysql_store_result(handle_->mysql));
  return code;
}
void Raw::run(const std::string& sql) {
  if (attempt(sql) != 0) ADD_FAILURE() << sql << ": " << mysql_error(handle_->mysql);
}
std::string Raw::ask(const std::string& sql) {
  if (mysql_real_query(handle_->mysql, sql.data(), static_cast<unsigned long>(sql.size())) != 0)
    ADD_FAILURE() << sql << ": " << mysql_error(handle_->mysql);
  auto* rows = mysql_store_result(handle_->mysql);
  auto* row = rows ? mysql_fetch_row(rows) : nullptr;
  std::string answer = row && row[0] ? row[0] : "no answer";
  mysql_free_result(rows);
  return answer;
}

// ## The process

namespace {
std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// In a child: becomes the server's user, and then the program.
[[noreturn]] void become(uid_t uid, gid_t gid, const std::string& directory, const std::vector<std::string>& command) {
  if (geteuid() == 0 && (setgroups(0, nullptr) != 0 || setgid(gid) != 0 || setuid(uid) != 0)) _exit(97);
  if (chdir(directory.c_str()) != 0) _exit(98);
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execvp(words[0], words.data());
  _exit(99);
}
}  // namespace

Process::Process(const MysqlOptions& options, std::size_t host) : options_(options), host_(host) {
  Raw raw(options, host);
  socket_ = raw.ask("SELECT @@socket");
  pid_ = std::atoi(contents(raw.ask("SELECT @@pid_file")).c_str());
  const std::string proc = "/proc/" + std::to_string(pid_);
  struct stat s {};
  if (pid_ <= 1 || stat(proc.c_str(), &s) != 0) throw std::runtime_error("the server's process was not found");
  uid_ = s.st_uid;
  gid_ = s.st_gid;
  directory_ = std::filesystem::path(socket_).parent_path();
  const auto line = contents(proc + "/cmdline");
  for (std::size_t at = 0; at < line.size(); at = line.find('\0', at) + 1)
    if (const std::string word = line.c_str() + at; word != "--wsrep-new-cluster") command_.push_back(word);
}

Process::~Process() { thaw(); }
void Process::freeze() {
  ::kill(pid_, SIGSTOP);
  frozen_ = true;
  // The signal is on its way: it has come when every thread has stopped.
  const std::filesystem::path tasks = "/proc/" + std::to_string(pid_) + "/task";
  const bool stopped = eventually([&] {
    return std::ranges::all_of(std::filesystem::directory_iterator(tasks), [](const auto& task) {
      const auto stat = contents(task.path() / "stat");
      const auto end = stat.rfind(')');
      return end + 2 >= stat.size() || stat[end + 2] == 'T';
    });
  });
  if (!stopped) throw std::runtime_error("the server does not stop");
}
void Process::thaw() {
  if (frozen_) ::kill(pid_, SIGCONT);
  frozen_ = false;
}
void Process::kill() {
  ::kill(pid_, SIGKILL);
  frozen_ = false;
  wait_until_gone();
}
void Process::stop() {
  ::kill(pid_, SIGTERM);
  wait_until_gone();
}
// A zombie has gone too: whoever started it has yet to notice.
void Process::wait_until_gone() {
  const bool gone = eventually([&] {
    waitpid(pid_, nullptr, WNOHANG);
    const auto stat = contents("/proc/" + std::to_string(pid_) + "/stat");
    const auto end = stat.rfind(')');
    return stat.empty() || (end + 2 < stat.size() && stat[end + 2] == 'Z');
  });
  if (!gone) throw std::runtime_error("the server does not end");
}

void Process::start() {
  pid_ = fork();
  if (pid_ == 0) {
    const int out = ::open((directory_ + "/log").c_str(), O_WRONLY | O_APPEND, 0600);
    if (out >= 0) {
      dup2(out, 1);
      dup2(out, 2);
    }
    become(uid_, gid_, directory_, command_);
  }
  const bool up = eventually(
      [&] {
        MYSQL* m = mysql_init(nullptr);
        const bool greeted = connect(m, options_, options_.hosts[host_], nullptr);
        mysql_close(m);
        return greeted;
      },
      60s);
  if (!up) throw std::runtime_error("the server does not start again");
}

void Process::administer(const std::string& sql) const {
  const pid_t child = fork();
  if (child == 0)
    become(uid_, gid_, directory_, {"mariadb", "--no-defaults", "--socket=" + socket_, "--execute=" + sql});
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) ADD_FAILURE() << "the administrator could not: " << sql;
}

// ## A namespace

Namespace::Namespace(MysqlOptions options) : options_(std::move(options)) {
  options_.name_space = "t" + std::to_string(system_random().draw_u64() >> 16);
}
// On the first host that is there: a test may have killed one.
Namespace::~Namespace() {
  const std::string sql = "DROP TABLE IF EXISTS " + table("sessions") + "," + table("epochs") + "," + table("everyone");
  for (const auto& h : options_.hosts) {
    MYSQL* m = mysql_init(nullptr);
    const bool dropped = connect(m, options_, h, options_.database.c_str()) && mysql_query(m, sql.c_str()) == 0;
    mysql_close(m);
    if (dropped) return;
  }
}
std::unique_ptr<SessionStore> Namespace::open(const MysqlOptions& options) const {
  return std::make_unique<mysql::MysqlStore>(options, &ahead);
}

Record record_of(const std::string& payload, std::uint64_t counter) {
  const auto now = system_clock().now();
  return {.version = {7, counter},
          .state = State::live,
          .created = now,
          .accessed = now,
          .idle = 30min,
          .ends = now + 12h,
          .subject = {},
          .handle = {},
          .payload = payload};
}

}  // namespace sancho::mysql_test
