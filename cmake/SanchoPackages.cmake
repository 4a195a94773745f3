# The packages this build needs, found once for all folders. Each target below
# is known to SanchoInstall.cmake too, which tells the packages' users.
list(PREPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})

find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)  # OpenSSL::Crypto
find_package(fmt REQUIRED)                            # fmt::fmt
find_package(Threads REQUIRED)                        # Threads::Threads

if(SANCHO_SQLITE)
  find_package(SQLite3 REQUIRED)  # SQLite::SQLite3
endif()

if(SANCHO_HTTPLIB)
  find_package(CppHttplib)  # httplib::httplib
  if(NOT CppHttplib_FOUND)
    if(PROJECT_IS_TOP_LEVEL)
      message(FATAL_ERROR "cpp-httplib was not found: install it (libcpp-httplib-dev) or say -DSANCHO_HTTPLIB=OFF")
    endif()
    message(STATUS "sancho::httplib is left out: cpp-httplib was not found")
    set(SANCHO_HTTPLIB OFF)
  endif()
endif()

if(SANCHO_TESTS)
  find_package(GTest REQUIRED)  # GTest::gtest, GTest::gmock, GTest::gtest_main
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()

if(SANCHO_BENCH)
  find_package(benchmark REQUIRED)  # benchmark::benchmark
endif()
