// SPDX-License-Identifier: BSD-3-Clause
// Chunked arrays in object stores that speak S3. It needs libcurl, so ndkeep.hpp does not include it.
#pragma once

#include <ndkeep/s3/bucket.hpp>
#include <ndkeep/s3/options.hpp>
#include <ndkeep/s3/place.hpp>
