// SPDX-License-Identifier: BSD-3-Clause
// The encodings of requests and answers: SHA-256, XML, percent signs and times.
#include "s3/bucket.hpp"

#include <ndkeep/s3/detail/http.hpp>
#include <ndkeep/s3/detail/sha256.hpp>
#include <ndkeep/s3/detail/xml.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace s3_encoding_tests {

namespace nk = ndkeep::detail;

[[nodiscard]] std::span<const std::byte> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

[[nodiscard]] std::string digest(std::string_view text) {
    nk::sha256 sum;
    sum.update(bytes_of(text));
    return sum.digest();
}

TEST_CASE("SHA-256 gives the digests of FIPS 180-4 and of its test vectors", "[s3]") {
    CHECK(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(digest("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsm"
                 "nopqrstnopqrstu") == "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    CHECK(digest(std::string(1'000'000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 does not depend on how the bytes come", "[s3]") {
    std::string text;
    for (int i = 0; i < 300; ++i)
        text += static_cast<char>(i * 7);
    for (std::size_t length = 0; length <= text.size(); ++length) {
        const auto whole = std::string_view(text).substr(0, length);
        for (const std::size_t piece : {1u, 3u, 63u, 64u, 65u}) {
            nk::sha256 sum;
            for (std::size_t at = 0; at < length; at += piece)
                sum.update(bytes_of(whole.substr(at, piece)));
            if (sum.digest() != digest(whole)) {
                CAPTURE(length, piece);
                FAIL("another digest");
            }
        }
    }
}

TEST_CASE("elements of an XML document are found by name", "[s3]") {
    const std::string_view document =
        "<?xml version=\"1.0\"?><List xmlns=\"http://x\"><Contents><Key>a</Key></Contents>"
        "<Contents><Key>b</Key><KeyCount>7</KeyCount></Contents><Empty></Empty></List>";

    const auto contents = nk::xml_elements(document, "Contents");
    REQUIRE(contents.size() == 2);
    CHECK(nk::xml_element(contents[0], "Key") == "a");
    CHECK(nk::xml_element(contents[1], "Key") == "b");
    CHECK(nk::xml_element(document, "KeyCount") == "7");
    CHECK(nk::xml_element(document, "Empty").empty());
    CHECK(nk::xml_element(document, "Absent").empty());
    CHECK(nk::xml_elements("<Key>cut short", "Key").empty());
    CHECK(nk::xml_elements("", "Key").empty());
}

TEST_CASE("entities of XML are replaced, and what is none stays", "[s3]") {
    CHECK(nk::xml_text("a&amp;b&lt;c&gt;d&quot;e&apos;f") == "a&b<c>d\"e'f");
    CHECK(nk::xml_text("&#10;&#xe9;&#x20AC;&#128512;") == "\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    CHECK(nk::xml_text("&amp;lt;") == "&lt;");  // replaced once
    CHECK(nk::xml_text("a & b; &unknown; &#x; &#12x; &#x110000; &") == "a & b; &unknown; &#x; &#12x; &#x110000; &");
    CHECK(nk::xml_text("") == "");
}

TEST_CASE("text is percent-encoded as signatures need it", "[s3]") {
    CHECK(nk::percent_encoded("azAZ09-._~", false) == "azAZ09-._~");
    CHECK(nk::percent_encoded("a/b c+d", true) == "a/b%20c%2Bd");
    CHECK(nk::percent_encoded("a/b=&?#%", false) == "a%2Fb%3D%26%3F%23%25");
    CHECK(nk::percent_encoded(std::string("\0\xff", 2), false) == "%00%FF");
}

TEST_CASE("the times of headers are read", "[s3]") {
    using namespace std::chrono;
    CHECK(nk::http_time("Mon, 30 Nov 2026 12:00:05 GMT") ==
          sys_seconds(sys_days(year(2026) / 11 / 30) + hours(12) + seconds(5)));
    CHECK(nk::iso_time("2026-11-30T12:00:05.000Z") == nk::http_time("Mon, 30 Nov 2026 12:00:05 GMT"));
    for (const char* const text : {"", "2026", "2026-13-30T12:00:05Z", "2026-11-31T12:00:05Z", "2026-11-30", "today"})
        CHECK(nk::iso_time(text) == std::nullopt);
    CHECK(nk::http_time("no time") == std::nullopt);
    CHECK(nk::http_time("") == std::nullopt);
}

}  // namespace s3_encoding_tests
