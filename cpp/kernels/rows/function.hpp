// The steps of a function of rows, for the engine.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include "functions/rows/row_function.hpp"
#include "kernels/interface.hpp"
#include "kernels/rows/fold.hpp"
#include "kernels/rows/road.hpp"
#include "kernels/rows/steps.hpp"
#include "kernels/rows/sweeps.hpp"

namespace fastact::kernels {
namespace {

/// The kernel of a function of rows.
template <class V, class F>
void run_rows(const RowCall& call, std::size_t begin, std::size_t end);

/// The numbers of the vector of rows that begins with row `first`.
template <class V, class F>
std::array<V, F::numbers + F::settings> numbers_of(const auto& state, std::size_t first) {
  std::array<V, F::numbers + F::settings> numbers;
  for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = V::load(state.numbers[k] + first);
  return numbers;
}

/// The steps of a function of rows.
template <class V, class F>
class StepsOf {
  using T = typename V::Element;
  using S = Sweeps<V, F>;
  using Rows = Group<T>;
  using Before = typename S::Before;
  using Sums = typename S::Sums;
  static constexpr Traits traits = Traits::of<F>();
  static_assert(F::numbers + F::settings <= State<V>::most_numbers);

  static V largest(const State<V>& state, std::size_t v) {
    if constexpr (F::has_largest) return state.largest[v];
    return 0.0;
  }
  static auto numbers(const State<V>& state, std::size_t v) { return numbers_of<V, F>(state, v * V::size); }
  using After = decltype(S::after(V(), Before(), Sums(), numbers_of<V, F>(State<V>(), 0)));
  static Before* before(State<V>& state) { return state.before.template of<Before, S::groups>(); }
  static Sums* sums(State<V>& state) { return state.sums.template of<Sums, S::groups>(); }
  static After* after(State<V>& state) { return state.after.template of<After, S::groups>(); }

  /// Stores what the vector of rows that begins with row `first` has beside its elements.
  template <class W, class X>
  static void store(const X& after, W largest, std::size_t first, Ends<V>& ends) {
    const auto mark = [&](auto unusual) {
      if constexpr (F::keeps_first || F::may_cancel) {
        const W marks = select(unusual, W(1.0), W(0.0));
        marks.store(ends.unusual + first);
        if (!all(marks == W(0.0))) [[unlikely]]
          ends.any_unusual = true;
      }
    };
    if constexpr (F::maskable) largest.store(ends.largest + first);
    if constexpr (F::writes_label) F::at_label(after).store(ends.at_label + first);
    if constexpr (F::keeps_first) mark(after > W(1.0));
    if constexpr (F::has_result) {
      const auto result = F::result(after);
      if constexpr (F::parameter) {
        result.hi.store(ends.result + first), result.lo.store(ends.result_lo + first);
      } else {
        result.store(ends.result + first);
        if constexpr (F::may_cancel && std::is_same_v<T, float>) mark(F::cancels(after, result));
      }
    }
  }
  template <class W>
  static void at_once(const Rows& rows, std::size_t length, State<V>& state, Ends<V>& ends) {
    W largest;
    const auto after = Sweeps<W, F>::few(rows, length, numbers_of<W, F>(state, 0), largest);
    store(after, largest, 0, ends);
  }

 public:
  static constexpr Steps<V> steps() {
    Steps<V> made = {};
    made.traits = traits;
    made.groups = S::groups;
    if constexpr (F::has_largest) {
      using Larger = kernels::Larger<F::template larger<V>>;
      made.largest = [](const Rows& rows, std::size_t begin, std::size_t end, bool is_first, State<V>&, void* partial) {
        find_largest<V, Larger>(rows, begin, end, is_first, static_cast<V*>(partial));
      };
      made.of_largest = Folding::of<V, V, Larger, Larger>(1);
    }
    made.before = [](std::size_t v, State<V>& state) {
      before(state)[v] = S::before(largest(state, v), numbers(state, v));
    };
    if constexpr (F::has_sums) {
      made.sum = [](const Rows& rows, std::size_t begin, std::size_t end, bool is_first, State<V>& state,
                    void* partial) { S::sum(rows, begin, end, is_first, before(state), static_cast<Sums*>(partial)); };
      made.of_sums = Folding::of<V, Sums, Join<false>, JoinInBlock<Sums>>(chains<T>);
    }
    if constexpr (F::repeats) {
      made.repeats = [](std::size_t v, State<V>& state) {
        return rowwise::repeats<F>(before(state)[v], sums(state)[v]);
      };
    }
    made.after = [](std::size_t v, State<V>& state) {
      after(state)[v] = S::after(largest(state, v), before(state)[v], sums(state)[v], numbers(state, v));
    };
    made.end = [](std::size_t v, State<V>& state, Ends<V>& ends) {
      store(after(state)[v], largest(state, v), v * V::size, ends);
    };
    if constexpr (F::has_late) {
      made.late = [](const Rows& rows, std::size_t begin, std::size_t end, State<V>& state) {
        S::late(rows, begin, end, after(state));
      };
    }
    if constexpr (traits.by_element) {
      made.elements = [](const Rows& rows, std::size_t length) {
        constexpr rowwise::RowFunction::Nothing nothing;
        Sweeps<Wide<V>, F>::late(rows, 0, length, &nothing);
      };
    } else if constexpr (V::lanes > 1) {
      made.few = at_once<Wide<V>>;
      if constexpr (traits.counts) made.many = at_once<Wide<V, 8>>;
    }
    if constexpr (F::may_cancel && std::is_same_v<T, float>)
      made.in_double = run_rows<RowVector<typename V::InstructionSet, double>, F>;
    return made;
  }
};

}  // namespace
}  // namespace fastact::kernels
