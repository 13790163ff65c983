#pragma once

#include <cstddef>

namespace fastact::simd {

/// 32 rows of 8 numbers, column by column: a column is what registers hold to look up in.
struct Table {
  static constexpr std::size_t rows = 32, columns = 8;
  alignas(64) float column[columns][rows];
  constexpr explicit Table(const float (&row)[rows][columns]) : column{} {
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t k = 0; k < columns; ++k) column[k][i] = row[i][k];
    }
  }
};

}  // namespace fastact::simd
