# What a preset can choose, and the flags that follow from it.
option(REELWAY_WERROR "Warnings are errors" ON)
set(REELWAY_SANITIZE "" CACHE STRING "Sanitizers, as after -fsanitize=: address,undefined or thread")
option(REELWAY_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(reelway_flags INTERFACE)
target_include_directories(reelway_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(reelway_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wundef
  -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports overlaps in std::string concatenation that do not exist (GCC bug 105651).
  target_compile_options(reelway_flags INTERFACE -Wno-restrict)
endif()
if(REELWAY_WERROR)
  target_compile_options(reelway_flags INTERFACE -Werror)
endif()
if(REELWAY_SANITIZE)
  add_compile_options(-fsanitize=${REELWAY_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${REELWAY_SANITIZE})
endif()
if(REELWAY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
