// Constants and polynomials of cpp/math, written by constants.py.
// clang-format off
#pragma once

namespace fastact::math {

template <class T>
struct Constants;

template <>
struct Constants<float> {
  static constexpr int significand_bits = 23;
  static constexpr float exponent_bias = 0x1.fcp+6F;
  /// Adding and subtracting it rounds to the nearest integer.
  static constexpr float to_integer = 0x1.8p+23F;
  /// For smaller x, e^x times the largest number rounds to zero.
  static constexpr float lowest = -0x1.9p+7F;
  /// For smaller x, e^x - 1 rounds to -1.
  static constexpr float expm1_lowest = -0x1.9p+4F;
  static constexpr float log2_e = 0x1.715476p+0F;
  static constexpr float ln2_hi = 0x1.62e43p-1F;
  static constexpr float ln2_lo = -0x1.05c61p-29F;
  static constexpr float density_hi = 0x1.988454p-2F;
  static constexpr float density_lo = -0x1.857936p-27F;
  static constexpr float selu_lambda_hi = 0x1.0cfabep+0F;
  static constexpr float selu_lambda_lo = -0x1.2adddap-25F;
  static constexpr float selu_lambda_alpha_hi = 0x1.c212ccp+0F;
  static constexpr float selu_lambda_alpha_lo = 0x1.903c0cp-26F;
  static constexpr float quick_gelu_hi = 0x1.b3b646p+0F;
  static constexpr float quick_gelu_lo = -0x1.78d4fep-26F;
  static constexpr float gelu_tanh_1_hi = 0x1.988p+0F;
  static constexpr float gelu_tanh_1_lo = 0x1.14cf5p-14F;
  static constexpr float gelu_tanh_3_hi = 0x1.2444f2p-4F;
  static constexpr float gelu_tanh_3_lo = 0x1.49b16ap-29F;
  static constexpr float third_hi = 0x1.555556p-2F;
  static constexpr float third_lo = -0x1.555556p-27F;
  /// 2 (e^x - 1 - x - x²/2) / x³ on [-0.3469, 0.3469], error 2^-32.1.
  static constexpr float expm1[] = {0x1.555556p-2F, 0x1.5554e4p-4F, 0x1.110feep-6F, 0x1.6d5168p-9F, 0x1.a273f2p-12F};
  /// (log(1 + x) - x + x²/2) / x³ on [-0.2929, 0.4142], error 2^-32.4.
  static constexpr float log1p[] = {0x1.55553cp-2F, -0x1.00000ap-2F, 0x1.99a97ap-3F, -0x1.555dfep-3F, 0x1.22e71p-3F, -0x1.fb93f4p-4F, 0x1.ea80aap-4F, -0x1.e295acp-4F, 0x1.1231e6p-4F};
  static constexpr float mills_shift = 0x1.bp-1F;
  static constexpr float mills_centre = 0x1p+2F;
  /// For larger a, e^(-a²/2) times the largest number rounds to zero.
  static constexpr float normal_end = 0x1.4p+4F;
  /// ((a + shift) Φ(-a) e^(a²/2) - shift/2)/(1 + s), s = (a - centre)/(a + centre) on [-1.0000, 0.6667], error 2^-28.8.
  static constexpr float mills_polynomial[] = {0x1.2236dap-5F, -0x1.b0266ap-4F, 0x1.99e3aap-4F, -0x1.edb2c8p-5F, 0x1.7ce254p-6F, -0x1.0513b4p-8F, -0x1.2280f6p-10F, 0x1.76285cp-11F, 0x1.0ec63ap-15F, -0x1.72fe7cp-14F, -0x1.c55606p-17F};
};

template <>
struct Constants<double> {
  static constexpr int significand_bits = 52;
  static constexpr double exponent_bias = 0x1.ff8p+9;
  /// Adding and subtracting it rounds to the nearest integer.
  static constexpr double to_integer = 0x1.8p+52;
  /// For smaller x, e^x times the largest number rounds to zero.
  static constexpr double lowest = -0x1.77p+10;
  /// For smaller x, e^x - 1 rounds to -1.
  static constexpr double expm1_lowest = -0x1.9p+5;
  /// Smaller powers of two are represented by the square of a normal number.
  static constexpr double smallest_exponent = -0x1.9p+7;
  static constexpr double log2_e = 0x1.71547652b82fep+0;
  static constexpr double ln2_hi = 0x1.62e42fefa39efp-1;
  static constexpr double ln2_lo = 0x1.abc9e3b39803fp-56;
  static constexpr double density_hi = 0x1.9884533d43651p-2;
  static constexpr double density_lo = -0x1.cbc0d30ebfd15p-56;
  static constexpr double selu_lambda_hi = 0x1.0cfabd6a91132p+0;
  static constexpr double selu_lambda_lo = 0x1.6fc7d272f2696p-55;
  static constexpr double selu_lambda_alpha_hi = 0x1.c212cc640f031p+0;
  static constexpr double selu_lambda_alpha_lo = 0x1.05161b045a1f1p-56;
  static constexpr double quick_gelu_hi = 0x1.b3b645a1cac08p+0;
  static constexpr double quick_gelu_lo = 0x1.89374bc6a7efap-55;
  static constexpr double gelu_tanh_1_hi = 0x1.988453p+0;
  static constexpr double gelu_tanh_1_lo = 0x1.ea1b284687e5ap-27;
  static constexpr double gelu_tanh_3_hi = 0x1.2444f2a4d8b4bp-4;
  static constexpr double gelu_tanh_3_lo = -0x1.6c843a29d1c7p-61;
  static constexpr double third_hi = 0x1.5555555555555p-2;
  static constexpr double third_lo = 0x1.5555555555555p-56;
  /// (e^x - 1 - x) / x² on [-0.3469, 0.3469], error 2^-63.9.
  static constexpr double exp[] = {0x1p-1, 0x1.555555555555cp-3, 0x1.5555555555558p-5, 0x1.111111110e9dfp-7, 0x1.6c16c16c15p-10, 0x1.a01a01b45544ep-13, 0x1.a01a01ad7d65ap-16, 0x1.71ddee4083fap-19, 0x1.27e4cc1422208p-22, 0x1.af6ee242c0666p-26, 0x1.1f8bd95168b86p-29};
  /// (2 artanh x - 2x)/x³ as a function of x² on [0.0000, 0.1111], error 2^-53.4.
  static constexpr double artanh[] = {0x1.5555555555555p-1, 0x1.999999999a256p-2, 0x1.24924923e2322p-2, 0x1.c71c726a03bc8p-3, 0x1.745cf1b8a3e2bp-3, 0x1.3b189c6f3782dp-3, 0x1.10ad96f1062fap-3, 0x1.eb7ec6f92b9fdp-4, 0x1.68c5a4fb3b25ap-4, 0x1.4ac63bf11f878p-3};
  /// ((x - tanh x)/x³ - 1/3)/x² as a function of x² on [0.0000, 0.3750], error 2^-59.0.
  static constexpr double tanh_shrink[] = {-0x1.1111111111111p-3, 0x1.ba1ba1ba1b991p-5, -0x1.664f4882b93bcp-6, 0x1.226e355b7de92p-7, -0x1.d6d3cfb8ab07cp-9, 0x1.7da34148af419p-10, -0x1.35557e91cd522p-11, 0x1.f5395d59820dp-13, -0x1.942eb3a7171e2p-14, 0x1.3bfa912221761p-15, -0x1.ae24c95d918f4p-17, 0x1.6c6dde0d6087dp-19};
  static constexpr double mills_shift = 0x1.bp-1;
  static constexpr double mills_centre = 0x1.4p+2;
  /// For larger a, e^(-a²/2) times the largest number rounds to zero.
  static constexpr double normal_end = 0x1.bp+5;
  /// ((a + shift) Φ(-a) e^(a²/2) - shift/2)/(1 + s), s = (a - centre)/(a + centre) on [-1.0000, 0.8305], error 2^-60.2.
  static constexpr double mills_polynomial[] = {0x1.c48fdb01b6fp-6, -0x1.8c53674b7dadbp-4, 0x1.c1246392cefa1p-4, -0x1.646825d9b5a0dp-4, 0x1.b3480dc691d8ap-5, -0x1.989c173931698p-6, 0x1.1214581e2effap-7, -0x1.817eb50b4ec1fp-10, -0x1.f6f613fcf1e4dp-13, 0x1.db4d3961ab531p-13, -0x1.247945db80176p-15, -0x1.3cf64311b7dddp-16, 0x1.0b08a3d41f48ap-17, 0x1.5d28374097e9fp-20, -0x1.53c9d0fb96064p-20, -0x1.5c56c8b22a618p-24, 0x1.a796ac5cd65cp-23, 0x1.f35522aa3eab9p-28, -0x1.13ad35eb77f12p-25, -0x1.f2df66f2721fbp-30, 0x1.6ae8292bfb0bbp-28, 0x1.13a087fa7964p-31, -0x1.b3ff6bbcf4763p-31, -0x1.371a11a585587p-34, 0x1.b4ae9d7e12a8dp-34, -0x1.ba020ff8c8f4fp-40, -0x1.6fb0d04a9770ap-37};
};

struct SiluRoot {
  static constexpr float root = -0x1.474974p+0F;
  static constexpr float value = -0x1.848b9ep-29F;
  static constexpr float slope = 0x1.be141p-3F;
  static constexpr float width = 0x1p-3F;
  /// (f(root + x) - value) / x - slope on [-0.1250, 0.1250], error 2^-30.7.
  static constexpr float rest[] = {-0x1.cc1cdcp-30F, 0x1.2c5632p-3F, 0x1.353e4p-6F, -0x1.f2b746p-7F, -0x1.afbdacp-8F};
};

struct QuickGeluRoot {
  static constexpr float root = -0x1.80974ap-1F;
  static constexpr float value = 0x1.24d84cp-28F;
  static constexpr float slope = 0x1.7b9cdap-2F;
  static constexpr float width = 0x1p-4F;
  /// (f(root + x) - value) / x - slope on [-0.0625, 0.0625], error 2^-31.2.
  static constexpr float rest[] = {0x1.23237cp-28F, 0x1.b30222p-2F, 0x1.7d2bccp-4F, -0x1.0596fep-3F, -0x1.81b166p-4F};
};

struct GeluTanhRoot {
  static constexpr float root = -0x1.8142ap-1F;
  static constexpr float value = -0x1.4f6404p-28F;
  static constexpr float slope = 0x1.b8baccp-2F;
  static constexpr float width = 0x1p-4F;
  /// (f(root + x) - value) / x - slope on [-0.0625, 0.0625], error 2^-29.7.
  static constexpr float rest[] = {0x1.2b89eep-27F, 0x1.8cd19cp-2F, -0x1.02964p-6F, -0x1.d2509cp-4F, -0x1.0fca42p-6F};
};

}  // namespace fastact::math
// clang-format on
