// SPDX-License-Identifier: BSD-3-Clause
// The tests of all places, on a bucket.
#define NDKEEP_TEST_S3
#include "store/places.cpp"
