#!/usr/bin/env bash
# One way to come by Sancho, from nothing to a program that runs. ctest sets the
# variables: CMAKE, CXX, SOURCE and BUILD trees, PLACE to work in, LIBDIR.
set -euo pipefail

way=$1
prefix=${PLACE:?}/prefix
place=$PLACE/$way
rm -rf "$place"
mkdir -p "$place"
cd "$place"

# What the surrounding build has compiled, ccache need not compile again.
export CCACHE_NOHASHDIR=1

# configure DIRECTORY [ARGUMENT ...]: a build like the surrounding one.
configure() { "$CMAKE" -S "$1" -B "$place/build" -DCMAKE_BUILD_TYPE="$TYPE" -DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON "${@:2}"; }
build() { "$CMAKE" --build "$place/build" --parallel 2; }

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
    # All examples, as a project of their own; from a prefix that was moved.
    cp -r "$prefix" moved
    configure "$SOURCE/examples" -DCMAKE_PREFIX_PATH="$place/moved"
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
    # A user's own tree: their project, Sancho beside it, the examples.
    cp -r "$SOURCE/examples" program
    printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' 'project(of_their_own LANGUAGES CXX)' \
      "add_subdirectory($SOURCE sancho EXCLUDE_FROM_ALL)" 'add_subdirectory(program)' > CMakeLists.txt
    configure "$place"
    build
    says_hello build/program/minimal/minimal
    ;;
  shared_libraries)
    configure "$SOURCE" -DBUILD_SHARED_LIBS=ON -DSANCHO_TESTS=OFF -DSANCHO_BENCH=OFF -DSANCHO_PROGRAMS=OFF
    build
    "$CMAKE" --install build --prefix "$place/installed"
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
  *)
    echo "no such way: $way" && exit 1
    ;;
esac
