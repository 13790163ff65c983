#pragma once

#include <cstddef>

namespace fastact::activations {

/// What an element costs in picoseconds, of float32 and on a processor with AVX-512: of functions that cost little more
/// than to read and write it, and of those that do not say. `python bench/limits.py` measures it. It decides how many
/// threads a call is worth.
constexpr std::size_t copying = 80, computing = 300;

template <class A>
constexpr std::size_t cost = [] {
  if constexpr (requires { A::cost; }) {
    return A::cost;
  } else {
    return computing;
  }
}();

}  // namespace fastact::activations
