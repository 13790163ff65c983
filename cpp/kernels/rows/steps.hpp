// A function of rows as the engine sees it: its traits as data, and its steps as functions of untyped state.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "functions/rows/row_function.hpp"
#include "kernels/interface.hpp"
#include "kernels/rows/by_element.hpp"
#include "kernels/rows/group.hpp"
#include "kernels/rows/road.hpp"
#include "kernels/rows/sweeps.hpp"

/// The engine, which stages rows and divides them into pieces, is compiled once for each type of number. A function of
/// rows has steps of its own alone, which the engine calls through pointers, a few times for several rows.
namespace fastact::kernels {
namespace {

/// The number of rows that are computed together, at most, and beyond them those that a vector of results may reach.
template <class V>
constexpr std::size_t most_rows = most_groups * V::size + Wide<V, 8>::size;

/// The numbers that a function computes for each row beside the elements of its outputs.
template <class V>
struct Ends {
  using T = typename V::Element;
  alignas(64) T largest[most_rows<V>], at_label[most_rows<V>], result[most_rows<V>], result_lo[most_rows<V>];
  /// Not 0 where the result is to be computed in double, or where several outputs are not 0 of which one is wanted.
  alignas(64) T unusual[most_rows<V>];
  bool any_unusual = false;
};

/// The engine keeps this from one step to the next for the vectors of rows that it computes together. `numbers` holds
/// the inputs that have one number for each row, and then the settings; the others hold structs of vectors.
template <class V>
struct State {
  static constexpr std::size_t most_numbers = 4;
  alignas(64) typename V::Element numbers[most_numbers][most_rows<V>];
  template <std::size_t vectors>
  struct Memory {
    alignas(V) std::byte bytes[vectors * most_groups * sizeof(V)];
  };
  Memory<1> largest;
  Memory<4> before, sums;
  Memory<12> after;
};

/// A sweep that has a result for each row, joined from partial results of `size` bytes. Across rows, these are at most
/// `chains` for each vector of rows.
template <class V>
struct Sweep {
  std::size_t size, chains;
  void (*some)(const Group<typename V::Element>&, std::size_t begin, std::size_t end, bool is_first, const void* before,
               void* partial);
  decltype(&fold<V, V>) fold;
};

template <class V>
struct Steps {
  using Rows = Group<typename V::Element>;

  Traits traits;
  std::size_t groups;  // of rows that are computed together, at most
  Sweep<V> largest, sum;
  /// Each treats the vector of rows with the given index; `repeats` tells whether it needs the second sweep again. The
  /// loop over vectors is in the engine, because GCC 12 loses its stores to these structs (-fivopts).
  void (*before)(std::size_t vector, State<V>&);
  bool (*repeats)(std::size_t vector, State<V>&);
  void (*after)(std::size_t vector, State<V>&, Ends<V>&);
  void (*late)(const Rows&, std::size_t begin, std::size_t end, const void* after);
  std::size_t size_of_before, size_of_after;  // for a vector of rows
  /// All steps at once, over `most_groups` vectors of rows at most: for short rows, for rows of which elements are only
  /// counted, and for outputs that depend on the elements in their place alone.
  void (*at_once)(const Rows&, std::size_t length, State<V>&, Ends<V>&);
  RowKernel in_double;  // computes rows whose result is unusual, or null
};

/// The kernel of a function of rows.
template <class V, class F>
void run_rows(const RowCall& call, std::size_t begin, std::size_t end);

/// The steps of a function of rows.
template <class V, class F>
class StepsOf {
  using T = typename V::Element;
  using S = Sweeps<V, F>;
  using Rows = Group<T>;
  using Before = typename S::Before;
  using Sums = typename S::Sums;
  static constexpr F traits = {};
  static_assert(rowwise::FunctionOfRows<F, V>);
  static_assert(traits.numbers + traits.settings <= State<V>::most_numbers);
  static_assert(S::groups >= 4 || V::lanes == 1);  // packed rows fill no more than four vectors

  /// The array of structs X in the memory.
  template <class X, class Memory>
  static X* as(Memory& memory) {
    static_assert(S::groups * sizeof(X) <= sizeof memory.bytes);
    return reinterpret_cast<X*>(memory.bytes);
  }
  /// The numbers of the vector of rows that begins with row `first`.
  template <class W>
  static auto numbers(const State<V>& state, std::size_t first) {
    std::array<W, traits.numbers + traits.settings> numbers;
    for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = W::load(state.numbers[k] + first);
    return numbers;
  }
  static V largest(State<V>& state, std::size_t v) {
    if constexpr (traits.has_largest) return as<V>(state.largest)[v];
    return 0.0;
  }
  using After = decltype(S::after(V(), Before(), Sums(), numbers<V>(State<V>(), 0)));

  /// Stores what the vector of rows that begins with row `first` has beside its elements.
  template <class W, class X>
  static void store(const X& after, W largest, std::size_t first, Ends<V>& ends) {
    const auto mark = [&](auto unusual) {
      const W marks = select(unusual, W(1.0), W(0.0));
      marks.store(ends.unusual + first);
      if (!all(marks == W(0.0))) [[unlikely]]
        ends.any_unusual = true;
    };
    if constexpr (traits.maskable) largest.store(ends.largest + first);
    if constexpr (traits.writes_label) F::at_label(after).store(ends.at_label + first);
    if constexpr (traits.keeps_first) mark(after > W(1.0));
    if constexpr (traits.parameter) {
      const auto result = F::result(after);
      result.hi.store(ends.result + first), result.lo.store(ends.result_lo + first);
    } else if constexpr (traits.has_result) {
      const auto result = F::result(after);
      result.store(ends.result + first);
      if constexpr (traits.may_cancel && std::is_same_v<T, float>) mark(F::cancels(after, result));
    }
  }

  /// All sweeps at once over `step` rows at a time, at most as many as W has lanes.
  template <class W, bool across>
  [[gnu::flatten]] static void sweep(const Rows& rows, std::size_t length, std::size_t step, State<V>& state,
                                     Ends<V>& ends) {
    using Of = Sweeps<W, F>;
    Rows some = rows;
    some.across = across;
    for (std::size_t first = 0; first < rows.rows; first += step) {
      some.rows = std::min(step, rows.rows - first);
      const auto of_rows = numbers<W>(state, first);
      const W largest = Of::template largest<across>(some, length);
      auto before = Of::before(largest, of_rows);
      typename Of::Sums sums;
      do sums = Of::template sums<across>(some, length, before);
      while (rowwise::repeats<F>(before, sums));
      const auto after = Of::after(largest, before, sums, of_rows);
      store(after, largest, first, ends);
      if constexpr (traits.has_late) Of::template late<across>(some, 0, length, &after);
      for (std::size_t k = 0; k < traits.arrays() + !some.kept_apart; ++k)
        some.arrays[k].p += static_cast<std::ptrdiff_t>(step) * (across ? 1 : some.arrays[k].line);
    }
  }

 public:
  static constexpr Steps<V> steps() {
    Steps<V> made = {};
    made.traits = traits;
    made.groups = S::groups, made.size_of_before = sizeof(Before), made.size_of_after = sizeof(After);
    if constexpr (traits.has_largest) {
      constexpr auto larger = F::template larger<V>;
      made.largest = {
          sizeof(V), 1,
          [](const Rows& rows, std::size_t begin, std::size_t end, bool is_first, const void*, void* partial) {
            find_largest<V, larger>(rows, begin, end, is_first, static_cast<V*>(partial));
          },
          fold<V, Largest<V, larger>>};
    }
    made.before = [](std::size_t v, State<V>& state) {
      as<Before>(state.before)[v] = S::before(largest(state, v), numbers<V>(state, v * V::size));
    };
    if constexpr (traits.has_sums) {
      made.sum = {
          sizeof(Sums), chains<T>,
          [](const Rows& rows, std::size_t begin, std::size_t end, bool is_first, const void* before, void* partial) {
            S::sum(rows, begin, end, is_first, static_cast<const Before*>(before), static_cast<Sums*>(partial));
          },
          fold<V, Sums>};
    }
    if constexpr (traits.repeats) {
      made.repeats = [](std::size_t v, State<V>& state) {
        return rowwise::repeats<F>(as<Before>(state.before)[v], as<Sums>(state.sums)[v]);
      };
    }
    made.after = [](std::size_t v, State<V>& state, Ends<V>& ends) {
      const V m = largest(state, v);
      const After after =
          S::after(m, as<Before>(state.before)[v], as<Sums>(state.sums)[v], numbers<V>(state, v * V::size));
      as<After>(state.after)[v] = after;
      store(after, m, v * V::size, ends);
    };
    if constexpr (traits.by_element()) {
      made.at_once = [](const Rows& rows, std::size_t length, State<V>&, Ends<V>&) {
        ByElement<V, F>::write(rows, 0, length);
      };
    } else if constexpr (traits.only_largest()) {
      made.at_once = [](const Rows& rows, std::size_t length, State<V>&, Ends<V>& ends) {
        with_type(rows.format, [&]<class S>(S*) {
          if constexpr (std::is_same_v<T, S> || (std::is_same_v<T, float> && sizeof(S) < sizeof(T) && V::lanes > 1))
            find_only_largest<V, F::template larger<V>, S>(rows, length, ends.result);
        });
        for (std::size_t i = 0; i < rows.rows; i += V::size) {
          const V largest = V::load(ends.result + i);
          store(F::after(largest, {}, {}), largest, i, ends);
        }
      };
    } else if constexpr (V::lanes > 1) {
      made.at_once = [](const Rows& rows, std::size_t length, State<V>& state, Ends<V>& ends) {
        // As many long rows at a time as stay in the first-level cache. Where little is computed, fewer stores at a
        // time do not wait for one another, and the sums of one row are joined so much faster that two do not pay.
        constexpr bool is_little = std::is_empty_v<Before>;
        using W = Wide<V, traits.counts() ? 8 : V::several>;
        if (rows.across) return sweep<W, true>(rows, length, W::size, state, ends);
        const std::size_t several = length <= block ? V::size : (is_little ? 2048 : 4096) / length;
        sweep<V, false>(rows, length, is_little && several < 3 ? 1 : std::clamp<std::size_t>(several, 1, V::size),
                        state, ends);
      };
    }
    if constexpr (traits.by_element()) {
      made.late = [](const Rows& rows, std::size_t begin, std::size_t end, const void*) {
        ByElement<V, F>::write(rows, begin, end);
      };
    } else if constexpr (traits.has_late) {
      made.late = [](const Rows& rows, std::size_t begin, std::size_t end, const void* after) {
        constexpr auto across = S::template late<true, After, T>, along = S::template late<false, After, T>;
        (rows.across ? across : along)(rows, begin, end, static_cast<const After*>(after));
      };
    }
    if constexpr (traits.may_cancel && std::is_same_v<T, float>)
      made.in_double = run_rows<RowVector<typename V::InstructionSet, double>, F>;
    return made;
  }
};

}  // namespace
}  // namespace fastact::kernels
