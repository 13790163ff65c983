// Gated units.
#pragma once

#include <array>

#include "functions/activations/list.hpp"
#include "functions/rows/row_function.hpp"
#include "math/lifted_input.hpp"

namespace fastact::rowwise {

/// f(u)·v of the two halves a, b of a row: u = a, v = b, unless the gate is the second half.
template <class A, bool gate_is_second = false>
struct gate : RowFunction {
  constexpr gate() { inputs = 2, has_largest = false, has_sums = false, multiplies = true; }
  template <class V>
  static V late(Nothing, V a, V b) {
    return gate_is_second ? a * A::forward(b) : activations::times<A>(a, b);
  }
  /// Near u = 0, f is constant or proportional to u.
  template <class F, class V>
  static V lifted_late(Nothing nothing, V a, V b) {
    const math::LiftedInput<V> v = math::lifted_gradient(gate_is_second ? a : b), u = lifted_u(a, b, v);
    const V y = gate_is_second ? F::late(nothing, v.number, u.number) : F::late(nothing, u.number, v.number);
    return select(math::is_finite(y), math::lowered(y, u.down, v), y);
  }

 protected:
  template <class V>
  static math::LiftedInput<V> lifted_u(V a, V b, math::LiftedInput<V> linear) {
    return math::lifted_argument(gate_is_second ? b : a, linear, math::least_unlifted<V>(), false);
  }
};

/// The gradient for u is g v f'(u), that for v is g f(u).
template <class A, bool gate_is_second = false>
struct gate_backward : gate<A, gate_is_second> {
  constexpr gate_backward() { this->inputs = 3, this->outputs = 2; }
  template <class V>
  static std::array<V, 2> late(RowFunction::Nothing, V a, V b, V g) {
    const V u = gate_is_second ? b : a, v = gate_is_second ? a : b;
    const auto [dv, du] = activations::with_gradient<A>(u, g * v, g);
    return gate_is_second ? std::array<V, 2>{dv, du} : std::array<V, 2>{du, dv};
  }
  /// Near u = 0, f' is constant.
  template <class F, class V>
  static std::array<V, 2> lifted_late(RowFunction::Nothing nothing, V a, V b, V g) {
    const math::LiftedInput<V> v = math::lifted_gradient(gate_is_second ? a : b), once = math::lifted_gradient(g),
                               u = gate_backward::lifted_u(a, b, once);
    const auto [of_a, of_b] = gate_is_second ? F::late(nothing, v.number, u.number, once.number)
                                             : F::late(nothing, u.number, v.number, once.number);
    const V of_u = gate_is_second ? of_b : of_a, of_v = gate_is_second ? of_a : of_b;
    const V du = select(math::is_finite(of_u), math::always_unlifted(of_u, once.down.plus_bits(v.down)), of_u);
    const V dv = select(math::is_finite(of_v), math::lowered(of_v, u.down, once), of_v);
    return gate_is_second ? std::array<V, 2>{dv, du} : std::array<V, 2>{du, dv};
  }
};

/// Dauphin et al., "Language modeling with gated convolutional networks", 2017.
struct glu : gate<activations::sigmoid, true> {};

/// Both gradients share σ(b) and its derivative.
struct glu_backward : gate_backward<activations::sigmoid, true> {
  template <class V>
  struct Both {
    V da, db;
    friend Both select(typename V::Mask m, Both x, Both y) { return {select(m, x.da, y.da), select(m, x.db, y.db)}; }
  };
  template <class V>
  static std::array<V, 2> late(RowFunction::Nothing, V a, V b, V g) {
    const auto near = [](auto v, auto w, auto once) {
      using W = decltype(w);
      const math::BothLogistics<W> logistics(w);
      const auto sigma = select(w < W(0.0), logistics.smaller, logistics.larger);
      return Both<W>{math::multiply(once, sigma), math::multiply(once * v, logistics.derivative())};
    };
    const auto general = []<class W>(W v, W w, W once) {
      const auto [da, db] = gate_backward::late(RowFunction::Nothing{}, v, w, once);
      return Both<W>{da, db};
    };
    const auto both = math::moderate_or_general(math::nan_unless_finite(g * a, b), near, general, a, b, g);
    return {both.da, both.db};
  }
};

/// Shazeer, "GLU variants improve transformer", 2020.
struct reglu : gate<activations::relu> {};
struct reglu_backward : gate_backward<activations::relu> {};
struct geglu : gate<activations::gelu> {};
struct geglu_backward : gate_backward<activations::gelu> {};
struct geglu_tanh : gate<activations::gelu_tanh> {};
struct geglu_tanh_backward : gate_backward<activations::gelu_tanh> {};
struct swiglu : gate<activations::silu> {};
struct swiglu_backward : gate_backward<activations::silu> {};

}  // namespace fastact::rowwise
