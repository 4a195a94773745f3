#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "contender.hpp"

namespace sancho::bench {

namespace {
void check(bool worked) {
  if (!worked) throw std::runtime_error("files floor: a system call failed");
}

class Files final : public Contender {
 public:
  explicit Files(const Setting& setting) : next_(setting.sessions) {
    for (std::size_t i = 0; i < setting.sessions; ++i) std::ofstream(setting.nursery + "/" + name(i)) << payload_;
    std::filesystem::copy(setting.nursery, setting.place, std::filesystem::copy_options::recursive);
    directory_ = open(setting.place.c_str(), O_RDONLY | O_DIRECTORY);
    check(directory_ >= 0);
  }
  ~Files() override { close(directory_); }

  std::string brings(std::size_t session) const override { return name(session); }
  void read(unsigned, const Visit& visit) override {
    std::array<char, 4096> bytes;
    const int file = openat(directory_, visit.brought.c_str(), O_RDONLY | O_CLOEXEC);
    check(file >= 0 && ::read(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(payload_bytes));
    close(file);
    benchmark::DoNotOptimize(bytes);
  }
  void write(unsigned thread, const Visit& visit) override {
    read(thread, visit);
    put(thread, visit.brought);
  }
  void log_in(unsigned thread) override { put(thread, name(next_++)); }

 private:
  void put(unsigned thread, const std::string& name) {
    const auto draft = ".draft" + std::to_string(thread);
    const int file = openat(directory_, draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(file >= 0 && ::write(file, payload_.data(), payload_.size()) == static_cast<ssize_t>(payload_.size()));
    check(fdatasync(file) == 0);
    close(file);
    check(renameat(directory_, draft.c_str(), directory_, name.c_str()) == 0);
    check(fsync(directory_) == 0);
  }
  // As a key of 32 bytes has it.
  static std::string name(std::size_t i) {
    char digits[65];
    std::uint64_t word = i;
    for (int at = 0; at < 64; at += 16) std::snprintf(digits + at, 17, "%016" PRIx64, word = (word + 1) * 0x9e3779b97f4a7c15);
    return digits;
  }
  std::string payload_ = std::string(payload_bytes, 'x');
  std::atomic<std::size_t> next_;
  int directory_ = -1;
};
}  // namespace

std::unique_ptr<Contender> files_floor(const Setting& setting) { return std::make_unique<Files>(setting); }

}  // namespace sancho::bench
