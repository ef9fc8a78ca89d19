// SPDX-License-Identifier: BSD-3-Clause
// The tests of collections in a tree of places, in a bucket.
#define NDKEEP_TEST_S3
#include "chunks/collection_places.cpp"
