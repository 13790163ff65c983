// Functions of one number or one register of numbers, for compilers that call them from their own loops.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "functions/activations/list.hpp"
#include "kernels/instruction_set.hpp"
#include "math/pair.hpp"
#include "simd/portable.hpp"

namespace fastact::kernels {
namespace {

/// The functions of A on registers of V. The parameters include every argument of the forward pass except x.
template <class V, class A, class Parameters>
struct Single;

template <class V, class A, std::size_t... parameter>
struct Single<V, A, std::index_sequence<parameter...>> {
  using Register = typename V::Register;
  template <std::size_t>
  using Parameter = Register;
  template <std::size_t>
  using Vector = V;
  static_assert(activations::Activation<A, V, Vector<parameter>...>);

  static V vector(Register x) {
    V v;
    v.v[0] = x;
    return v;
  }

  [[gnu::flatten]] static Register forward(Register x, Parameter<parameter>... p) {
    return A::forward(vector(x), vector(p)...).v[0];
  }
  [[gnu::flatten]] static Register backward(Register x, Register g, Parameter<parameter>... p) {
    return activations::gradient<A>(vector(x), vector(g), vector(p)...).v[0];
  }
  [[gnu::flatten]] static Register backward_from_output(Register y, Register g, Parameter<parameter>... p) {
    return A::backward_from_output(vector(y), vector(g), vector(p)...).v[0];
  }
  [[gnu::flatten]] static Register gate(Register a, Register b) { return A::gated(vector(a), vector(b)).v[0]; }
  static Address address(Pass pass) {
    if (pass == Pass::forward) return reinterpret_cast<Address>(forward);
    if constexpr (!activations::Learnable<A>) {
      if (pass == Pass::backward) return reinterpret_cast<Address>(backward);
    }
    if constexpr (activations::DifferentiableFromOutput<A>) {
      if (pass == Pass::backward_from_output) return reinterpret_cast<Address>(backward_from_output);
    }
    if constexpr (activations::Gated<A>) {
      if (pass == Pass::gate) return reinterpret_cast<Address>(gate);
    }
    return nullptr;
  }
};

template <class Isa, class T>
Address single(Activation activation, Pass pass) {
  switch (activation) {
#define FASTACT_ONE(...) +1
#define FASTACT_CASE(name, ...)                                        \
  case Activation::name:                                               \
    return Single<simd::Vec<Isa, T, 1>, activations::name,             \
                  std::make_index_sequence<activations::name::arrays - \
                                           1 FASTACT_EACH_PARAMETER(FASTACT_ONE, __VA_ARGS__)>>::address(pass);
    FASTACT_ACTIVATIONS(FASTACT_CASE) FASTACT_LEARNABLE(FASTACT_CASE) FASTACT_LOSSES(FASTACT_CASE)
#undef FASTACT_CASE
#undef FASTACT_ONE
  }
  return nullptr;
}

}  // namespace
}  // namespace fastact::kernels
