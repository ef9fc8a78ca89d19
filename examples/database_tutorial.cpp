// SPDX-License-Identifier: BSD-3-Clause
// A database step by step: arrays in ordinary memory that are committed together, or taken back together.
#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>

#include <cstdio>

#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;
namespace nk = ndkeep;

namespace {

// An ordinary function of C: it knows nothing of databases, only memory.
std::size_t count_even(const std::int64_t* values, std::size_t count) {
    std::size_t even = 0;
    for (std::size_t i = 0; i < count; ++i)
        even += values[i] % 2 == 0;
    return even;
}

template <class Array>
void print(const char* label, const Array& values) {
    std::printf("%-22s", label);
    for (const auto value : values)
        std::printf(" %lld", static_cast<long long>(value));
    std::printf("\n");
}

/// Runs a function in a process of its own, and waits for it.
void in_another_process(void (*act)()) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
        act();
        std::fflush(stdout);
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
}

void first_process() {
    nk::database lab("lab");  // a directory of npy files; created, because it is absent
    auto a = lab.create<std::int64_t>("A", {10});
    lab.commit();
    print("created", a);

    // `a` is an xtensor container in ordinary memory. Nothing announces the stores: the commit finds them.
    a = xt::arange<std::int64_t>(10);
    a(7) = 22;
    print("stored", a);
    print("the file until then", nk::load<std::int64_t>("lab/A.npy"));
    lab.commit();
}

void second_process() {
    nk::database lab("lab");
    const auto a = lab.open<std::int64_t, 1>("A");
    print("in another process", a);
    std::printf("mean %.1f, %zu are even\n", xt::mean(a)(), count_even(a.data(), a.size()));
}

}  // namespace

int main() {
    fs::remove_all("lab");
    in_another_process(first_process);
    in_another_process(second_process);

    nk::database lab("lab");
    auto a = lab.open<std::int64_t, 1>("A");
    const auto same = lab.open<std::int64_t, 1>("A");  // the same memory
    const auto* const elements = a.data();

    // Abort: what is not committed goes back, in every container.
    xt::view(a, xt::range(0, 5)) = -1;
    print("before the abort", same);
    lab.abort();
    print("after it", same);

    // Rows are added at the end, at the same cost for any size. Pointers stay valid.
    a.append(xt::arange<std::int64_t>(100, 103));
    lab.commit();
    print("appended", a);
    std::printf("element 7 through a pointer from before: %lld\n", static_cast<long long>(elements[7]));

    // One commit for everything: two arrays, a shape, and metadata.
    auto b = lab.create<double>("B", {2, 3});
    b = xt::ones<double>({2, 3}) * 271.5;
    lab.metadata("B")["units"] = "kelvin";
    a.resize({4});
    const auto mark = lab.savepoint();
    b(0, 0) = 0;
    a(0) = 99;
    lab.abort(mark);  // back to the savepoint, not to the last commit
    std::printf("commit %llu:", static_cast<unsigned long long>(lab.commit()));
    for (const auto& name : lab.names())
        std::printf(" %s %s", name.c_str(), nk::shape_text(nk::inspect("lab/" + name + ".npy").shape).c_str());
    std::printf("\n");
    lab.close();

    // Plain files: any program that reads npy reads them, numpy.load("lab/A.npy") too.
    print("read as a plain file", nk::load<std::int64_t>("lab/A.npy"));
    std::printf("B in %s, first element %.1f\n", nk::metadata("lab/B.npy")["units"].get<std::string>().c_str(),
                nk::load<double>("lab/B.npy")(0, 0));
}
