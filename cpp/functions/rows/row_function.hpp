// The definition of a function of rows, and the sums that several functions use.
#pragma once

#include <concepts>
#include <cstddef>
#include <limits>

#include "math/reference.hpp"

namespace fastact::rowwise {

/// The traits of a function of rows, with the defaults that suit most. Kernels read them as data.
struct Traits {
  std::size_t inputs = 1;     // that are rows
  std::size_t numbers = 0;    // inputs with one number for each row
  std::size_t outputs = 1;    // that are rows
  bool has_result = false;    // an output with one number for each row
  bool has_largest = true;    // the first sweep is wanted,
  bool has_sums = true;       // the second,
  bool has_late = true;       // and the third
  bool keeps = false;         // what `add` returns is kept; without a third sweep it is the output
  bool repeats = false;       // the second sweep is repeated until all rows are settled
  bool labelled = false;      // the first number is a label; functions are given x at the label
  bool writes_label = false;  // and the output at the label is a number of its own
  bool keeps_first = false;   // of outputs that are not 0, the first; `after` counts them
  bool result_first = false;  // the result precedes the outputs that are rows
  bool targets = false;       // the second input may be labels, and the third is weights
  std::size_t settings = 0;   // 3 for the smoothing, in two parts, and the length after the numbers
  bool parameter = false;     // the number is a learned parameter, and the result its gradient, a pair
  bool nonempty = false;      // rows have at least one element
  bool maskable = false;      // a mask may exclude elements
  bool multiplies = false;    // `late` multiplies inputs, and `lifted_late` is for subnormal ones
  bool may_cancel = false;    // cancels(after, result) tells where floats do not suffice
  double of_nothing = 0;      // the output and result of rows of which a mask leaves nothing
  /// The value of the first input for masked elements and beyond the end of a row, where the others are 0. It changes
  /// no result.
  double filling = -std::numeric_limits<double>::infinity();

  /// An element of the outputs depends on those in its place alone.
  constexpr bool by_element() const { return !has_largest && !has_sums; }
  /// Elements of a row are at most counted, so that their order does not matter.
  constexpr bool counts() const { return (!has_sums || keeps_first) && !has_late; }
  /// Nothing is wanted of a row but its largest element.
  constexpr bool only_largest() const { return !has_sums && !has_late; }
  constexpr bool has_labels() const { return labelled || targets; }
  constexpr std::size_t arrays() const { return inputs + outputs; }
  /// The indices of an array of rows and of the result among the operands of a call.
  constexpr std::size_t place(std::size_t k) const {
    return k < inputs ? k : k + numbers + static_cast<std::size_t>(result_first);
  }
  constexpr std::size_t place_of_result() const { return inputs + numbers + (result_first ? 0 : outputs); }
};

/// The steps of a function of rows. A function inherits them and replaces those in which it differs; its constructor
/// sets the traits in which it does.
///
/// Up to three sweeps go over the elements x… of a row, one of each input that has rows. A vector V holds either
/// elements of one row or one element of each of several rows; a function cannot tell which. Everything that is kept of
/// a row between sweeps consists of vectors V.
///
///   larger(m, x)             the first sweep finds the largest element m of the row in the first input with it
///   before(m, numbers…)      returns Before<V>, which the second sweep needs
///   add(sums, before, x…)
///                            adds elements to Sums<V> in the second sweep; the result is kept for the third
///   is_settled(before, sums), next(before, sums)
///                            tell whether the second sweep need not be repeated, and what it needs when it is
///   after(m, before, sums, numbers…)
///                            returns what the rest needs of the row
///   late(after, x…)          returns the output in the third sweep, an array if there are several outputs; the first x
///                            is what `add` returned, if that was kept
///   lifted_late<F>(after, x…)
///                            returns the same as late of F, the function itself, but is fast if any x is subnormal
///   result(after)            returns the one number of the row
///   at_label(after)          returns the output at the label of the row
///
/// Sums<V> start as Sums<V>{}. A block ends with settle(); blocks are added by +, and the chains of a row by
/// join_chains, or by join_in_block, if there is one, in a row no longer than a block.
struct RowFunction : Traits {
  template <class V>
  static V larger(V largest, V x) {
    return max(x, largest);
  }
  struct Nothing {
    void settle() {}
  };
  template <class V>
  using Before = Nothing;
  template <class V, class... Numbers>
  static Nothing before(V, Numbers...) {
    return {};
  }
  template <class V, class... Numbers>
  static Nothing after(V, Nothing, Nothing, Numbers...) {
    return {};
  }
  template <class V>
  using Sums = Nothing;
};

/// Whether F is a function of rows, computed on vectors V.
template <class F, class V>
concept FunctionOfRows = std::derived_from<F, RowFunction> && requires(V x, typename F::template Sums<V> sums) {
  typename F::template Before<V>;
  { F::larger(x, x) } -> std::same_as<V>;
  sums.settle();
};

/// Whether the second sweep must be repeated; then prepares what it begins with.
template <class F, class Before, class Sums>
bool repeats([[maybe_unused]] Before& before, [[maybe_unused]] const Sums& sums) {
  if constexpr (F().repeats) {
    if (!all(F::is_settled(before, sums))) {
      before = F::next(before, sums);
      return true;
    }
  }
  return false;
}

/// A sum of all terms of a row, of which the largest is near 2^lift. In a block, hi starts at a number larger than any
/// sum of a chain, so that the addition's error is found by two operations (Dekker, 1971) and all sums are multiples of
/// one number: those of a block's chains add up exactly, and only the low parts are rounded.
template <class V>
struct Terms {
  static constexpr double start = math::is_single<V> ? 0x1p98 : 0x1p208;
  V hi = start, lo = 0.0;
  void add(math::Term<V> t) {
    const V s = hi + t.main();
    lo = lo + fma(t.power, t.rest, (hi - s) + t.power);
    hi = s;
  }
  void settle() { hi = hi - V(start); }
  friend Terms join_chains(Terms a, Terms b) {
    const math::Pair<V> s = math::positive_sum(a.hi, b.hi);
    return {s.hi, s.lo + (a.lo + b.lo)};
  }
  friend Terms join_in_block(Terms a, Terms b) { return {a.hi + b.hi, a.lo + b.lo}; }
  /// Adds the sums of two blocks. The low part goes into hi, since repeated sums of low parts would lose digits.
  friend Terms operator+(Terms a, Terms b) {
    const Terms joined = join_chains(a, b);
    const math::Pair<V> s = math::sum(joined.hi, joined.lo);
    return {s.hi, s.lo};
  }
  math::Pair<V> pair() const { return math::fast_sum(hi, lo); }
};

/// A sum of terms, none of which is negative. The low parts of terms and the errors of additions are summed separately.
/// Where a term is larger than the sum so far, what is taken for the error of the addition may differ from it by a
/// rounding of the term.
template <class V>
struct Positive {
  V hi, lo;
  void add(math::Term<V> t) {
    const V s = hi + t.main();
    lo = math::is_single<V> ? fma(t.power, t.rest, lo + ((hi - s) + t.power))
                            : lo + fma(t.power, t.rest, (hi - s) + t.power);
    hi = s;
  }
  /// Carries what lo, the sum of low parts, has above the last place of hi over to hi.
  void settle() {
    const math::Pair<V> s = math::fast_sum(hi, lo);
    hi = s.hi, lo = s.lo;
  }
  friend Positive join_chains(Positive a, Positive b) { return a + b; }
  friend Positive operator+(Positive a, Positive b) {
    const math::Pair<V> s = math::positive_sum(a.hi, b.hi);
    return {s.hi, s.lo + (a.lo + b.lo)};
  }
  math::Pair<V> pair() const { return math::fast_sum(hi, lo); }
};

/// A sum of products or of numbers with any signs.
template <class V>
struct Signed {
  V hi, lo;
  /// Adds a b. Exact except for the rounding of a b where it is larger than the sum.
  void add_product(V a, V b) {
    const V s = fma(a, b, hi);
    lo = lo + fma(a, b, hi - s);
    hi = s;
  }
  void add(V a) {
    const math::Pair<V> s = math::sum(hi, a);
    hi = s.hi;
    lo = lo + s.lo;
  }
  /// Adds a in fewer operations. Where it is larger than the sum so far, it may be rounded once.
  void add_nearly(V a) {
    const V s = hi + a;
    lo = lo + ((hi - s) + a);
    hi = s;
  }
  void add(math::Pair<V> a) {
    add(a.hi);
    lo = lo + a.lo;
  }
  void settle() {}
  friend Signed join_chains(Signed a, Signed b) { return a + b; }
  friend Signed operator+(Signed a, Signed b) {
    const math::Pair<V> s = math::sum(a.hi, b.hi);
    return {s.hi, s.lo + (a.lo + b.lo)};
  }
  math::Pair<V> pair() const { return math::fast_sum(hi, lo); }
};

/// The sum of the terms of a row, and another sum over its elements.
template <class V>
struct TermsAndOther {
  Terms<V> e;
  Signed<V> other;
  void settle() { e.settle(); }
  friend TermsAndOther join_chains(TermsAndOther a, TermsAndOther b) {
    return {join_chains(a.e, b.e), join_chains(a.other, b.other)};
  }
  friend TermsAndOther join_in_block(TermsAndOther a, TermsAndOther b) {
    return {join_in_block(a.e, b.e), join_chains(a.other, b.other)};
  }
  friend TermsAndOther operator+(TermsAndOther a, TermsAndOther b) { return {a.e + b.e, a.other + b.other}; }
};

template <class V>
V nan() {
  return V(std::numeric_limits<double>::quiet_NaN());
}

}  // namespace fastact::rowwise
