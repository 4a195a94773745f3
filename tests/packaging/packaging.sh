#!/usr/bin/env bash
# One way to come by Sancho, from nothing to a program that runs. ctest sets the
# variables: CMAKE, CXX, SOURCE and BUILD trees, PLACE to work in, LIBDIR, VERSION,
# PYTHON; and of the surrounding build TYPE, RELWITHDEBINFO (the flags of that
# type), CHECKS (SANCHO_CHECKS).
set -euo pipefail

way=$1
prefix=${PLACE:?}/prefix
place=$PLACE/$way
rm -rf "$place"
mkdir -p "$place"
cd "$place"

# What the surrounding build has compiled, ccache need not compile again: what is
# built here has the same commands but for the folder they run in, and that does
# not count. (With a base directory it would: paths are then told from there.)
export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=

# configure DIRECTORY [ARGUMENT ...]: a build like the surrounding one.
configure() {
  "$CMAKE" -S "$1" -B "$place/build" -DCMAKE_BUILD_TYPE="$TYPE" -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="$RELWITHDEBINFO" \
    -DSANCHO_CHECKS="$CHECKS" -DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON --no-warn-unused-cli "${@:2}"
}
# build [TARGET ...]
build() { "$CMAKE" --build "$place/build" --parallel 2 ${1:+--target "$@"}; }
# What a program or a library needs to run, one a line.
needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# The program ran if it found what it had kept.
says_hello() { "$@" | tee said && grep -q hello said; }

case $way in
  install)
    rm -rf "$prefix"
    "$CMAKE" --install "$BUILD" --prefix "$prefix"
    # Nothing in it may lead back to where it was built.
    if grep -rlF -e "$SOURCE/" -e "$BUILD/" --include='*.cmake' --include='*.pc' --include='*.hpp' "$prefix"; then
      echo "these name the tree they were built in" && exit 1
    fi
    ;;
  find_package)
    # All examples, as a project of their own; from a prefix that was moved, and
    # compiled in another way than the libraries: nothing of their layout hangs on it.
    cp -r "$prefix" moved
    configure "$SOURCE/examples" -DCMAKE_PREFIX_PATH="$place/moved" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0
    build
    says_hello build/minimal/minimal
    SANCHO_ROUNDS=100 build/own_store/own_store_test --gtest_brief=1
    ;;
  missing_component)
    printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' 'project(wants_more LANGUAGES CXX)' \
      'find_package(sancho REQUIRED COMPONENTS carrier_pigeon)' > CMakeLists.txt
    if configure "$place" -DCMAKE_PREFIX_PATH="$prefix" > log 2>&1; then
      echo "find_package found a component that does not exist" && exit 1
    fi
    grep 'no component "carrier_pigeon"' log
    ;;
  pkg_config)
    export PKG_CONFIG_PATH=$prefix/$LIBDIR/pkgconfig
    for file in "$PKG_CONFIG_PATH"/*.pc; do
      pkg-config --exists --print-errors "$(basename "$file" .pc)"
    done
    flags=$(pkg-config --cflags --libs sancho-memory)
    # shellcheck disable=SC2086  # they are several words
    "$CXX" -std=c++20 "$SOURCE/examples/minimal/main.cpp" $flags -o minimal
    LD_LIBRARY_PATH=$prefix/$LIBDIR says_hello ./minimal
    ;;
  subdirectory)
    # A user's own tree: their project, Sancho beside it, an example. Only what it
    # uses is built.
    printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' 'project(of_their_own LANGUAGES CXX)' \
      "add_subdirectory($SOURCE sancho EXCLUDE_FROM_ALL)" "add_subdirectory($SOURCE/examples/minimal program/minimal)" > CMakeLists.txt
    configure "$place"
    build
    if compgen -G 'build/sancho/src/async/*.a' > /dev/null; then
      echo "what the program does not use was built" && exit 1
    fi
    says_hello build/program/minimal/minimal
    ;;
  shared_libraries)
    # No library may need what none of those it is linked with has.
    configure "$SOURCE" -DBUILD_SHARED_LIBS=ON -DSANCHO_TESTS=OFF -DSANCHO_BENCH=OFF -DSANCHO_PROGRAMS=OFF \
      -DCMAKE_SHARED_LINKER_FLAGS=-Wl,--no-undefined
    build
    "$CMAKE" --install build --prefix "$place/installed"
    # Each shows what the public headers declare, and is known by its name and the
    # version up to which programs need not be compiled again (docs/abi.md).
    libraries=("$place/installed/$LIBDIR"/libsancho*.so."$VERSION")
    ((${#libraries[@]} > 5))
    "$PYTHON" -B "$SOURCE/tests/packaging/check_symbols.py" "$place/installed/include" "${libraries[@]}"
    for library in "${libraries[@]}"; do
      readelf -d "$library" | grep -F "soname: [$(basename "${library%"$VERSION"}")${VERSION%.*}]"
    done
    "$CMAKE" -S "$SOURCE/examples/minimal" -B program -DCMAKE_BUILD_TYPE="$TYPE" -DCMAKE_PREFIX_PATH="$place/installed"
    "$CMAKE" --build program
    says_hello program/minimal
    readelf -d program/minimal | grep -F 'Shared library: [libsancho'
    # And by pkg-config, where nothing but the direct needs may be linked.
    flags=$(PKG_CONFIG_PATH=$place/installed/$LIBDIR/pkgconfig pkg-config --cflags --libs sancho-memory)
    # shellcheck disable=SC2086  # they are several words
    "$CXX" -std=c++20 "$SOURCE/examples/minimal/main.cpp" $flags -o plain
    LD_LIBRARY_PATH=$place/installed/$LIBDIR says_hello ./plain
    ;;
  core_only)
    # Nothing else is looked for, and nothing else is needed.
    # Every part of which CMakeLists.txt says that it needs something.
    mapfile -t parts < <(sed -nE 's/^option\((SANCHO_[A-Z_]+) ".*\(needs? .*/-D\1=OFF/p' "$SOURCE/CMakeLists.txt")
    parts+=(-DSANCHO_PROGRAMS=OFF)
    none=()
    for other in SQLite3 SanchoEngines Boost CppHttplib httplib GTest benchmark rapidcheck Python3; do
      none+=("-DCMAKE_DISABLE_FIND_PACKAGE_$other=ON")
    done
    configure "$SOURCE" "${parts[@]}" "${none[@]}"
    build
    "$CMAKE" --install build --prefix "$place/installed"
    "$CMAKE" -S "$SOURCE/examples/minimal" -B program -DCMAKE_BUILD_TYPE="$TYPE" -DCMAKE_PREFIX_PATH="$place/installed" "${none[@]}"
    "$CMAKE" --build program
    says_hello program/minimal
    if needed program/minimal | grep -vE '^(libcrypto|libfmt|libstdc\+\+|libm|libgcc_s|libc|ld-linux.*)\.so'; then
      echo "the program needs these beside OpenSSL's libcrypto and fmt" && exit 1
    fi
    ;;
  *)
    echo "no such way: $way" && exit 1
    ;;
esac
