// The loops that write the results of norms: normalized elements, or their gradients.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "kernels/norms/sums.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {
namespace {

struct NormShape {
  bool per_row, centered;  // gamma and beta are one number for each row; the mean is subtracted
};

/// Computes n contiguous elements of one row. gamma and beta point to the numbers of the first of these elements.
template <class Isa, class T, NormShape shape>
struct Normalize {
  using V = simd::Vec<Isa, T, 2>;
  using D = Eight<Isa>;

  [[gnu::flatten, gnu::noinline]] static void forward(const T* x, const T* gamma, const T* beta, T* y, std::size_t n,
                                                      const Standard& s) {
    const Standardize<V> standardized(s);
    const V one_gamma = static_cast<double>(*gamma), one_beta = static_cast<double>(*beta);
    std::size_t j = 0;
    for (; j + V::size <= n; j += V::size) {
      const V v = standardized(V::load(x + j));
      fma(v, shape.per_row ? one_gamma : V::load(gamma + j), shape.per_row ? one_beta : V::load(beta + j)).store(y + j);
    }
    if (j < n) {
      const std::size_t c = n - j;
      const V v = standardized(V::load(x + j, c));
      fma(v, shape.per_row ? one_gamma : V::load(gamma + j, c), shape.per_row ? one_beta : V::load(beta + j, c))
          .store(y + j, c);
    }
  }

  /// dx = (h - mean h - x̂ mean h x̂)/deviation.
  [[gnu::flatten, gnu::noinline]] static void backward(const T* x, const T* g, const T* gamma, T* dx, std::size_t n,
                                                       const Standard& s, double mean_h,
                                                       std::array<double, 2> mean_hx) {
    const StandardizeWide<T, D> standardized(s);
    const double inverse = s.inverse * s.scale, factor = shape.per_row ? static_cast<double>(*gamma) : 1.0;
    const double product = inverse * factor,
                 product_low = std::fma(inverse, factor, -product) + s.inverse_lo * s.scale * factor;
    const D a = mean_h, b = mean_hx[0], b_low = mean_hx[1], by = product,
            by_low = std::isfinite(product_low) ? product_low : 0.0;
    const auto at = [&](std::size_t j, auto count) {
      const D gradient = eight<D>(g + j, count), factors = shape.per_row ? D(1.0) : eight<D>(gamma + j, count);
      const D centered = shape.per_row    ? gradient - a
                         : shape.centered ? fma(gradient, factors, -a)
                                          : gradient * factors;
      const math::Pair<D> normed = standardized(eight<D>(x + j, count));
      const D y = fma(-normed.hi, b, centered) - fma(normed.lo, b, normed.hi * b_low);
      store_eight(fma(y, by, y * by_low), dx + j, count);
    };
    std::size_t j = 0;
    for (; j + 8 <= n; j += 8) at(j, std::integral_constant<std::size_t, 8>{});
    if (j < n) at(j, n - j);
  }

  /// The same for floats, computed in float. Returns false if a number is not finite, which may happen where double
  /// would not overflow; x and g are then unchanged.
  [[gnu::flatten, gnu::noinline]] static bool single_backward(const T* x, const T* g, const T* gamma, T* dx,
                                                              std::size_t n, const Standard& s, double mean_h,
                                                              double mean_hx) {
    const double factor = shape.per_row ? static_cast<double>(*gamma) : 1.0;
    const Standardize<V> standardized(s);
    const V a = mean_h, b = mean_hx, by = s.inverse * s.scale * factor;
    alignas(64) T buffer[sum_block];
    const bool in_place = dx == x || dx == g;
    T* const to = in_place ? buffer : dx;
    V check = 0.0;
    const auto at = [&](V of_x, V of_g, V factors) {
      const V centered = shape.per_row ? of_g - a : shape.centered ? fma(of_g, factors, -a) : of_g * factors;
      return by * fma(-standardized(of_x), b, centered);
    };
    std::size_t j = 0;
    for (; j + V::size <= n; j += V::size) {
      const V y = at(V::load(x + j), V::load(g + j), shape.per_row ? V(1.0) : V::load(gamma + j));
      check = fma(y, V(0.0), check);
      y.store(to + j);
    }
    if (j < n) {
      const std::size_t c = n - j;
      const V y = at(V::load(x + j, c), V::load(g + j, c), shape.per_row ? V(1.0) : V::load(gamma + j, c));
      check = fma(select(V::indices() < V(static_cast<double>(c)), y, V(0.0)), V(0.0), check);
      y.store(to + j, c);
    }
    if (!all(check == V(0.0))) return false;
    if (in_place) std::copy_n(buffer, n, dx);
    return true;
  }
};

}  // namespace
}  // namespace fastact::kernels
