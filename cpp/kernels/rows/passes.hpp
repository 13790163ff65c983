// Passes over some rows of a tile, in stretches that fit into the buffers and in pieces that threads may share.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "kernels/rows/fold.hpp"
#include "kernels/rows/road.hpp"
#include "kernels/rows/tile.hpp"

namespace fastact::kernels {
namespace {

template <class V>
struct Passes : Tile<V> {
  using Base = Tile<V>;
  using Base::Base, Base::call_, Base::held_, Base::road_;
  using typename Base::T;

  /// Calls sweep(group, begin, end) for as much of the rows as fits into the buffers at a time.
  template <class Sweep>
  void each_stretch(std::size_t r, std::size_t i, std::size_t rows, std::size_t begin, std::size_t end, bool writes,
                    Sweep sweep) const {
    if (held_) return sweep(this->group(r, i, rows, 0), begin, end);
    std::size_t j = begin;
    do {  // at least once, even for empty rows
      const std::size_t to = std::min(end, j + road_.length);
      this->bring_inputs(r, rows, j, to);
      sweep(this->group(r, i, rows, j), j, to);
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

  /// Memory for the partial results of a sweep. Those of one vector of rows are on the stack.
  class Partial {
    alignas(V) std::byte some_[2 * chains<T> * most_summed * sizeof(V)];

   public:
    void* of(std::size_t vectors) { return vectors == 1 ? some_ : static_cast<void*>(Scratch<T>::of_thread()); }
  };
  /// Calls sweep(group, begin, end, is_first, partial) for every piece of some rows, and joins the results for each
  /// vector of rows in order. Across rows, a vector has up to `folding.chains` partial results. Pieces that threads
  /// share have one vector of rows.
  template <class Sweep>
  void joined(std::size_t r, std::size_t i, std::size_t rows, const Pieces& pieces, bool writes, const Folding& folding,
              Sweep sweep, void* result) const {
    const std::size_t vectors = (rows + V::size - 1) / V::size;
    const auto place = [&folding](void* first, std::size_t k) {
      return static_cast<std::byte*>(first) + k * folding.size;
    };
    alignas(V) std::byte of_piece[Pieces::most * most_summed * sizeof(V)];
    each_piece(pieces, [&](const Passes& tile, std::size_t piece, std::size_t begin, std::size_t end) {
      Partial some;
      void* const partial = some.of(vectors);
      tile.each_stretch(r, i, rows, begin, end, writes, [&](const Group<T>& group, std::size_t from, std::size_t to) {
        sweep(group, from, to, from == begin, partial);
      });
      void* const to = vectors == 1 && pieces.count > 1 ? place(of_piece, piece) : piece == 0 ? result : partial;
      folding.fold(partial, std::min(folding.chains, end - begin), rows, road_.across, call_.length <= block, to);
      for (std::size_t k = 0; k < vectors && to == partial; ++k) folding.join(place(result, k), place(partial, k));
    });
    if (vectors > 1 || pieces.count == 1) return;
    std::memcpy(result, of_piece, folding.size);
    for (std::size_t k = 1; k < pieces.count; ++k) folding.join(result, place(of_piece, k));
  }
};

}  // namespace
}  // namespace fastact::kernels
