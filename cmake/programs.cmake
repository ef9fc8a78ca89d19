# SPDX-License-Identifier: BSD-3-Clause
# How our own programs are compiled. None of it reaches those who link ndkeep::ndkeep.
add_library(ndkeep_programs INTERFACE)
target_link_libraries(ndkeep_programs INTERFACE ndkeep::ndkeep)
target_compile_options(ndkeep_programs INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(NDKEEP_WERROR)
  target_compile_options(ndkeep_programs INTERFACE -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # xtensor sets it off at -O3, out of system headers too.
    target_compile_options(ndkeep_programs INTERFACE -Wno-error=array-bounds)
  endif()
endif()
if(NDKEEP_SANITIZE)
  string(REPLACE ";" "," sanitizers "${NDKEEP_SANITIZE}")
  target_compile_options(ndkeep_programs INTERFACE -fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_definitions(ndkeep_programs INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(ndkeep_programs INTERFACE -fsanitize=${sanitizers})
endif()
