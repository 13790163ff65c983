// Calls of the ufuncs of activations.
#pragma once

#include "numpy/api.hpp"
#include "numpy/elements.hpp"
#include "numpy/types.hpp"
#include "runtime/elements.hpp"

namespace fastact::numpy {

/// The data of a loop: its call without the operands, and the default parameters of a uniform ufunc.
struct ElementLoop : Signature {
  runtime::ElementCall call;
  Numbers defaults;

  static const ElementLoop& from(const void* data) {
    return *static_cast<const ElementLoop*>(static_cast<const Signature*>(data));
  }
  /// The call with these operands, which are the inputs and the output.
  runtime::ElementCall with(char* const* data, const npy_intp* steps) const;
};

/// Lets calls with arrays of the types of a loop reach it without NumPy's preparations, which take longer than the
/// computation of a few elements, and which call the loop once for each run of elements where a mask is true.
void call_directly(PyUFuncObject* ufunc);

}  // namespace fastact::numpy
