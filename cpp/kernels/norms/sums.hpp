// The sums over a row from which norms compute its mean and deviation, and the projections of its gradient.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "functions/rows/row_function.hpp"
#include "kernels/fold.hpp"
#include "math/pair.hpp"

/// Sums over contiguous lines, in double. A line is summed in blocks: element j of a block is added to sum j modulo 32
/// of that block, or to sum j modulo 8 for projections, and blocks are added in turn. This order depends on nothing but
/// the number of elements.
namespace fastact::kernels {
namespace {

/// Eight doubles: eight elements of a line, or one number for each of eight lines.
template <class Isa>
using Eight = simd::Vec<Isa, double, 8 / Isa::template size<double>>;

/// Elements are added to several sums in turn, so that no addition waits for the one before. Projections are those of
/// several rows at a time instead.
constexpr std::size_t sum_chains = 4, sum_unit = 8 * sum_chains, sum_block = 1024;

/// Eight numbers, or the first `count` of them and zeros.
template <class D, class T, class Count>
D eight(const T* p, Count count) {
  constexpr bool is_double = std::is_same_v<T, double>, is_full = !std::is_same_v<Count, std::size_t>;
  if constexpr (is_double && is_full) {
    return D::load(p);
  } else if constexpr (is_double) {
    return D::load(p, count);
  } else if constexpr (is_full && std::is_same_v<T, float>) {
    return D::load_double(p);
  } else {
    using Isa = typename D::InstructionSet;
    using V = simd::Vec<Isa, float, std::max<std::size_t>(1, 8 / Isa::template size<float>)>;
    alignas(64) float few[V::size];
    V::load(p, V::size > 8 ? std::min<std::size_t>(8, count) : count).store(few);
    return D::load_double(few);
  }
}
template <class D, class T, class Count>
void store_eight(D d, T* to, Count count) {
  constexpr bool is_double = std::is_same_v<T, double>;
  if constexpr (!std::is_same_v<Count, std::size_t>) {
    if constexpr (is_double)
      d.store(to);
    else
      d.store_single(to);
  } else if constexpr (is_double) {
    d.store(to, count);
  } else {
    T few[8];
    d.store_single(few);
    std::copy_n(few, count, to);
  }
}

/// Transposes eight vectors of eight numbers.
template <std::size_t distance = 4, class D>
void transpose(std::array<D, 8>& d) {
  for (std::size_t i = 0; i < 8; ++i) {
    if ((i & distance) == 0) D::template exchange<distance>(d[i], d[i + distance]);
  }
  if constexpr (distance > 1) transpose<distance / 2>(d);
}

/// The sum of the numbers of a line. Double is precise enough for differences of floats and their products.
template <class D>
struct Plain {
  D value;
  void add(D a) { value = value + a; }
  void add_product(D a, math::Pair<D> b) { value = fma(a, b.hi, value); }
  friend Plain operator+(Plain a, Plain b) { return {a.value + b.value}; }
  D total() const { return value; }
};
template <class D>
struct Paired : rowwise::Signed<D> {
  void add(D a) { rowwise::Signed<D>::add_product(a, D(1.0)); }
  void add_product(D a, math::Pair<D> b) {
    rowwise::Signed<D>::add_product(a, b.hi);
    this->lo = fma(a, b.lo, this->lo);
  }
  friend Paired operator+(Paired a, Paired b) {
    return {static_cast<rowwise::Signed<D>>(a) + static_cast<rowwise::Signed<D>>(b)};
  }
  D total() const { return this->hi + this->lo; }
};
/// The sum that suffices for numbers of type T.
template <class T, class D>
using Total = std::conditional_t<std::is_same_v<T, float>, Plain<D>, Paired<D>>;

/// Sums of columns in memory, which for doubles are followed by their low parts, after `count` elements.
template <class T, class D>
struct ColumnSums {
  double* sums;
  std::size_t count;
  template <class Count>
  Total<T, D> load(std::size_t j, Count some) const {
    if constexpr (std::is_same_v<T, float>)
      return {eight<D>(sums + j, some)};
    else
      return {{eight<D>(sums + j, some), eight<D>(sums + count + j, some)}};
  }
  template <class Count>
  void store(Total<T, D> sum, std::size_t j, Count some) const {
    if constexpr (std::is_same_v<T, float>) {
      store_eight(sum.value, sums + j, some);
    } else {
      store_eight(sum.hi, sums + j, some), store_eight(sum.lo, sums + count + j, some);
    }
  }
};

/// Moments are those of d = scale x - shift. `start` exceeds every sum of a chain, or is 0 if no such number is known
/// yet.
template <class D>
struct Measure {
  D scale, shift, start;
};

/// Σ d and Σ d² of floats, which are not scaled.
template <class D>
struct SingleMoments {
  D sum, square;
  void begin(const Measure<D>&) { sum = square = 0.0; }
  void add(D x, const Measure<D>& by) {
    const D d = x - by.shift;
    sum = sum + d;
    square = fma(d, d, square);
  }
  void settle(const Measure<D>&) {}
  friend SingleMoments operator+(SingleMoments a, SingleMoments b) { return {a.sum + b.sum, a.square + b.square}; }
  math::Pair<D> mean(D shift, D count) const { return math::sum(shift, sum / count); }
  math::Pair<D> squares() const { return {square, 0.0}; }
};

/// Σ x² of floats, which are not scaled.
template <class D>
struct SingleSquares {
  D square;
  void begin(const Measure<D>&) { square = 0.0; }
  void add(D x, const Measure<D>&) { square = fma(x, x, square); }
  void settle(const Measure<D>&) {}
  friend SingleSquares operator+(SingleSquares a, SingleSquares b) { return {a.square + b.square}; }
  math::Pair<D> squares() const { return {square, 0.0}; }
};

/// Σ d and the largest |x| of doubles.
template <class D>
struct RoughMoments {
  D sum, most;
  void begin(const Measure<D>&) { sum = most = 0.0; }
  void add(D x, const Measure<D>& by) {
    const D term = x * by.scale;
    sum = sum + (term - by.shift);
    most = max(abs(term), most);
  }
  void settle(const Measure<D>&) {}
  friend RoughMoments operator+(RoughMoments a, RoughMoments b) { return {a.sum + b.sum, max(a.most, b.most)}; }
};

/// Σ d², with the errors of its additions.
template <class D>
struct SquareSum {
  D square = 0.0, square_low = 0.0;
  void add(D d) {
    const D squares = fma(d, d, square);
    square_low = square_low + fma(d, d, square - squares);
    square = squares;
  }
  friend SquareSum operator+(SquareSum a, SquareSum b) {
    const math::Pair<D> q = math::sum(a.square, b.square);
    return {q.hi, q.lo + (a.square_low + b.square_low)};
  }
  math::Pair<D> total() const { return math::fast_sum(square, square_low); }
};

/// Σ x and Σ d² of doubles. The sum begins at a number larger than any sum of a chain, so that two operations find the
/// error of an addition (fast_sum).
template <class D>
struct DoubleMoments {
  D sum, low;
  SquareSum<D> of_differences;
  void begin(const Measure<D>& by) { sum = by.start, low = 0.0, of_differences = {}; }
  void add(D x, const Measure<D>& by) {
    const D term = x * by.scale, s = sum + term;
    low = low + (term - (s - sum));
    sum = s;
    of_differences.add(term - by.shift);
  }
  void settle(const Measure<D>& by) { sum = sum - by.start; }
  friend DoubleMoments operator+(DoubleMoments a, DoubleMoments b) {
    const math::Pair<D> s = math::sum(a.sum, b.sum);
    return {s.hi, s.lo + (a.low + b.low), a.of_differences + b.of_differences};
  }
  math::Pair<D> mean(D, D count) const {
    return math::normalized(math::fast_sum(sum, low) / math::Divisor<D>({count, 0.0}));
  }
  math::Pair<D> squares() const { return of_differences.total(); }
};

/// Σ x² of doubles.
template <class D>
struct DoubleSquares {
  SquareSum<D> of_numbers;
  void begin(const Measure<D>&) { of_numbers = {}; }
  void add(D x, const Measure<D>& by) { of_numbers.add(x * by.scale); }
  void settle(const Measure<D>&) {}
  friend DoubleSquares operator+(DoubleSquares a, DoubleSquares b) { return {a.of_numbers + b.of_numbers}; }
  math::Pair<D> squares() const { return of_numbers.total(); }
};

/// Σ h and Σ h x̂, h being g γ or, in a row with one γ, g.
template <class Sum>
struct Projections {
  Sum h, hx;
  friend Projections operator+(Projections a, Projections b) { return {a.h + b.h, a.hx + b.hx}; }
};

/// Calls body(chain, j, count) for every eight elements of a block; the last call may have fewer elements. All numbers
/// of chains are constants, so that compilers keep the chains in registers.
template <class Body>
[[gnu::always_inline]] inline void each_eight(std::size_t n, Body body) {
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    std::size_t j = 0;
    for (; j + sum_unit <= n; j += sum_unit) (body(i, j + 8 * i, std::integral_constant<std::size_t, 8>{}), ...);
    if (j < n) ((void)(j + 8 * i < n && (body(i, j + 8 * i, std::min<std::size_t>(8, n - j - 8 * i)), true)), ...);
  }(std::make_index_sequence<sum_chains>{});
}

template <class X>
X joined(const std::array<X, sum_chains>& chain) {
  return (chain[0] + chain[2]) + (chain[1] + chain[3]);
}

/// Joins the chains of a block of n elements that belong to one of the eight places in a line.
template <std::size_t unit, class Chain>
[[gnu::always_inline]] inline auto joined_chains(std::size_t place, std::size_t n, Chain chain) {
  auto all = chain(place);
  if constexpr (unit == sum_unit) {
    if (place + 16 < n) all = all + chain(place + 16);
    if (place + 8 < n) {
      auto others = chain(place + 8);
      if (place + 24 < n) others = others + chain(place + 24);
      all = all + others;
    }
  }
  return all;
}

/// Adds a block of columns, which are side by side, to their sums in the order of a line. X holds the sums of eight
/// columns; `sums` has one for each of the eight places in a line and, next to it, those of the other columns. of(i)
/// returns what begin(sum, of), add(sum, of, j, i) and settle(sum, of) need to know of the columns of group i. Element
/// j belongs to chain j modulo `unit`. The chains of one place are in `chains` at a time, which has room for four.
/// `at_once` elements are added to a chain before the next columns' are. Chains of single elements stay in registers.
template <class Isa, std::size_t unit, class X, class Of, class Begin, class Add, class Settle>
[[gnu::always_inline]] inline void add_columns(X* sums, X* chains, std::size_t groups, std::size_t n,
                                               std::size_t at_once, Of of, Begin begin, Add add, Settle settle) {
  // As many chains are added to together as there are registers for.
  constexpr std::size_t registers = sizeof(X) / sizeof(double) / Isa::template size<double>,
                        together = std::clamp<std::size_t>(8 / registers, 1, 4);
  const std::size_t places = std::min<std::size_t>(8, n);
  for (std::size_t i = 0; n <= unit && i < groups; ++i) {
    const auto columns = of(i);
    for (std::size_t place = 0; place < places; ++place) {
      X& sum = sums[place * groups + i];
      sum = sum + joined_chains<unit>(place, n, [&](std::size_t first) {
              X chain;
              begin(chain, columns);
              add(chain, columns, first, i);
              settle(chain, columns);
              return chain;
            });
    }
  }
  for (std::size_t place = 0; n > unit && place < places; ++place) {
    for (std::size_t c = place; c < unit; c += 8) {
      X* const chain = chains + c / 8 * groups;
      for (std::size_t first = c; first < n; first += at_once * unit) {
        const std::size_t last = std::min(first + at_once * unit, n);
        for (std::size_t i = 0; i < groups; i += together) {
          std::array<X, together> some;
          std::array<decltype(of(i)), together> columns;
          for (std::size_t k = 0; k < together; ++k) {
            columns[k] = of(i + k);
            if (first == c)
              begin(some[k], columns[k]);
            else
              some[k] = chain[i + k];
          }
          for (std::size_t j = first; j < last; j += unit) {
            for (std::size_t k = 0; k < together; ++k) add(some[k], columns[k], j, i + k);
          }
          for (std::size_t k = 0; k < together; ++k) {
            if (first + at_once * unit >= n) settle(some[k], columns[k]);
            chain[i + k] = some[k];
          }
        }
      }
    }
    for (std::size_t i = 0; i < groups; ++i) {
      X& sum = sums[place * groups + i];
      sum = sum + joined_chains<unit>(place, n, [&](std::size_t c) { return chains[c / 8 * groups + i]; });
    }
  }
}

}  // namespace
}  // namespace fastact::kernels
