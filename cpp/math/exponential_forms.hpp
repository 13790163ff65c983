// Tables of exponential forms, written by exponential_forms.py.
// clang-format off
#pragma once

#include <bit>
#include <cstddef>

#include "simd/table.hpp"

namespace fastact::math::forms {

/// e^x by steps of ln 2/8: 2^(j/8) is a float, whose bit pattern is power[j] plus j 2^20, times e^rest[j].
struct Exp {
  static constexpr float per_step = 0x1.715476p+3F;
  static constexpr float step_hi = 0x1.62ep-4F;
  static constexpr float step_lo = 0x1.0bfbe8p-18F;
  static constexpr simd::Eight power{{0x1p+0F, 0x1.f72b84p-1F, 0x1.f06fep-1F, 0x1.ebfdaep-1F, 0x1.ea09e6p-1F, 0x1.eace54p-1F, 0x1.ee89fap-1F, 0x1.f5818ep-1F}};
  static constexpr simd::Eight rest{{0x0p+0F, -0x1.9c0c22p-27F, 0x1.125002p-25F, -0x1.0a3552p-25F, 0x1.26055cp-26F, 0x1.67a1cap-28F, -0x1.f9c306p-27F, -0x1.a5217cp-28F}};
  /// (e^r - 1)/r, error 2^-32.6.
  static constexpr float series[] = {0x1p+0F, 0x1p-1F, 0x1.555c8ap-3F, 0x1.555a46p-5F};
};

/// e^x of rows' elements by steps of ln 2/8: one 2^(j/8) is (1 + j/8) factor[j] 2^-lift,
/// rounded, error 2^-28.3.
struct RowExp {
  static constexpr float one = 0x1.89cb7cp+0F;
  static constexpr int lift = 26;
  static constexpr simd::Eight factor{{0x1.89cb7cp+26F, 0x1.7db8ap+26F, 0x1.76a496p+26F, 0x1.7368f6p+26F, 0x1.7345fap+26F, 0x1.75bb6cp+26F, 0x1.7a724ep+26F, 0x1.812f82p+26F}};
  /// (e^r - 1 - r)/r².
  static constexpr float series[] = {0x1p-1F, 0x1.555c8ap-3F, 0x1.555a46p-5F};
};

/// a Φ(-a): W to a relative 2^-27.8, |u| up to 0.10.
struct Gelu {
  static constexpr std::size_t degree = 7;
  static constexpr float offset = std::bit_cast<float>(2471860U);
  static constexpr float end = 0x1.00ccccp+4F;
  static constexpr float near = 0x1.180012p+3F;
  static constexpr float slope = 0x1.5d405cp-1F;
  static constexpr float start = 0x1.b490bcp-1F;
  static constexpr float per_step = 0x1.715476p+2F;
  static constexpr float step_hi = 0x1.62e43p-3F;
  static constexpr float step_lo = -0x1.05c61p-31F;
  static constexpr float most = 0x1p+34F;
  static constexpr float knee = 0x1.4p+0F;
  static constexpr float series[] = {-0x1p-1F, 0x1p-3F, -0x1.555ca8p-6F, 0x1.555a5ap-9F};
  static constexpr simd::Eight power{{0x1.1ebd8p-1F, 0x1.18b144p-1F, 0x1.14fe58p-1F, 0x1.13db28p-1F, 0x1.15830ep-1F, 0x1.1a36c2p-1F, 0x1.223cd8p-1F, 0x1.26f124p-1F}};
  static constexpr simd::Eight delta{{-0x1p+1F, 0x0p+0F, 0x0p+0F, 0x0p+0F, 0x1.688p+9F, 0x1.688p+9F, -0x1p+1F, -0x1.8p+1F}};
  static constexpr simd::Eight centre{{0x1.c45a76p+0F, 0x1.822d4ap+1F, 0x1.32358ep+2F, 0x1.d2391p+2F, 0x1.5a2d5p+3F, 0x1.cefa12p+3F, 0x1.08b4b4p-2F, 0x1.c45a5ap-1F}};
  static constexpr simd::Eight down{{0x0p+0F, 0x0p+0F, 0x0p+0F, 0x0p+0F, 0x1p-37F, 0x1p-37F, 0x0p+0F, 0x0p+0F}};
  static constexpr simd::Eight column[] = {
      {{0x1.03785p-5F, -0x1.af0bp-6F, 0x1.7c7afap-6F, 0x1.75f258p-5F, -0x1.04bf64p-5F, -0x1.cf85d6p-6F, -0x1.6cc31ap-8F, 0x1.857d98p-9F}},
      {{0x1.5b553ep-3F, 0x1.8b3e52p-5F, 0x1.fd91e4p-7F, 0x1.451812p-8F, 0x1.80cf8ap-10F, 0x1.48ad08p-11F, -0x1.ad8736p-3F, -0x1.93c9c8p-5F}},
      {{-0x1.5a8838p-4F, -0x1.2a2a0ap-6F, -0x1.16510ep-8F, -0x1.f4c2fap-11F, -0x1.9d4ad8p-13F, -0x1.0b9c5p-14F, 0x1.69d406p-3F, 0x1.bb0948p-4F}},
      {{0x1.1e747ep-5F, 0x1.7d93fcp-8F, 0x1.06d896p-10F, 0x1.51bbaep-13F, 0x1.878fc4p-16F, 0x1.81a298p-18F, -0x1.0be8e6p-4F, -0x1.b0dcc8p-6F}},
      {{-0x1.a19c66p-7F, -0x1.b6680ep-10F, -0x1.c4aa62p-13F, -0x1.a41398p-16F, -0x1.585df2p-19F, -0x1.03593ep-21F, 0x1.b627ap-6F, 0x1.555be6p-7F}},
      {{0x1.15407cp-8F, 0x1.d2045ap-12F, 0x1.6dcb12p-15F, 0x1.ef5ce4p-19F, 0x1.21244ep-22F, 0x1.4d44b6p-25F, -0x1.388e5ep-7F, -0x1.9cda12p-9F}},
      {{-0x1.647706p-10F, -0x1.ed93fep-14F, -0x1.2e6ce2p-17F, -0x1.2fa5bcp-21F, -0x1.fe0c3ap-26F, -0x1.a6261p-29F, 0x1.aa50a6p-9F, 0x1.fad024p-11F}},
      {{0x1.9e1cb6p-12F, 0x1.d52fc8p-16F, 0x1.c06decp-20F, 0x1.4ff542p-24F, 0x1.956c54p-29F, 0x1.0457d8p-32F, -0x1.e8536p-11F, -0x1.1a1c1ep-12F}}};
};

/// gelu'(-a): W to a relative 2^-29.7, |u| up to 0.12.
struct GeluDerivative {
  static constexpr std::size_t degree = 7;
  static constexpr float offset = std::bit_cast<float>(1578834U);
  static constexpr float end = 0x1.00ccccp+4F;
  static constexpr float near = 0x1.dccd3ap+2F;
  static constexpr float slope = 0x1.af74e8p-2F;
  static constexpr float start = 0x1.f02dccp-2F;
  static constexpr float per_step = 0x1.715476p+2F;
  static constexpr float step_hi = 0x1.62e43p-3F;
  static constexpr float step_lo = -0x1.05c61p-31F;
  static constexpr float most = 0x1p+34F;
  static constexpr float series[] = {-0x1p-1F, 0x1p-3F, -0x1.555ca8p-6F, 0x1.555a5ap-9F};
  static constexpr simd::Eight power{{0x1.2fa848p-1F, 0x1.2b2404p-1F, 0x1.291c8ap-1F, 0x1.29cb7cp-1F, 0x1.2d6fb4p-1F, 0x1.344dbcp-1F, 0x1.3eb052p-1F, 0x1.36747cp-1F}};
  static constexpr simd::Eight delta{{-0x1.8p+1F, -0x1.8p+1F, 0x1.66p+9F, 0x1.66p+9F, 0x0p+0F, 0x0p+0F, -0x1p+0F, -0x1p+1F}};
  static constexpr simd::Eight centre{{0x1.0740f6p+2F, 0x1.90e434p+2F, 0x1.2bfe6cp+3F, 0x1.b5a752p+3F, 0x1.a037cp-3F, 0x1.681af6p-1F, 0x1.7b7caep+0F, 0x1.473778p+1F}};
  static constexpr simd::Eight down{{0x0p+0F, 0x0p+0F, 0x1p-37F, 0x1p-37F, 0x0p+0F, 0x0p+0F, 0x0p+0F, 0x0p+0F}};
  static constexpr simd::Eight root{{0x1.80ebp-1F, 0x1.80ebp-1F, 0x1.80ebp-1F, 0x1.80ebp-1F, 0x1.80ead2p-1F, 0x1.80ead2p-1F, 0x1.80ebp-1F, 0x1.80ebp-1F}};
  static constexpr simd::Eight root_lo{{-0x1.73408p-20F, -0x1.73408p-20F, -0x1.73408p-20F, -0x1.73408p-20F, -0x1.a03fd4p-27F, -0x1.a03fd4p-27F, -0x1.73408p-20F, -0x1.73408p-20F}};
  static constexpr simd::Eight column[] = {
      {{0x1.ee9092p-8F, -0x1.113f0ap-5F, 0x1.720a1p-6F, 0x1.4bd28ap-10F, 0x1.129c2p-4F, -0x1.c7412p-6F, -0x1.12e88cp-5F, -0x1.58c1b8p-6F}},
      {{-0x1.bac3fcp-6F, -0x1.b57e3p-7F, -0x1.ce4758p-8F, -0x1.c813bp-9F, -0x1.eb1494p-3F, -0x1.3146dap-3F, -0x1.6a41fap-4F, -0x1.9b2cd4p-5F}},
      {{0x1.57cc9cp-8F, 0x1.e7f48cp-10F, 0x1.6b1aacp-11F, 0x1.fa1dcp-13F, 0x1.fa35e8p-4F, 0x1.0b883ep-4F, 0x1.f8e46cp-6F, 0x1.b5606ep-7F}},
      {{-0x1.03bb04p-10F, -0x1.0c1b7ap-12F, -0x1.1b1092p-14F, -0x1.17c28p-16F, -0x1.cd31b4p-5F, -0x1.a83beap-6F, -0x1.474de8p-7F, -0x1.bbc6dcp-9F}},
      {{0x1.7e026ap-13F, 0x1.2232a6p-15F, 0x1.b5770ep-18F, 0x1.33d4d2p-20F, 0x1.7cca8ap-6F, 0x1.35abap-7F, 0x1.8e9892p-9F, 0x1.af55f8p-11F}},
      {{-0x1.124ebp-15F, -0x1.35c038p-18F, -0x1.4fe078p-21F, -0x1.51d33ap-24F, -0x1.222602p-7F, -0x1.a5b9c2p-9F, -0x1.cbf77p-11F, -0x1.939e1ep-13F}},
      {{0x1.9728p-18F, 0x1.5600b2p-21F, 0x1.119c84p-24F, 0x1.8599b4p-28F, 0x1.98e73ep-9F, 0x1.1256f2p-10F, 0x1.03f48p-12F, 0x1.76f0f4p-15F}},
      {{-0x1.19ae5p-20F, -0x1.684b0ap-24F, -0x1.a0c12ap-28F, -0x1.a6d3dep-32F, -0x1.b6a58ap-11F, -0x1.3fe906p-12F, -0x1.0ba076p-14F, -0x1.40aefap-17F}}};
};

/// gelu_tanh'(-a): W to a relative 2^-29.1, |u| up to 0.24.
struct GeluTanhDerivative {
  static constexpr std::size_t degree = 8;
  static constexpr float offset = std::bit_cast<float>(6284051U);
  static constexpr float end = 0x1.69999ap+3F;
  static constexpr float near = 0x1.f600b8p+2F;
  static constexpr float slope = 0x1.26fe66p-1F;
  static constexpr float start = 0x1.efep-2F;
  static constexpr float per_step = 0x1.715476p+3F;
  static constexpr float step_hi = 0x1.62e43p-4F;
  static constexpr float step_lo = -0x1.05c61p-32F;
  static constexpr float most = 0x1p+15F;
  static constexpr float linear = 0x1.2p+0F;
  static constexpr float cubic = 0x1.28a8p-4F;
  static constexpr float series[] = {-0x1p+0F, 0x1p-1F, -0x1.555ca8p-3F, 0x1.555a5ap-5F};
  static constexpr simd::Eight power{{0x1.2fa848p-1F, 0x1.2b2404p-1F, 0x1.291c8ap-1F, 0x1.29cb7cp-1F, 0x1.2d6fb4p-1F, 0x1.344dbcp-1F, 0x1.3eb052p-1F, 0x1.36747cp-1F}};
  static constexpr simd::Eight delta{{0x1p+3F, 0x1.cp+2F, 0x1.4p+2F, 0x1.8p+1F, 0x1.69p+9F, 0x1p+0F, 0x1.4p+2F, 0x1.cp+2F}};
  static constexpr simd::Eight centre{{0x1.c3b5d4p+0F, 0x1.6ccdb8p+1F, 0x1.17a568p+2F, 0x1.a2a2a2p+2F, 0x1.3253e4p+3F, 0x1.f59e7ep-4F, 0x1.d917bcp-2F, 0x1.012e5p+0F}};
  static constexpr simd::Eight down{{0x0p+0F, 0x0p+0F, 0x0p+0F, 0x0p+0F, 0x1p-37F, 0x0p+0F, 0x0p+0F, 0x0p+0F}};
  static constexpr simd::Eight root{{0x1.81428p-1F, 0x1.81428p-1F, 0x1.81428p-1F, 0x1.81428p-1F, 0x1.81428p-1F, 0x1.8142ap-1F, 0x1.8142ap-1F, 0x1.8142ap-1F}};
  static constexpr simd::Eight root_lo{{0x1.f9e97ep-21F, 0x1.f9e97ep-21F, 0x1.f9e97ep-21F, 0x1.f9e97ep-21F, 0x1.f9e97ep-21F, -0x1.85a06cp-27F, -0x1.85a06cp-27F, -0x1.85a06cp-27F}};
  static constexpr simd::Eight column[] = {
      {{-0x1.28a80cp-8F, -0x1.6cac4cp-8F, 0x1.c33f36p-8F, -0x1.10e184p-5F, -0x1.52fd0ep-4F, 0x1.13d5bap-3F, -0x1.37d894p-9F, 0x1.5f1c06p-6F}},
      {{-0x1.83fe7cp-6F, -0x1.af0f42p-4F, -0x1.ae919ap-4F, -0x1.57c03cp-4F, 0x1.1bb68ap-7F, 0x1.bc05d8p-1F, 0x1.0bc93ep-1F, 0x1.ca4a18p-3F}},
      {{-0x1.7ee42cp-4F, 0x1.b3b664p-11F, 0x1.a1a5dcp-8F, 0x1.88edd6p-7F, 0x1.584b68p-6F, -0x1.8799ap-4F, -0x1.8637ap-3F, -0x1.b0fb0ap-3F}},
      {{0x1.a93ac2p-5F, 0x1.1a3f86p-7F, -0x1.5212a4p-14F, 0x1.7a68dp-11F, 0x1.9493fep-10F, -0x1.91b416p-3F, -0x1.845914p-4F, 0x1.00ec8p-6F}},
      {{-0x1.ae6cbap-8F, -0x1.ba26f2p-8F, 0x1.9180ap-12F, -0x1.914eecp-15F, 0x1.f12aacp-13F, 0x1.3689cap-6F, 0x1.8705bcp-5F, 0x1.334ea4p-5F}},
      {{-0x1.974c16p-8F, 0x1.4dbab4p-9F, -0x1.cb2f56p-15F, 0x1.045816p-18F, 0x1.16db04p-15F, 0x1.1ae642p-5F, 0x1.ab800ap-7F, -0x1.67b336p-7F}},
      {{0x1.90974ep-9F, -0x1.f009b2p-13F, -0x1.706e86p-15F, 0x1.af598ep-19F, 0x1.76881p-19F, -0x1.876762p-8F, -0x1.1a18c8p-7F, -0x1.03db26p-8F}},
      {{-0x1.dba66ap-15F, -0x1.a848fap-13F, 0x1.25d3cp-15F, -0x1.5bfa3p-21F, 0x1.8b2026p-22F, 0x1.31fc9ap-5F, -0x1.50ecfcp-10F, 0x1.228c66p-9F}},
      {{-0x1.6cdc3ap-12F, 0x1.60071p-14F, -0x1.643b2cp-17F, 0x1.b3e2e6p-24F, 0x1.439b5p-25F, 0x1.50b3fap-4F, 0x1.5f606cp-11F, 0x1.108c82p-12F}}};
};

}  // namespace fastact::math::forms
// clang-format on
