#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "activations/list.hpp"
#include "rowwise/list.hpp"

namespace fastact {

enum class Activation : std::size_t {
#define FASTACT_NAME(name, ...) name,
  FASTACT_ACTIVATIONS(FASTACT_NAME) FASTACT_LEARNABLE(FASTACT_NAME)
#undef FASTACT_NAME
};

enum class Pass : std::size_t { forward, backward, backward_from_output };
constexpr std::array<std::string_view, 3> pass_suffixes = {"", "_backward", "_backward_from_output"};

struct Parameter {
  const char* name;
  double value = std::numeric_limits<double>::quiet_NaN();  // the default; NaN where there is none
};
constexpr std::size_t most_parameters = 2;

/// What a function asks of its parameters; nothing when holds is nullptr.
struct Constraint {
  bool (*holds)(const double* parameters);
  const char* text;
};

/// What is known of an activation without computing it.
struct Description {
  std::string_view name;
  std::array<Parameter, most_parameters> parameters;
  std::size_t parameter_count;
  bool learnable;
  activations::Cost costs;
  std::array<Constraint, pass_suffixes.size()> constraints;

  /// Of an element of T, in picoseconds.
  template <class T>
  std::size_t cost() const {
    return sizeof(T) == sizeof(float) ? costs.f32 : costs.f64;
  }
  std::string function(Pass pass) const {
    return std::string(name).append(pass_suffixes[static_cast<std::size_t>(pass)]);
  }
};

template <class A, std::size_t... i>
constexpr std::array<Constraint, pass_suffixes.size()> constraints(std::index_sequence<i...>) {
  Constraint input = {}, output = {};
  if constexpr (requires { A::allowed; }) {
    input = output = {[](const double* p) { return A::allows(p[i]...); }, A::allowed};
  }
  if constexpr (requires { A::output_allowed; }) {
    output = {[](const double* p) { return A::output_allows(p[i]...); }, A::output_allowed};
  }
  return {input, input, output};
}

/// Of a parameter that has a gradient too: backward gives both, and is a row-wise function.
template <class A>
constexpr bool is_learnable = requires { &A::template gradients<double>; };

constexpr Description catalogue[] = {
#define FASTACT_PARAMETER(name, ...) Parameter{#name __VA_OPT__(, ) __VA_ARGS__},
#define FASTACT_ONE(...) +1
#define FASTACT_DESCRIBE(name, ...)                          \
  {#name,                                                    \
   {FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)}, \
   0 FASTACT_EACH_PARAMETER(FASTACT_ONE, __VA_ARGS__),       \
   is_learnable<activations::name>,                          \
   activations::cost<activations::name>,                     \
   constraints<activations::name>(std::make_index_sequence<0 FASTACT_EACH_PARAMETER(FASTACT_ONE, __VA_ARGS__)>{})},
    FASTACT_ACTIVATIONS(FASTACT_DESCRIBE) FASTACT_LEARNABLE(FASTACT_DESCRIBE)
#undef FASTACT_DESCRIBE
#undef FASTACT_ONE
#undef FASTACT_PARAMETER
};

enum class RowFunction : std::size_t {
#define FASTACT_NAME(form, name) name,
  FASTACT_ROWWISE(FASTACT_NAME)
#undef FASTACT_NAME
};

/// What is known of a function of rows without computing it.
struct RowDescription {
  const char* name;
  const char* signature;
  bool labelled = false;   // the second input holds labels
  bool parameter = false;  // the third input is a learned parameter, the second output its gradient in double
  bool gated = false;      // rows are of even length
  bool nonempty = false;   // and of at least one element
};

template <class F>
constexpr RowDescription describe(const char* name, const char* signature) {
  RowDescription description = {name, signature};
  if constexpr (requires { F::shape; }) {
    description.labelled = F::shape.labelled;
    description.parameter = F::shape.parameter;
  }
  description.gated = requires { F::gate; };
  description.nonempty = requires { F::nonempty; };
  return description;
}

constexpr RowDescription row_catalogue[] = {
#define FASTACT_DESCRIBE(form, name) describe<rowwise::name>(#name, FASTACT_SIGNATURE_##form),
    FASTACT_ROWWISE(FASTACT_DESCRIBE)
#undef FASTACT_DESCRIBE
};

/// "softplus: beta = -1 is not allowed; beta > 0 is required".
std::string violation(const Description& activation, Pass pass, const double* parameters);

}  // namespace fastact
