# What holds when this project is built for itself, and binds no one who has it
# as a subdirectory: an optimised build with debug information unless another
# is asked for, and ccache where it is installed.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER AND NOT DEFINED ENV{CMAKE_CXX_COMPILER_LAUNCHER})
  find_program(SANCHO_CCACHE ccache)
  mark_as_advanced(SANCHO_CCACHE)
  if(SANCHO_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${SANCHO_CCACHE})
  endif()
endif()
