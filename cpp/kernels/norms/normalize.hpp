// The formulas for normalized elements and their gradients, and the loops that write them over contiguous rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

#include "kernels/norms/statistics.hpp"
#include "kernels/norms/sums.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {
namespace {

struct NormShape {
  bool per_row, centered;  // gamma and beta are one number for each row; the mean is subtracted
};

/// The numbers from which the gradients of rows follow: the means of h and of h x̂, and what multiplies the difference.
/// The last three have the type of the rows.
template <class T>
struct Slopes {
  alignas(64) PerRow<double> mean_h, mean_hx, mean_hx_lo, by, by_lo;
  alignas(64) PerRow<T> h, hx, factor;

  /// From the sums of eight rows of n elements, from row i on. `gamma` is that of each row, or 1.
  template <class D>
  void set(std::size_t i, const Standards<T>& s, D sum_h, D sum_hx, D n, D gamma) {
    const auto finite = [](D x) { return select(abs(x) <= D(std::numeric_limits<double>::max()), x, D(0.0)); };
    const D mean = sum_hx / n, scale = D::load(&s.scale[i]), inverse = D::load(&s.inverse[i]) * scale;
    const D product = inverse * gamma, low = fma(inverse, gamma, -product) + D::load(&s.inverse_lo[i]) * scale * gamma;
    (sum_h / n).store(&mean_h[i]), mean.store(&mean_hx[i]), product.store(&by[i]);
    finite(fma(-mean, n, sum_hx) / n).store(&mean_hx_lo[i]), finite(low).store(&by_lo[i]);
    constexpr std::integral_constant<std::size_t, 8> eight;
    store_eight(sum_h / n, &h[i], eight), store_eight(mean, &hx[i], eight), store_eight(product, &factor[i], eight);
  }
};

/// dx = (h - mean h - x̂ mean h x̂)/deviation, in double.
template <class T, class D, NormShape shape>
class Slope {
  const StandardizeWide<T, D> standardized_;
  const D h_, hx_, hx_lo_, by_, by_lo_;

 public:
  template <class Rows>
  Slope(const Standards<T>& s, const Slopes<T>& of, Rows rows)
      : standardized_(s, rows),
        h_(rows.template of<D>(of.mean_h)),
        hx_(rows.template of<D>(of.mean_hx)),
        hx_lo_(rows.template of<D>(of.mean_hx_lo)),
        by_(rows.template of<D>(of.by)),
        by_lo_(rows.template of<D>(of.by_lo)) {}
  D operator()(D x, D g, D gamma) const {
    const D centered = shape.per_row ? g - h_ : shape.centered ? fma(g, gamma, -h_) : g * gamma;
    const math::Pair<D> normed = standardized_(x);
    const D y = fma(-normed.hi, hx_, centered) - fma(normed.lo, hx_, normed.hi * hx_lo_);
    return fma(y, by_, y * by_lo_);
  }
};

/// The same in float.
template <class V, NormShape shape>
class SingleSlope {
  const Standardize<V> standardized_;
  const V h_, hx_, by_;

 public:
  template <class Rows>
  SingleSlope(const Standards<float>& s, const Slopes<float>& of, Rows rows)
      : standardized_(s, rows),
        h_(rows.template of<V>(of.h)),
        hx_(rows.template of<V>(of.hx)),
        by_(rows.template of<V>(of.factor)) {}
  V operator()(V x, V g, V gamma) const {
    const V centered = shape.per_row ? g - h_ : shape.centered ? fma(g, gamma, -h_) : g * gamma;
    return by_ * fma(-standardized_(x), hx_, centered);
  }
};

/// Computes n contiguous elements of row i. gamma and beta point to the numbers of the first of these elements.
template <class Isa, class T, NormShape shape>
struct Normalize {
  using V = simd::Vec<Isa, T, 2>;
  using D = Eight<Isa>;

  [[gnu::flatten, gnu::noinline]] static void forward(const T* x, const T* gamma, const T* beta, T* y, std::size_t n,
                                                      const Standards<T>& s, std::size_t i) {
    const Standardize<V> standardized(s, OneRow{i});
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

  [[gnu::flatten, gnu::noinline]] static void backward(const T* x, const T* g, const T* gamma, T* dx, std::size_t n,
                                                       const Standards<T>& s, const Slopes<T>& of, std::size_t i) {
    const Slope<T, D, shape> slope(s, of, OneRow{i});
    const auto at = [&](std::size_t j, auto count) {
      const D factor = shape.per_row ? D(1.0) : eight<D>(gamma + j, count);
      store_eight(slope(eight<D>(x + j, count), eight<D>(g + j, count), factor), dx + j, count);
    };
    std::size_t j = 0;
    for (; j + 8 <= n; j += 8) at(j, std::integral_constant<std::size_t, 8>{});
    if (j < n) at(j, n - j);
  }

  /// The same for floats, computed in float. Returns false if a number is not finite, which may happen where double
  /// would not overflow; x and g are then unchanged.
  [[gnu::flatten, gnu::noinline]] static bool single_backward(const T* x, const T* g, const T* gamma, T* dx,
                                                              std::size_t n, const Standards<T>& s, const Slopes<T>& of,
                                                              std::size_t i) {
    const SingleSlope<V, shape> slope(s, of, OneRow{i});
    alignas(64) T buffer[sum_block];
    const bool in_place = dx == x || dx == g;
    T* const to = in_place ? buffer : dx;
    V check = 0.0;
    std::size_t j = 0;
    for (; j + V::size <= n; j += V::size) {
      const V y = slope(V::load(x + j), V::load(g + j), shape.per_row ? V(1.0) : V::load(gamma + j));
      check = math::nan_unless_finite(y, check);
      y.store(to + j);
    }
    if (j < n) {
      const std::size_t c = n - j;
      const V y = slope(V::load(x + j, c), V::load(g + j, c), shape.per_row ? V(1.0) : V::load(gamma + j, c));
      check = math::nan_unless_finite(select(V::indices() < V(static_cast<double>(c)), y, V(0.0)), check);
      y.store(to + j, c);
    }
    if (!all(check == V(0.0))) return false;
    if (in_place) std::copy_n(buffer, n, dx);
    return true;
  }
};

}  // namespace
}  // namespace fastact::kernels
