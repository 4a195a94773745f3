"""The rules of the house, as tables. check_arrows.py carries them out."""

import re

# The C++20 standard library, C's half of it included.
STANDARD = set("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits
clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint
cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem format forward_list fstream
functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory
memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator semaphore
set shared_mutex source_location span sstream stack stdexcept stop_token streambuf string string_view strstream
syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray
variant vector version
""".split())

# Folder under adapters/ (and header under include/sancho/adapters/) -> what is its framework's.
FRAMEWORKS = {
    "httplib": re.compile(r"^httplib\.h$"),
}
# The other end of an adapter's framework: the operating system's sockets.
SOCKETS = re.compile(r"^(netdb\.h|poll\.h|unistd\.h|sys/socket\.h|netinet/in\.h)$")
ANY_FRAMEWORK = re.compile(
    r"^(httplib\.h|crow|drogon/|boost/(beast|asio)|pistache/|restinio/|oatpp/|civetweb|microhttpd|Poco/|fcgi|App\.h)")

TEST_FRAMEWORK = re.compile(r"^(gtest|gmock|rapidcheck)(/|\.)")

# What a store may know of `sancho/`.
STORE_SIDE = re.compile(r"^sancho/((store|record|id|error|time|random|msgpack|open_store)\.hpp|stores/.+)$")

# What the core may not know of `sancho/`: which stores there are, and which frameworks.
OUTSIDE_THE_CORE = re.compile(r"^sancho/(stores/|adapters/|open_store\.hpp|httplib\.hpp|conformance\.hpp)")

# The protocol decides and does nothing: no files, threads, sockets.
INPUT_OUTPUT = re.compile(
    r"^(fstream|iostream|istream|ostream|syncstream|filesystem|cstdio|thread|mutex|shared_mutex|condition_variable|future"
    r"|semaphore|latch|barrier|random|csignal|stdio\.h|unistd\.h|fcntl\.h|poll\.h|pthread\.h|netdb\.h"
    r"|sys/.*|netinet/.*|arpa/.*|openssl/.*)$")

# Words, in code without its comments and strings: (pattern, what is wrong).
# A name behind a type is a declaration of one's own, and a name behind a dot or
# an arrow is somebody's member; what is left is a call.
CALLED = r"(?:(?<=std::)|(?<![\w.>:])(?<!\w[ *&])|(?<=return )|(?<=else )|(?<=[^\w>]::))"
NO_OWN_CHANCE = [
    (re.compile(r"\b(mt19937(_64)?|minstd_rand0?|default_random_engine|random_device)\b"), "chance comes from RandomSource"),
    (re.compile(CALLED + r"s?rand\s*\("), "chance comes from RandomSource"),
]
QUIET = [
    (re.compile(CALLED + r"(v?f?printf|f?puts|f?putc|putchar|perror)\s*\("), "the library prints nothing"),
    (re.compile(r"\b(std::(cout|cerr|clog)|fmt::print)\b"), "the library prints nothing"),
    (re.compile(CALLED + r"(abort|terminate|_?exit|_Exit|quick_exit)\s*\("), "the library ends no process"),
]
NO_CLOCK = [
    (re.compile(r"(?:::|\.|->)now\s*\("), "time is a parameter of the protocol"),
    (re.compile(r"\bsystem_(clock|random)\b|\bgetrandom\b|\bsteady_clock\b"), "time and chance are parameters of the protocol"),
]
