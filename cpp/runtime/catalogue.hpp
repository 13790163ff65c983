// The properties of each function that callers need: names, parameters, costs and conditions.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "kernels/interface.hpp"
#include "runtime/signature.hpp"

namespace fastact::runtime {

constexpr std::array<std::string_view, kernels::pass_count> pass_suffixes = {"", "_backward", "_backward_from_output",
                                                                             "_gate"};

struct Parameter {
  const char* name;
  double value = std::numeric_limits<double>::quiet_NaN();  // the default; NaN if there is no default
};

/// The condition on the parameters of a function; there is none if `holds` is null.
struct Constraint {
  bool (*holds)(const double* parameters);
  const char* text;

  /// Whether it also holds for the parameters rounded to float.
  bool holds_in_single(std::array<double, kernels::most_parameters> parameters) const {
    for (double& parameter : parameters) {
      const volatile float rounded = static_cast<float>(parameter);  // GCC 12 drops two roundings that it vectorizes
      parameter = static_cast<double>(rounded);
    }
    return holds(parameters.data());
  }
};

struct Description {
  std::string_view name;
  std::size_t arrays;  // of the forward pass
  std::array<Parameter, kernels::most_parameters> parameters;
  std::size_t parameter_count;
  bool learnable;                  // its parameter has a gradient, and its backward pass is a row function
  std::size_t cost_f32, cost_f64;  // of an element, in picoseconds
  std::array<Constraint, kernels::pass_count> constraints;

  template <class T>
  std::size_t cost() const {
    return sizeof(T) == sizeof(float) ? cost_f32 : cost_f64;
  }
  const Constraint& constraint(kernels::Pass pass) const { return constraints[static_cast<std::size_t>(pass)]; }
  /// The names of the arrays that a pass reads.
  std::span<const char* const> inputs(kernels::Pass pass) const {
    static constexpr std::array<std::array<const char*, 2>, kernels::pass_count> names = {
        {{"x"}, {"x", "g"}, {"y", "g"}, {"a", "b"}}};
    static constexpr std::array of_loss = {"x", "t", "g"};
    if (arrays == 2) return std::span(of_loss).first(pass == kernels::Pass::forward ? 2 : 3);
    return std::span(names[static_cast<std::size_t>(pass)]).first(pass == kernels::Pass::forward ? 1 : 2);
  }
  std::string function(kernels::Pass pass) const {
    return std::string(name).append(pass_suffixes[static_cast<std::size_t>(pass)]);
  }
};

struct RowDescription {
  const char* name;
  RowSignature signature;
  bool nonempty;  // a row must have at least one element
  bool maskable;  // its kernels read RowCall::mask; as a ufunc, `NAME_where` with a boolean (n) as its last input
};

extern const std::array<Description, kernels::activation_count> catalogue;
extern const std::array<RowDescription, kernels::row_function_count> row_catalogue;

inline const Description& describe(kernels::Activation activation) {
  return catalogue[static_cast<std::size_t>(activation)];
}
inline const RowDescription& describe(kernels::RowFunction function) {
  return row_catalogue[static_cast<std::size_t>(function)];
}

/// The error message for parameters that are not allowed, such as "softplus: beta = -1 is not allowed; beta > 0 is
/// required", or an empty string. With in_single, the parameters rounded to float must be allowed too.
std::string violation(const Description& activation, kernels::Pass pass, const double* parameters, bool in_single);

}  // namespace fastact::runtime
