// SPDX-License-Identifier: BSD-3-Clause
// All bodies of S3, to be compiled once beside <ndkeep/source.hpp>. Needs libcurl.
#pragma once

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#error "define NDKEEP_SEPARATE_COMPILATION for all sources of the program, or leave <ndkeep/s3/source.hpp> out"
#endif

#include <ndkeep/s3/detail/bucket.ipp>
#include <ndkeep/s3/detail/client.ipp>
#include <ndkeep/s3/detail/client_puts.ipp>
#include <ndkeep/s3/detail/credentials.ipp>
#include <ndkeep/s3/detail/http.ipp>
#include <ndkeep/s3/detail/place.ipp>
#include <ndkeep/s3/detail/sha256.ipp>
#include <ndkeep/s3/detail/xml.ipp>
