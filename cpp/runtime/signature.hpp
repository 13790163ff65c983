// The operands of a row function, parsed from its signature in list.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "kernels/interface.hpp"

namespace fastact::runtime {

/// The role of an operand, from which its type follows. All arrays of a call have one type, labels are int64, a
/// parameter is never of half precision, and a sum is float64.
enum class Role : char { array, parameter, labels, sum };

struct RowOperand {
  std::string_view name;
  Role role;
  std::size_t divisor;  // the operand has length / divisor elements for each row, or one number if this is 0
};

/// A signature such as "x(n),labels()->loss()". The role of an operand follows from its name; `n` is the length of a
/// row and `m` half of it.
class RowSignature {
 public:
  std::array<RowOperand, kernels::most_operands> operands = {};
  std::size_t inputs = 0, count = 0;

  constexpr explicit RowSignature(std::string_view text) {
    std::size_t written = 0;
    while (!text.empty()) {
      const std::size_t open = text.find('('), close = text.find(')');
      operands[count++] = operand(text.substr(0, open), text.substr(open + 1, close - open - 1));
      for (const char c : text.substr(open, close + 1 - open)) core_[written++] = c;
      text.remove_prefix(close + 1);
      if (text.starts_with("->")) inputs = count;
      while (text.starts_with(',') || text.starts_with('-') || text.starts_with('>')) {
        core_[written++] = text.front();
        text.remove_prefix(1);
      }
    }
  }
  /// The signature in NumPy's form, without the names.
  constexpr const char* core() const { return core_.data(); }
  /// Whether an operand has half of the row's elements, so that the length must be even.
  constexpr bool halves() const {
    for (const RowOperand& o : operands) {
      if (o.divisor == 2) return true;
    }
    return false;
  }

 private:
  std::array<char, 64> core_ = {};

  static constexpr RowOperand operand(std::string_view name, std::string_view dimension) {
    const Role role = name == "labels"       ? Role::labels
                      : name == "parameter"  ? Role::parameter
                      : name == "dparameter" ? Role::sum
                                             : Role::array;
    return {name, role, dimension == "n" ? 1U : dimension == "m" ? 2U : 0U};
  }
};

}  // namespace fastact::runtime
