// The formulas for normalized elements and their gradients, and the loops that write them over contiguous rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

#include "kernels/norms/lines.hpp"
#include "kernels/norms/statistics.hpp"
#include "kernels/norms/sums.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {
namespace {

/// The numbers from which the gradients of rows follow: the means of h and of h x̂, and what multiplies the difference.
/// The last three have the type of the rows.
template <class T>
struct Slopes {
  alignas(64) PerRow<double> mean_h, mean_hx, mean_hx_lo, by, by_lo;
  alignas(64) PerRow<T> h, hx, factor;

  /// Computes them for eight rows, from row r + i on, or for those of them that are among `rows`. Where each row has
  /// one gamma, its gradient and that of beta are the sums.
  template <class Sum>
  [[gnu::noinline]] void set(const NormCall& call, std::size_t r, std::size_t i, std::size_t rows,
                             const Standards<T>& s, const Projections<Sum>& sums) {
    using D = decltype(sums.hx.total());
    const std::size_t some = std::min<std::size_t>(8, rows - i);
    const D sum_h = call.norm == Norm::rms ? D(0.0) : sums.h.total(), sum_hx = sums.hx.total();
    D gamma = 1.0;
    if (call.norm == Norm::batch) {
      if (call.gamma.data != nullptr) gamma = eight<D>(static_cast<const T*>(call.gamma.data) + r + i, some);
      sum_hx.store(call.first + r + i, some), sum_h.store(call.second + r + i, some);
    }
    const auto finite = [](D x) { return select(abs(x) <= D(std::numeric_limits<double>::max()), x, D(0.0)); };
    const D n = static_cast<double>(call.length), mean = sum_hx / n, scale = D::load(&s.scale[i]),
            inverse = D::load(&s.inverse[i]) * scale;
    const D product = inverse * gamma, low = fma(inverse, gamma, -product) + D::load(&s.inverse_lo[i]) * scale * gamma;
    (sum_h / n).store(&mean_h[i]), mean.store(&mean_hx[i]), product.store(&by[i]);
    finite(fma(-mean, n, sum_hx) / n).store(&mean_hx_lo[i]), finite(low).store(&by_lo[i]);
    constexpr std::integral_constant<std::size_t, 8> all;
    store_eight(sum_h / n, &h[i], all), store_eight(mean, &hx[i], all), store_eight(product, &factor[i], all);
  }
};

/// dx = (h - mean h - x̂ mean h x̂)/deviation with h = g γ, in double. The mean of h is 0 where none is subtracted.
template <class T, class D>
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
    const math::Pair<D> normed = standardized_(x);
    const D y = fma(-normed.hi, hx_, fma(g, gamma, -h_)) - fma(normed.lo, hx_, normed.hi * hx_lo_);
    return fma(y, by_, y * by_lo_);
  }
};

/// The same in float.
template <class V>
class SingleSlope {
  const Standardize<V, true> standardized_;
  const V h_, hx_, by_;

 public:
  template <class Rows>
  SingleSlope(const Standards<float>& s, const Slopes<float>& of, Rows rows)
      : standardized_(s, rows),
        h_(rows.template of<V>(of.h)),
        hx_(rows.template of<V>(of.hx)),
        by_(rows.template of<V>(of.factor)) {}
  V operator()(V x, V g, V gamma) const { return by_ * fma(-standardized_(x), hx_, fma(g, gamma, -h_)); }
};

/// The form of the forward pass, by what follows for an element after its row's numbers are applied: nothing
/// (`affine`), a product with the element's gamma (`scaled`), or that product and a sum with its beta (`full`).
enum class Form : std::size_t { affine, scaled, full };
inline Form form_of(const NormCall& call) {
  if (call.norm == Norm::batch || (call.gamma.data == nullptr && call.beta.data == nullptr)) return Form::affine;
  return call.norm == Norm::rms ? Form::scaled : Form::full;
}

/// γ x̂ + β, with gamma and beta for single elements.
template <Form form, class V>
class Forward {
  const Standardize<V, form == Form::full> standardized_;

 public:
  template <class T, std::size_t count, class Rows>
  Forward(const Narrow<T, count>& s, Rows rows) : standardized_(s, rows) {}
  template <class Gamma, class Beta>
  V operator()(V x, Gamma gamma, Beta beta) const {
    const V y = standardized_(x);
    if constexpr (form == Form::affine) return y;
    if constexpr (form == Form::scaled) return y * gamma();
    return fma(y, gamma(), beta());
  }
};

/// Computes n contiguous elements of each of some rows. gamma and beta point to the numbers of the first of them.
template <class Isa, class T>
struct NormalizeForward {
  using V = simd::Vec<Isa, T, 2>;
  template <Form form, class S>
  [[gnu::flatten, gnu::noinline]] static void run(Block<S> from, const T* gamma, const T* beta, Block<S> to,
                                                  std::size_t rows, std::size_t n, const Standards<T>& s) {
    for (std::size_t row = 0; row < rows; ++row) {
      const S* const x = from.line(row);
      S* const y = to.line(row);
      const Forward<form, V> forward(s, OneRow{row});
      const auto at = [&](std::size_t j, auto... some) {
        forward(
            V::load(x + j, some...), [&] { return V::load(gamma + j, some...); },
            [&] { return V::load(beta + j, some...); })
            .store(y + j, some...);
      };
      std::size_t j = 0;
      for (; j + V::size <= n; j += V::size) at(j);
      if (j < n) at(j, n - j);
    }
  }
};

/// The same for gradients. gamma is the one number of all elements if the norm `is_uniform`.
template <class Isa, class T, bool is_uniform>
struct Normalize {
  using V = simd::Vec<Isa, T, 2>;
  using D = Eight<Isa>;

  static void backward(Block<T> x, Block<T> g, const T* gamma, Block<T> dx, std::size_t rows, std::size_t n,
                       const Standards<T>& s, const Slopes<T>& of) {
    for (std::size_t i = 0; i < rows; ++i) {
      if constexpr (std::is_same_v<T, float>) i = single_backward(x, g, gamma, dx, i, rows, n, s, of);
      if (i < rows) wide_backward(x.line(i), g.line(i), gamma, dx.line(i), n, s, of, i);
    }
  }

 private:
  [[gnu::flatten, gnu::noinline]] static void wide_backward(const T* x, const T* g, const T* gamma, T* dx,
                                                            std::size_t n, const Standards<T>& s, const Slopes<T>& of,
                                                            std::size_t i) {
    const Slope<T, D> slope(s, of, OneRow{i});
    const auto at = [&](std::size_t j, auto count) {
      const D factor = is_uniform ? D(1.0) : eight<D>(gamma + j, count);
      store_eight(slope(eight<D>(x + j, count), eight<D>(g + j, count), factor), dx + j, count);
    };
    std::size_t j = 0;
    for (; j + 8 <= n; j += 8) at(j, std::integral_constant<std::size_t, 8>{});
    if (j < n) at(j, n - j);
  }

  /// The same for floats, computed in float, from row i on. Returns the row at which a number is not finite, which may
  /// happen where double would not overflow, or `rows`. That row's x and g are unchanged.
  [[gnu::flatten, gnu::noinline]] static std::size_t single_backward(Block<T> from, Block<T> gradients, const T* gamma,
                                                                     Block<T> result, std::size_t i, std::size_t rows,
                                                                     std::size_t n, const Standards<T>& s,
                                                                     const Slopes<T>& of) {
    alignas(64) T buffer[sum_block];
    for (; i < rows; ++i) {
      const SingleSlope<V> slope(s, of, OneRow{i});
      const T *const x = from.line(i), *const g = gradients.line(i);
      T* const dx = result.line(i);
      const bool in_place = dx == x || dx == g;
      T* const to = in_place ? buffer : dx;
      V check = 0.0;
      std::size_t j = 0;
      for (; j + V::size <= n; j += V::size) {
        const V y = slope(V::load(x + j), V::load(g + j), is_uniform ? V(1.0) : V::load(gamma + j));
        check = math::nan_unless_finite(y, check);
        y.store(to + j);
      }
      if (j < n) {
        const std::size_t c = n - j;
        const V y = slope(V::load(x + j, c), V::load(g + j, c), is_uniform ? V(1.0) : V::load(gamma + j, c));
        check = math::nan_unless_finite(select(V::indices() < V(static_cast<double>(c)), y, V(0.0)), check);
        y.store(to + j, c);
      }
      if (!all(check == V(0.0))) return i;
      if (in_place) std::copy_n(buffer, n, dx);
    }
    return rows;
  }
};

}  // namespace
}  // namespace fastact::kernels
