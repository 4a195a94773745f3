// Children of the test process that share a store with it. A test that forks
// starts no thread before.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>

namespace sancho {

class Child {
 public:
  explicit Child(const std::function<void()>& work) : pid_(::fork()) {
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ > 0) return;
    int status = 1;
    try {
      work();
      status = 0;
    } catch (const std::exception& e) {
      std::fprintf(stderr, "a child of the test: %s\n", e.what());
    }
    ::_exit(status);  // no destructors and no output of the parent's
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) kill();
  }

  void kill() {
    ::kill(pid_, SIGKILL);
    wait();
  }

  // True if it came to its end and threw nothing.
  bool wait() {
    int status = 1;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  pid_t pid_;
};

// Children wait at its one end until the other is opened.
class Pipe {
 public:
  Pipe() {
    if (::pipe(ends_) != 0) throw std::runtime_error("cannot make a pipe");
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_reading();
    close_writing();
  }
  template <class T>
  void send(T value) {
    if (::write(ends_[1], &value, sizeof value) != sizeof value) throw std::runtime_error("cannot write to a pipe");
  }
  // False at the end.
  template <class T>
  bool receive(T& value) {
    return ::read(ends_[0], &value, sizeof value) == sizeof value;
  }
  void close_reading() { close(ends_[0]); }
  void close_writing() { close(ends_[1]); }

 private:
  static void close(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  int ends_[2];
};

}  // namespace sancho
