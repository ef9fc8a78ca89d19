# SPDX-License-Identifier: BSD-3-Clause
# Runs the methods of a Conan recipe with a small stand-in for Conan, which is not needed here:
#
#   conan_recipe.py conanfile.py FOLDER   prints what the recipe declares, and exports its sources to FOLDER
import fnmatch
import importlib.util
import os
import shutil
import sys
import types


class Settings:
    """The settings of one machine, as recipes read them: os, compiler, compiler.version."""

    def __init__(self, values):
        self._values = values
        for name, value in values.items():
            if "." not in name:
                setattr(self, name, Compiler(value, values["compiler.version"]) if name == "compiler" else value)


class Compiler(str):
    def __new__(cls, name, version):
        compiler = super().__new__(cls, name)
        compiler.version = version
        return compiler


class Version:
    def __init__(self, text):
        self.parts = [int(part) for part in str(text).split(".")]

    def __lt__(self, other):
        return self.parts < Version(other).parts


class CppInfo:
    def __init__(self):
        self.properties = {}

    def set_property(self, name, value):
        self.properties[name] = value


class Recipe:
    """Stands for conan.ConanFile."""

    def requires(self, reference, transitive_headers=False, transitive_libs=False):
        if not (transitive_headers and transitive_libs):
            raise SystemExit(f"{reference}: users of the headers need it too")
        self.required.append(reference)


class Toolchain:
    def __init__(self, recipe):
        self.cache_variables = {}
        recipe.toolchain = self

    def generate(self):
        pass


class Dependencies:
    def __init__(self, recipe):
        pass

    def generate(self):
        pass


def copy(recipe, pattern, src, dst):
    for folder, _, names in os.walk(src):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), src)
            if fnmatch.fnmatchcase(path, pattern):
                os.makedirs(os.path.dirname(os.path.join(dst, path)), exist_ok=True)
                shutil.copy2(os.path.join(src, path), os.path.join(dst, path))


def load(recipe, path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_min_cppstd(recipe, standard):
    print("standard", standard)


class InvalidConfiguration(Exception):
    pass


def stand_in(name, **members):
    module = types.ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


stand_in("conan", ConanFile=Recipe)
stand_in("conan.errors", ConanInvalidConfiguration=InvalidConfiguration)
stand_in("conan.tools")
stand_in("conan.tools.build", check_min_cppstd=check_min_cppstd)
stand_in("conan.tools.cmake", CMake=None, CMakeDeps=Dependencies, CMakeToolchain=Toolchain, cmake_layout=lambda recipe: None)
stand_in("conan.tools.files", copy=copy, load=load, rmdir=None)
stand_in("conan.tools.scm", Version=Version)

sys.dont_write_bytecode = True
path, exported = (os.path.abspath(argument) for argument in sys.argv[1:])
spec = importlib.util.spec_from_file_location("conanfile", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
recipe_class = next(c for c in vars(module).values() if isinstance(c, type) and issubclass(c, Recipe) and c is not Recipe)


def recipe_for(system="Linux", compiler="gcc", version="12", **options):
    recipe = recipe_class()
    recipe.recipe_folder = os.path.dirname(path)
    recipe.export_sources_folder = exported
    recipe.required = []
    recipe.cpp_info = CppInfo()
    recipe.settings = Settings({"os": system, "compiler": compiler, "compiler.version": version})
    recipe.options = types.SimpleNamespace(**{**recipe.default_options, **options})
    recipe.set_version()
    recipe.requirements()
    return recipe


recipe = recipe_for()
recipe.export_sources()
recipe.layout()
recipe.validate()
recipe.generate()
recipe.package_info()
print("name", recipe.name)
print("version", recipe.version)
print("license", recipe.license)
print("description", recipe.description)
for reference in recipe.required:
    print("requires", reference)
for reference in recipe_for(with_libdeflate=True).required:
    if reference not in recipe.required:
        print("with_libdeflate", reference)
for reference in recipe_for(with_s3=True).required:
    if reference not in recipe.required:
        print("with_s3", reference)
for reference in recipe_for(compiler="clang", version="14").required:
    if reference not in recipe.required:
        print("clang_14", reference)
for name, value in recipe.toolchain.cache_variables.items():
    print("cache", name, value)
for folder in recipe.cpp_info.builddirs:
    print("config", folder)
print("find_mode", recipe.cpp_info.properties["cmake_find_mode"])

try:
    recipe_for(system="Windows").validate()
except InvalidConfiguration as error:
    print("windows", error)
