// The types of ufuncs' operands.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "numpy/api.hpp"
#include "runtime/signature.hpp"

namespace fastact::numpy {

using runtime::Role;

/// The type of parameters that are Python numbers, in calls with arrays narrower than float64. It can represent all of
/// them. float64 arrays, which NumPy converts once for all rows, use the other loops.
using Extended = npy_longdouble;

/// The operands of a ufunc; the data of its loops point to this object. Parameters are never of half precision, because
/// that would round them.
struct Signature {
  std::array<Role, 6> roles = {};
  std::size_t inputs = 0, operands = 0;
  PyUFuncGenericFunction bfloat16_loop = nullptr;
  Signature* bfloat16_data = nullptr;
  int parameter_type = NPY_FLOAT;  // for arrays of every type except float64
  Signature* extended = nullptr;   // the signature with Extended parameters, if any

  /// The types of all operands for this type of the arrays.
  template <class T>
  T* write(int type, T* to) const {
    return std::transform(roles.begin(), roles.begin() + static_cast<std::ptrdiff_t>(operands), to,
                          [this, type](Role role) {
                            return static_cast<T>(role == Role::array                             ? type
                                                  : role == Role::parameter && type != NPY_DOUBLE ? parameter_type
                                                  : role == Role::labels                          ? int{NPY_INT64}
                                                                                                  : int{NPY_DOUBLE});
                          });
  }
};

/// Whether this is the type number of bfloat16, which ml_dtypes defines.
bool is_bfloat16(int type);

/// The type of a call whose arrays have these types: the first type with kernels to which all of them can be cast
/// safely. It is float64 if no type is known, and NPY_NOTYPE if there is no such type.
int common_type(std::span<const int> arrays);

/// How arrays of a type with kernels are stored.
kernels::Format format_of(int type);

/// Tells NumPy which types to use if no loop has exactly those of the inputs: only the arrays decide, or `dtype` if it
/// is given. The loop for bfloat16 is added in the first call that needs it, so that ml_dtypes need not be imported
/// before.
void add_promoter(const pybind11::object& ufunc);

}  // namespace fastact::numpy
