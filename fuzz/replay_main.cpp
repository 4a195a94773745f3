// Runs a fuzz target over every file of the directories named on the command
// line, so that a corpus is a test with any compiler. A directory that is empty
// or absent is a failure: a corpus that got lost must not look like a success.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {
std::size_t replay(const std::filesystem::path& directory) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
    std::fprintf(stderr, "%s\n", entry.path().c_str());  // the last one named is the culprit
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++files;
  }
  return files;
}
}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: %s CORPUS_DIRECTORY...\n", argv[0]), 2;
  for (int i = 1; i < argc; ++i) {
    const auto files = replay(argv[i]);
    if (files == 0) return std::fprintf(stderr, "no corpus in %s\n", argv[i]), 1;
    std::printf("%zu inputs of %s replayed\n", files, argv[i]);
  }
}
