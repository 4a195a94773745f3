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
    "beast": re.compile(r"^boost/(asio|beast)/"),
    "beast_async": re.compile(r"^boost/(asio|beast)/"),
    "beast_websocket": re.compile(r"^boost/(asio|beast)/"),
    "cgi": re.compile(r"^(unistd\.h)$"),  # the operating system is its framework
    "civetweb": re.compile(r"^civetweb\.h$"),
    "crow": re.compile(r"^(crow\.h|(boost/)?asio\.hpp)$"),
    "drogon": re.compile(r"^(drogon|trantor)/"),
    "drogon_async": re.compile(r"^(drogon|trantor)/"),
    "drogon_websocket": re.compile(r"^(drogon|trantor)/"),
    "fastcgi": re.compile(r"^(fcgiapp\.h|fcntl\.h|sys/(eventfd|stat|un)\.h)$"),
    "httplib": re.compile(r"^httplib\.h$"),
    "microhttpd": re.compile(r"^microhttpd\.h$"),
    "pistache": re.compile(r"^(pistache/|fcntl\.h|netinet/tcp\.h)"),
    "poco": re.compile(r"^Poco/"),
    "restinio": re.compile(r"^restinio/"),
}
# The other end of an adapter's framework: the operating system's sockets.
SOCKETS = re.compile(r"^(netdb\.h|poll\.h|unistd\.h|sys/socket\.h|netinet/in\.h)$")
ANY_FRAMEWORK = re.compile(
    r"^(httplib\.h|crow|drogon/|boost/(beast|asio)|pistache/|restinio/|oatpp/|civetweb|microhttpd|Poco/|fcgi|App\.h)")

# What coroutines run on. Folders that know of it and of the core, from inside too; nobody else knows either.
COROUTINES = re.compile(r"^boost/asio/")
COROUTINE_SIDE = ("include/sancho/async", "src/async")

# A store that is asynchronous by itself: src/stores/async_NAME/ (and src/stores/async_NAME.hpp, which such stores share),
# whose header is sancho/async/NAME.hpp and has the options of sancho/stores/NAME.hpp. What it may know of sancho/async/:
# the contract, and itself.
COROUTINE_STORE = re.compile(r"^src/stores/async_(\w+)[/.]|^include/sancho/async/(\w+)\.hpp$")
COROUTINE_STORE_SIDE = "sancho/async/store.hpp"

TEST_FRAMEWORK = re.compile(r"^(gtest|gmock|rapidcheck)(/|\.)")

# The rooms of src/, and which others the files of each may include. The suite that stores are tested with lies apart.
ROOMS = {
    "src/base": (),
    "src/edge": ("src/base",),
    "src/protocol": ("src/base",),
    "src/session": ("src/base", "src/edge", "src/protocol"),
    "src/async": ("src/base", "src/session"),
    "src/stores": ("src/base",),
    "src/decorators": (),
    "src/conformance": (),
}

# What a store may know of `sancho/`.
STORE_SIDE = re.compile(r"^sancho/((store|record|id|error|time|random|msgpack|open_store|export)\.hpp|stores/.+)$")

# What a decorator may know of it: the same, but for the stores.
DECORATOR_SIDE = re.compile(r"^sancho/((store|record|id|error|time|random|export)\.hpp|decorators/.+)$")

# What the core may not know of `sancho/`: which stores there are, what is put around them, coroutines, and which
# frameworks.
OUTSIDE_THE_CORE = re.compile(r"^sancho/(stores/|decorators/|adapters/|async/|open_store\.hpp|httplib\.hpp|conformance\.hpp)")

# The protocol decides and does nothing: no files, threads, sockets.
INPUT_OUTPUT = re.compile(
    r"^(fstream|iostream|istream|ostream|syncstream|filesystem|cstdio|thread|mutex|shared_mutex|condition_variable|future"
    r"|semaphore|latch|barrier|random|csignal|stdio\.h|unistd\.h|fcntl\.h|poll\.h|pthread\.h|netdb\.h"
    r"|sys/.*|netinet/.*|arpa/.*|openssl/.*)$")

# What a public header opens without the mark of export.hpp may only announce; group 1 is what is in there.
UNSHOWN = re.compile(r"^namespace sancho(?:::\w+)*\s*\{$(.*?)^\}", re.M | re.S)
ANNOUNCED = re.compile(r"^(?:class|struct|enum class) \w+(?: : [\w:]+)?;$")

# Words, in code without its comments and strings: (pattern, what is wrong).
# A name behind a type is a declaration of one's own, and a name behind a dot or
# an arrow is somebody's member; what is left is a call.
CALLED = r"(?:(?<=std::)|(?<![\w.>:])(?<!\w[ *&])|(?<=return )|(?<=else )|(?<=[^\w>]::))"
NO_OWN_CHANCE = [
    (re.compile(r"\b(mt19937(_64)?|minstd_rand0?|default_random_engine|random_device)\b"), "chance comes from RandomSource"),
    (re.compile(CALLED + r"s?rand\s*\("), "chance comes from RandomSource"),
]
# But for who says that a rule was broken.
NOT_QUIET = ("src/base/misuse.cpp",)
QUIET = [
    (re.compile(CALLED + r"(v?f?printf|f?puts|f?putc|putchar|perror)\s*\("), "the library prints nothing"),
    (re.compile(r"\b(std::(cout|cerr|clog)|fmt::print)\b"), "the library prints nothing"),
    (re.compile(CALLED + r"(abort|terminate|_?exit|_Exit|quick_exit)\s*\("), "the library ends no process"),
]
NO_CLOCK = [
    (re.compile(r"(?:::|\.|->)now\s*\("), "time is a parameter of the protocol"),
    (re.compile(r"\bsystem_(clock|random)\b|\bgetrandom\b|\bsteady_clock\b"), "time and chance are parameters of the protocol"),
]
