// A new empty directory that goes when the last copy does.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace sancho {

class FreshDirectory {
 public:
  // In `parent`, or where temporary files go.
  explicit FreshDirectory(const char* parent = nullptr) {
    auto pattern = ((parent ? std::filesystem::path(parent) : std::filesystem::temp_directory_path()) / "sancho-test-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("cannot make a directory for a test");
    path_ = std::shared_ptr<std::string>(new std::string(pattern), [](std::string* path) {
      std::error_code ignored;
      std::filesystem::remove_all(*path, ignored);
      delete path;
    });
  }
  const std::string& path() const { return *path_; }
  std::string operator/(const std::string& name) const { return *path_ + "/" + name; }

 private:
  std::shared_ptr<std::string> path_;
};

}  // namespace sancho
