// SPDX-License-Identifier: BSD-3-Clause
// Transactions: several npy files of one directory that change together, or not at all.
#pragma once

#include <ndkeep/database/database.hpp>
#include <ndkeep/database/snapshot.hpp>
#include <ndkeep/database/verify.hpp>
