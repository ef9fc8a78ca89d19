# SPDX-License-Identifier: BSD-3-Clause
# vcpkg port of the checkout that contains it: vcpkg install ndkeep --overlay-ports=<checkout>/cmake/packaging/vcpkg
#
# A copy in a registry has no checkout around it: there, vcpkg_from_git(OUT_SOURCE_PATH SOURCE_PATH URL … REF …) replaces
# the next command.
get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../../.." ABSOLUTE)

vcpkg_check_features(OUT_FEATURE_OPTIONS FEATURE_OPTIONS
  FEATURES
    libdeflate NDKEEP_WITH_LIBDEFLATE
    s3 NDKEEP_WITH_S3
    tool NDKEEP_INSTALL_TOOL)
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}" OPTIONS ${FEATURE_OPTIONS})
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/ndkeep)
if("tool" IN_LIST FEATURES)
  vcpkg_copy_tools(TOOL_NAMES ndkeep AUTO_CLEAN)
endif()

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
# The .pc files require xtensor's, which its port does not install.
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/lib/pkgconfig" "${CURRENT_PACKAGES_DIR}/debug/lib/pkgconfig")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
