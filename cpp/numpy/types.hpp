#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "numpy/ufunc.hpp"

namespace fastact::numpy {

/// What the type of an operand follows from. All arrays have one type.
enum class Role : char { array, parameter, label, sum };

/// What Python numbers become where they are parameters beside arrays narrower than float64: to hold any of them, and
/// to leave float64 arrays, which NumPy narrows once for all rows, to the other loops.
using Wide = npy_longdouble;

/// The operands of a ufunc. Its loops' data point to it. Parameters are never of half precision, which would round
/// them.
struct Signature {
  std::array<Role, 6> roles = {};
  std::size_t inputs = 0, operands = 0;
  PyUFuncGenericFunction bfloat16_loop = nullptr;
  Signature* bfloat16_data = nullptr;  // this one where it is null
  int parameter_type = NPY_FLOAT;      // beside arrays of any type but float64
  Signature* wide = nullptr;           // the one with Wide parameters, if any

  /// The types of the operands where the arrays have this one.
  template <class T>
  T* write(int type, T* to) const {
    return std::transform(roles.begin(), roles.begin() + static_cast<std::ptrdiff_t>(operands), to,
                          [this, type](Role role) {
                            return static_cast<T>(role == Role::array                             ? type
                                                  : role == Role::parameter && type != NPY_DOUBLE ? parameter_type
                                                  : role == Role::label                           ? int{NPY_INT64}
                                                                                                  : int{NPY_DOUBLE});
                          });
  }
};

/// The type of a call whose arrays have these types: the first with kernels that all of them can safely be cast to.
/// float64 where there is no type to go by, NPY_NOTYPE where none will do.
int common_type(std::span<const int> arrays);

/// Tells NumPy which types to take where no loop has exactly those of the inputs: the arrays alone decide, or `dtype`
/// where it is given. The loop for bfloat16 joins the others when it is first asked for, so that ml_dtypes need not be
/// imported before.
void add_promoter(const pybind11::object& ufunc);

}  // namespace fastact::numpy
