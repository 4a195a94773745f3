// A server of the test's own, which it may freeze, kill and start again
// (control.py does). Skips the test where PostgreSQL is not installed.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace sancho::postgresql_test {

class Server {
 public:
  explicit Server(const std::vector<std::string>& words = {"--fast"}) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
    std::vector<const char*> arguments{"python3", SANCHO_CONTROL, SANCHO_SERVERS};
    for (const auto& word : words) arguments.push_back(word.c_str());
    arguments.push_back(nullptr);
    process_ = fork();
    if (process_ == 0) {
      dup2(in[0], 0), dup2(out[1], 1);
      execvp("python3", const_cast<char**>(arguments.data()));
      _exit(127);
    }
    close(in[0]), close(out[1]);
    to_ = in[1];
    from_ = fdopen(out[0], "r");
    uri_ = read_line();
    if (uri_.empty()) throw std::runtime_error("no server was started");
  }
  ~Server() {
    close(to_);
    waitpid(process_, nullptr, 0);
    fclose(from_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& uri() const { return uri_; }

  void freeze() { command("freeze"); }
  void thaw() { command("thaw"); }
  void start() { command("start"); }
  void stop() { command("stop"); }
  void kill() { command("kill"); }
  // As the administrator, in the database of the tests.
  std::string sql(const std::string& statement) { return command("sql " + statement); }

 private:
  std::string command(const std::string& text) {
    const auto line = text + "\n";
    if (write(to_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      throw std::runtime_error("nobody takes commands");
    const auto answer = read_line();
    if (answer.substr(0, 2) != "ok") throw std::runtime_error(text + ": " + answer);
    return answer.substr(3);
  }
  std::string read_line() {
    std::string line;
    for (int c; (c = fgetc(from_)) != EOF && c != '\n';) line += static_cast<char>(c);
    return line;
  }

  pid_t process_ = -1;
  int to_ = -1;
  FILE* from_ = nullptr;
  std::string uri_;
};

}  // namespace sancho::postgresql_test
