# SPDX-License-Identifier: BSD-3-Clause
# Conan 2 recipe of the checkout that contains it: conan create cmake/packaging/conan --build=missing
import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir
from conan.tools.scm import Version

required_conan_version = ">=2.0"


class NdkeepConan(ConanFile):
    name = "ndkeep"
    description = "Keeps n-dimensional arrays: NumPy files for C++20 and xtensor"
    license = "BSD-3-Clause"
    topics = ("numpy", "npy", "npz", "xtensor", "arrays")
    package_type = "static-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_libdeflate": [True, False], "with_s3": [True, False]}
    default_options = {"with_libdeflate": False, "with_s3": False}

    @property
    def _checkout(self):
        return os.path.abspath(os.path.join(self.recipe_folder, os.pardir, os.pardir, os.pardir))

    # Conan calls this and export_sources only in the checkout, never in its cache.
    def set_version(self):
        header = load(self, os.path.join(self._checkout, "include", "ndkeep", "version.hpp"))
        numbers = dict(re.findall(r"#define NDKEEP_VERSION_(\w+) (\d+)", header))
        self.version = "{MAJOR}.{MINOR}.{PATCH}".format(**numbers)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*"):
            copy(self, pattern, self._checkout, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        # xtensor 0.27 does not compile with clang before 17.
        old_clang = "clang" in str(self.settings.compiler) and Version(self.settings.compiler.version) < "17"
        xtensor = "xtensor/[>=0.24 <0.27]" if old_clang else "xtensor/[>=0.24 <0.28]"
        # The headers of ndkeep include those of all packages.
        wanted = [xtensor, "nlohmann_json/[>=3.9 <4]", "zlib/[>=1.2.11 <2]"]
        if self.options.with_libdeflate:
            wanted.append("libdeflate/[>=1.14 <2]")
        if self.options.with_s3:
            wanted.append("libcurl/[>=7.88 <9]")
        for reference in wanted:
            self.requires(reference, transitive_headers=True, transitive_libs=True)

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os == "Windows":
            raise ConanInvalidConfiguration("ndkeep needs POSIX files and mappings: Windows is not supported")

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["NDKEEP_WITH_LIBDEFLATE"] = "ON" if self.options.with_libdeflate else "OFF"
        toolchain.cache_variables["NDKEEP_WITH_S3"] = "ON" if self.options.with_s3 else "OFF"
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))

    def package_info(self):
        # CMake reads the package's own files, which define ndkeep::ndkeep and ndkeep::compiled.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("share", "cmake", "ndkeep")]
        # Other build systems get the headers, and no library: a program that links it must define
        # NDKEEP_SEPARATE_COMPILATION.
        self.cpp_info.bindirs = []
        if self.options.with_libdeflate:
            self.cpp_info.defines = ["NDKEEP_USE_LIBDEFLATE=1"]
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]
