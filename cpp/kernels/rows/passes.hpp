// Passes over some rows of a tile, in stretches that fit into the buffers and in pieces that threads may share.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "kernels/rows/fold.hpp"
#include "kernels/rows/road.hpp"
#include "kernels/rows/sweeps.hpp"
#include "kernels/rows/tile.hpp"

namespace fastact::kernels {
namespace {

template <class V, class F>
struct Passes : Tile<V, F> {
  using Base = Tile<V, F>;
  using Base::Base, Base::call_, Base::held_, Base::road_;
  using typename Base::Arrays, typename Base::T;

  /// Calls sweep(arrays, begin, end) for as much of the rows as fits into the buffers at a time.
  template <class Sweep>
  void each_stretch(std::size_t r, std::size_t i, std::size_t rows, std::size_t begin, std::size_t end, bool writes,
                    Sweep sweep) const {
    if (held_) return sweep(this->of_group(r, i, 0), begin, end);
    std::size_t j = begin;
    do {  // at least once, even for empty rows
      const std::size_t to = std::min(end, j + road_.length);
      this->bring_inputs(r, rows, j, to);
      sweep(this->of_group(r, i, j), j, to);
      if (writes) this->bring_outputs(r, rows, j, to);
      j = to;
    } while (j < end);
  }
  /// Calls body(tile, piece, begin, end) for every piece of the rows. Each thread has a tile with buffers of its own.
  template <class Body>
  void each_piece(const Pieces& pieces, const Body& body) const {
    if (call_.split == nullptr || pieces.count == 1) return some_pieces<Body>(*this, pieces, 0, pieces.count, &body);
    share_pieces(pieces, some_pieces<Body>, &body);
  }
  /// Calls the body for some pieces. It is out of line, because its calls are few and its code is large.
  template <class Body>
  [[gnu::noinline]] static void some_pieces(const Passes& tile, const Pieces& pieces, std::size_t first,
                                            std::size_t last, const void* body) {
    for (std::size_t i = first; i < last; ++i)
      (*static_cast<const Body*>(body))(tile, i, pieces.begin(i), pieces.begin(i + 1));
  }
  [[gnu::noinline]] void share_pieces(const Pieces& pieces,
                                      void (*some)(const Passes&, const Pieces&, std::size_t, std::size_t, const void*),
                                      const void* body) const {
    // A thread without memory for the buffers of this road leaves its pieces to this one.
    const bool has_scratch = Scratch<T>::of_thread() != nullptr;
    std::array<bool, Pieces::most> is_left = {};
    const auto of_thread = [&](std::size_t first, std::size_t last) {
      if (!held_ && has_scratch && Scratch<T>::of_thread() == nullptr) {
        for (std::size_t i = first; i < last; ++i) is_left[i] = true;
        return;
      }
      Passes own(*this);
      if (!held_) own.place();
      some(own, pieces, first, last, body);
    };
    using OfThread = decltype(of_thread);
    const auto call = [](const void* context, std::size_t first, std::size_t last) {
      (*static_cast<const OfThread*>(context))(first, last);
    };
    call_.split(pieces.count, pieces.size, call, &of_thread);
    for (std::size_t i = 0; i < pieces.count; ++i) {
      if (is_left[i]) some(*this, pieces, i, i + 1, body);
    }
  }

  /// The partial results of the sweeps over some groups. Those of one group are on the stack.
  template <class X>
  class PartialResults {
    alignas(X) char some_[2 * chains<T> * sizeof(X)];

   public:
    X* of(std::size_t groups) {
      return reinterpret_cast<X*>(groups == 1 ? some_ : reinterpret_cast<char*>(Scratch<T>::of_thread()));
    }
  };
  /// Calls sweep(arrays, begin, end, is_first, partial) for every piece of some rows, and joins the results for each
  /// group of rows in order. Across rows, a group has up to `most` partial results, one for each chain. Pieces that
  /// threads share have one group.
  template <std::size_t most, class X, class Join, class InBlock, class Sweep>
  void joined(std::size_t r, std::size_t i, std::size_t rows, const Pieces& pieces, bool writes, Join join,
              InBlock in_block, Sweep sweep, X* result) const {
    const std::size_t groups = (rows + V::size - 1) / V::size;
    std::array<X, Pieces::most> of_piece;
    each_piece(pieces, [&](const Passes& tile, std::size_t piece, std::size_t begin, std::size_t end) {
      PartialResults<X> some;
      X* const partial = some.of(groups);
      tile.each_stretch(r, i, rows, begin, end, writes, [&](const Arrays& arrays, std::size_t from, std::size_t to) {
        sweep(arrays, from, to, from == begin, partial);
      });
      const auto fold_by = [&](auto by) { fold<V>(by, partial, std::min(most, end - begin), rows, road_.across); };
      if constexpr (std::is_same_v<Join, InBlock>) {
        fold_by(join);
      } else {
        call_.length <= block ? fold_by(in_block) : fold_by(join);
      }
      if (groups == 1) {
        of_piece[piece] = partial[0];
      } else {
        for (std::size_t g = 0; g < groups; ++g) result[g] = piece == 0 ? partial[g] : join(result[g], partial[g]);
      }
    });
    for (std::size_t k = 0; k < pieces.count && groups == 1; ++k)
      *result = k == 0 ? of_piece[0] : join(*result, of_piece[k]);
  }
};

}  // namespace
}  // namespace fastact::kernels
