# SPDX-License-Identifier: BSD-3-Clause
# Runs the vcpkg port with small stand-ins for the functions of vcpkg, which is not needed here:
#
#   cmake -DPORT_DIR=… -DWORK=… -DBUILD=… [-DFEATURES=…] -P vcpkg_port.cmake
#
# The options of the port are tried on a new build folder, which is not built. BUILD, a finished build, is installed in
# its place, to WORK/packages.
cmake_policy(VERSION 3.16)
set(PORT ndkeep)
set(CURRENT_PORT_DIR "${PORT_DIR}")
set(CURRENT_PACKAGES_DIR "${WORK}/packages")

function(vcpkg_check_features)
  cmake_parse_arguments(arg "" "OUT_FEATURE_OPTIONS" "FEATURES" ${ARGN})
  set(options)
  while(arg_FEATURES)
    list(GET arg_FEATURES 0 feature)
    list(GET arg_FEATURES 1 option)
    list(REMOVE_AT arg_FEATURES 0 1)
    message(STATUS "feature ${feature}")
    if(feature IN_LIST FEATURES)
      list(APPEND options -D${option}=ON)
    else()
      list(APPEND options -D${option}=OFF)
    endif()
  endwhile()
  set(${arg_OUT_FEATURE_OPTIONS} ${options} PARENT_SCOPE)
endfunction()

function(vcpkg_cmake_configure)
  cmake_parse_arguments(arg "" "SOURCE_PATH" "OPTIONS" ${ARGN})
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${WORK}/build ${arg_OPTIONS} -DCMAKE_DISABLE_SOURCE_CHANGES=ON
    RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT status EQUAL 0 OR text MATCHES "Manually-specified variables were not used")
    message(FATAL_ERROR "the options of the port do not configure:\n${text}")
  endif()
endfunction()

function(vcpkg_cmake_install)
  foreach(prefix IN ITEMS ${CURRENT_PACKAGES_DIR} ${CURRENT_PACKAGES_DIR}/debug)
    execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix}
      RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "${text}")
    endif()
  endforeach()
endfunction()

function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(arg "" "CONFIG_PATH" "" ${ARGN})
  foreach(prefix IN ITEMS ${CURRENT_PACKAGES_DIR} ${CURRENT_PACKAGES_DIR}/debug)
    if(NOT EXISTS ${prefix}/${arg_CONFIG_PATH}/${PORT}Config.cmake)
      message(FATAL_ERROR "no ${PORT}Config.cmake in ${arg_CONFIG_PATH}")
    endif()
    file(RENAME ${prefix}/${arg_CONFIG_PATH} ${prefix}/share/${PORT})
  endforeach()
  file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/share/cmake)
endfunction()

function(vcpkg_copy_tools)
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(arg "" "" "FILE_LIST" ${ARGN})
  configure_file(${arg_FILE_LIST} ${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright COPYONLY)
endfunction()

include("${PORT_DIR}/portfile.cmake")
