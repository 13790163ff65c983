// A function of rows as the engine sees it: its traits as data, and its steps as functions of untyped state.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "functions/rows/row_function.hpp"
#include "kernels/interface.hpp"
#include "kernels/rows/fold.hpp"
#include "kernels/rows/road.hpp"

/// The engine, which stages rows and divides them into pieces, is compiled once for each type of number. A function of
/// rows has steps of its own alone, which the engine calls through pointers, a few times for several rows.
namespace fastact::kernels {
namespace {

/// Lines that are `line` elements apart. A line is a row or, if vectors lie across rows, one element of each row.
template <class T>
struct Array {
  T* p;
  std::ptrdiff_t line;
};

/// The arrays that a function may have, and one of what the second sweep keeps for the third, which reads it in place
/// of the first input.
constexpr std::size_t most_arrays = most_operands + 1;
template <class T>
using Arrays = std::array<Array<T>, most_arrays>;

/// Some rows that are computed together.
template <class T>
struct Group {
  bool across;      // vectors lie across the rows
  bool kept_apart;  // the values kept between sweeps are whole vectors, also at the end of a row
  std::size_t rows;
  Arrays<T> arrays;  // the inputs, the outputs, and what is kept
};

/// The number of groups of rows that lie side by side in a sweep, each of which fills the lanes of a vector, at most.
constexpr std::size_t most_groups = 16;

/// The number of vectors across some rows.
template <class V>
constexpr std::size_t vectors_across(std::size_t rows) {
  return V::lanes == 1 ? 1 : 1 + (rows - 1) / V::size;
}
/// The number of partial results along some rows that are joined in the end, one for each row.
template <class V>
constexpr std::size_t joined(std::size_t rows) {
  return rows > 1 ? V::size : 1;
}

/// The traits of functions/rows/row_function.hpp that the engine needs.
struct Traits : Shape {
  std::size_t numbers_of_rows, settings, place_of_result;
  bool has_largest, has_sums, has_late, has_result, keeps, labelled, writes_label, keeps_first, targets, parameter,
      maskable;
  double of_nothing, filling;

  template <class F>
  static constexpr Traits of() {
    return {{F::rows, F::outputs, F::numbers + F::result_first, !F::has_largest && !F::has_sums,
             (!F::has_sums || F::keeps_first) && !F::has_late},
            F::numbers,
            F::settings,
            F::rows + F::numbers + (F::result_first ? 0 : F::outputs),
            F::has_largest,
            F::has_sums,
            F::has_late,
            F::has_result,
            F::keeps,
            F::labelled,
            F::writes_label,
            F::keeps_first,
            F::targets,
            F::parameter,
            F::maskable,
            F::of_nothing,
            F::filling};
  }
  bool has_labels() const { return labelled || targets; }
};

/// The number of rows that are computed together, at most.
template <class V>
constexpr std::size_t most_rows = std::max(most_groups * V::size, Wide<V, 8>::size);

/// The numbers that a function computes for each row beside the elements of its outputs.
template <class V>
struct Ends {
  using T = typename V::Element;
  alignas(64) T largest[most_rows<V>], at_label[most_rows<V>], result[most_rows<V>], result_lo[most_rows<V>];
  /// Not 0 where the result is to be computed in double, or where several outputs are not 0 of which one is wanted.
  alignas(64) T unusual[most_rows<V>];
  bool any_unusual = false;
};

/// The sums of a function consist of at most so many vectors.
constexpr std::size_t most_summed = 7;

/// Memory for `count` vectors, in which a function keeps structs that consist of vectors.
template <class V, std::size_t count>
class Storage {
  alignas(V) std::byte bytes_[count * sizeof(V)];

 public:
  void* data() { return bytes_; }
  /// Returns the memory as an array of n such structs.
  template <class X, std::size_t n>
  X* of() {
    static_assert(n * sizeof(X) <= sizeof bytes_);
    return reinterpret_cast<X*>(bytes_);
  }
};
/// The engine keeps this from one step to the next for the vectors of rows that it computes together. `numbers` holds
/// the inputs that have one number for each row, and after them the settings.
template <class V>
struct State {
  static constexpr std::size_t most_numbers = 4;
  std::array<V, most_groups> largest;
  alignas(64) typename V::Element numbers[most_numbers][most_rows<V>];
  Storage<V, 4 * most_groups> before, sums;
  Storage<V, 12 * most_groups> after;
};

/// How partial results of a sweep are joined.
struct Folding {
  std::size_t size;    // of a partial result, in bytes
  std::size_t chains;  // at most so many partial results for each group, if vectors lie across rows
  void (*fold)(void* partial, std::size_t used, std::size_t rows, bool across, bool in_block, void* result);
  void (*join)(void* to, const void* more);

  template <class V, class X, class Join, class InBlock>
  static constexpr Folding of(std::size_t chains) {
    return {sizeof(X), chains,
            [](void* partial, std::size_t used, std::size_t rows, bool across, bool in_block, void* result) {
              X *const x = static_cast<X*>(partial), *const to = static_cast<X*>(result);
              in_block ? kernels::fold<V>(InBlock(), x, used, rows, across)
                       : kernels::fold<V>(Join(), x, used, rows, across);
              for (std::size_t v = 0; v < vectors_across<V>(rows) && to != x; ++v) to[v] = x[v];
            },
            [](void* to, const void* more) {
              X& x = *static_cast<X*>(to);
              x = Join()(x, *static_cast<const X*>(more));
            }};
  }
};

template <class V>
struct Steps {
  using T = typename V::Element;
  using Rows = Group<T>;

  Traits traits;
  std::size_t groups;  // of rows that are computed together, at most
  void (*largest)(const Rows&, std::size_t begin, std::size_t end, bool is_first, State<V>&, void* partial);
  void (*sum)(const Rows&, std::size_t begin, std::size_t end, bool is_first, State<V>&, void* partial);
  Folding of_largest, of_sums;
  /// These steps treat the vector of rows with the given index; `repeats` returns whether it needs the second sweep
  /// again. The loop over vectors is in the engine, because GCC 12 loses the stores of such a loop over these structs
  /// (-fivopts).
  void (*before)(std::size_t vector, State<V>&);
  bool (*repeats)(std::size_t vector, State<V>&);
  void (*after)(std::size_t vector, State<V>&);
  void (*end)(std::size_t vector, State<V>&, Ends<V>&);
  void (*late)(const Rows&, std::size_t begin, std::size_t end, State<V>&);
  /// All steps at once: for short rows, for several vectors of rows of which elements are only counted, and for outputs
  /// that depend on the elements in their place alone.
  void (*few)(const Rows&, std::size_t length, State<V>&, Ends<V>&);
  void (*many)(const Rows&, std::size_t length, State<V>&, Ends<V>&);
  void (*elements)(const Rows&, std::size_t length);
  RowKernel in_double;  // computes rows whose result is unusual, or null
};

}  // namespace
}  // namespace fastact::kernels
