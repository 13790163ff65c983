// Tables of exponential forms, written by exponential_forms.py.
// clang-format off
#pragma once

#include <bit>
#include <cstddef>

#include "simd/table.hpp"

namespace fastact::math::forms {

/// e^x by steps of ln 2/8: 2^(j/8) is (1 + j/8) factor[j], rounded, times e^rest[j].
struct Exp {
  static constexpr float per_step = 0x1.715476p+3F;
  static constexpr float step_hi = 0x1.62ep-4F;
  static constexpr float step_lo = 0x1.0bfbe8p-18F;
  static constexpr simd::Eight factor{{0x1p+0F, 0x1.f04d5cp-1F, 0x1.e71968p-1F, 0x1.e2e55ap-1F, 0x1.e2b7dep-1F, 0x1.e5ea4p-1F, 0x1.ec0b66p-1F, 0x1.f4ce76p-1F}};
  static constexpr simd::Eight rest{{0x0p+0F, -0x1.9c0c22p-27F, 0x1.125002p-25F, -0x1.0a3552p-25F, 0x1.26055cp-26F, 0x1.67a1cap-28F, -0x1.f9c306p-27F, -0x1.a5217cp-28F}};
  /// (e^r - 1)/r, error 2^-32.6.
  static constexpr float series[] = {0x1p+0F, 0x1p-1F, 0x1.555c8ap-3F, 0x1.555a46p-5F};
};

/// a Φ(-a): W to a relative 2^-27.8, |u| up to 0.10.
struct Gelu {
  static constexpr std::size_t degree = 7;
  static constexpr bool tilts = false;
  static constexpr bool lifts = true;
  static constexpr float offset = std::bit_cast<float>(2471860U);
  static constexpr float end = 0x1.00ccccp+4F;
  static constexpr float near = 0x1.180012p+3F;
  static constexpr float slope = 0x1.5d405cp-1F;
  static constexpr float start = 0x1.b490bcp-1F;
  static constexpr float per_step = 0x1.715476p+2F;
  static constexpr float step_hi = 0x1.62e43p-3F;
  static constexpr float step_lo = -0x1.05c61p-31F;
  static constexpr float flat = 0x1.00ccccp+4F;
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
  static constexpr bool tilts = false;
  static constexpr bool lifts = true;
  static constexpr float offset = std::bit_cast<float>(1578834U);
  static constexpr float end = 0x1.00ccccp+4F;
  static constexpr float near = 0x1.dccd3ap+2F;
  static constexpr float slope = 0x1.af74e8p-2F;
  static constexpr float start = 0x1.f02dccp-2F;
  static constexpr float per_step = 0x1.715476p+2F;
  static constexpr float step_hi = 0x1.62e43p-3F;
  static constexpr float step_lo = -0x1.05c61p-31F;
  static constexpr float flat = 0x1.00ccccp+4F;
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

/// a σ(-w), the multiplier a: W to a relative 2^-27.2, |u| up to 0.04.
struct GeluTanh {
  static constexpr std::size_t degree = 7;
  static constexpr bool tilts = true;
  static constexpr bool lifts = true;
  static constexpr float offset = std::bit_cast<float>(-2090218U);
  static constexpr float end = 0x1.69999ap+3F;
  static constexpr float near = 0x1.e0fca4p+2F;
  static constexpr float slope = 0x1.35de82p+0F;
  static constexpr float start = 0x1.cb051ep-1F;
  static constexpr float per_step = 0x1.715476p+3F;
  static constexpr float step_hi = 0x1.62e43p-4F;
  static constexpr float step_lo = -0x1.05c61p-32F;
  static constexpr float knee = 0x1.69999ap+3F;
  static constexpr float flat = 0x1.5a3d7p+3F;
  static constexpr float most = 0x1p+18F;
  static constexpr float series[] = {-0x1p+0F, 0x1p-1F, -0x1.555ca8p-3F, 0x1.555a5ap-5F};
  static constexpr simd::Eight power{{0x1.2fa848p-1F, 0x1.2b2404p-1F, 0x1.291c8ap-1F, 0x1.29cb7cp-1F, 0x1.2d6fb4p-1F, 0x1.344dbcp-1F, 0x1.3eb052p-1F, 0x1.36747cp-1F}};
  static constexpr simd::Eight delta{{0x1p+2F, 0x1.4p+2F, 0x1.8p+2F, 0x1.8p+2F, 0x1.6bp+9F, -0x1p+1F, -0x1p+0F, 0x1p+0F}};
  static constexpr simd::Eight centre{{0x1.bc5f2ap+0F, 0x1.623ea2p+1F, 0x1.0daa8p+2F, 0x1.91c37p+2F, 0x1.255de2p+3F, 0x1.2a55f8p-3F, 0x1.fe09bep-2F, 0x1.038e28p+0F}};
  static constexpr simd::Eight down{{0x0p+0F, 0x0p+0F, 0x0p+0F, 0x0p+0F, 0x1p-37F, 0x0p+0F, 0x0p+0F, 0x0p+0F}};
  static constexpr simd::Eight tilt{{0x1.8p-4F, 0x1p-6F, 0x0p+0F, 0x0p+0F, 0x0p+0F, 0x1.68p-1F, 0x1.08p-1F, 0x1.2p-2F}};
  static constexpr simd::Eight column[] = {
      {{-0x1.d6460ep-6F, 0x1.6a90b2p-5F, 0x1.4fc87p-9F, 0x1.508a98p-9F, 0x1.508a96p-9F, 0x1.404304p-7F, -0x1.1fe86ap-6F, -0x1.29f7cap-6F}},
      {{-0x1.107434p-10F, -0x1.e19806p-8F, 0x1.06365cp-15F, -0x1.362a18p-31F, 0x1.0db856p-56F, 0x1.2072b8p-8F, -0x1.7003d4p-8F, 0x1.115f3p-10F}},
      {{-0x1.4ee086p-4F, -0x1.a36fecp-7F, -0x1.4cf2bp-14F, -0x1.3b3be4p-28F, -0x1.77b746p-33F, -0x1.384e8ap-2F, -0x1.02f11cp-2F, -0x1.6f67aap-3F}},
      {{0x1.302c76p-5F, 0x1.5865f6p-7F, 0x1.03ab52p-13F, 0x1.4e636ep-28F, -0x1.edd53ap-55F, 0x1.35a5dap-5F, 0x1.793b72p-5F, 0x1.8d97bcp-5F}},
      {{-0x1.ae83fep-9F, -0x1.48f656p-8F, -0x1.12d1dep-13F, 0x1.a2602ap-27F, 0x1.133e5ap-33F, 0x1.a5968ap-5F, 0x1.28b43ap-5F, 0x1.07bfd2p-6F}},
      {{-0x1.0b37a6p-8F, 0x1.2c6048p-10F, 0x1.af1084p-14F, -0x1.447d38p-27F, 0x1.b1f792p-55F, -0x1.85b3c8p-7F, -0x1.a2849cp-7F, -0x1.6766c2p-7F}},
      {{0x1.ad37aep-10F, 0x1.3735p-13F, -0x1.02418ap-14F, -0x1.7480fcp-27F, -0x1.cce3aep-36F, -0x1.5efa4ap-8F, -0x1.9de308p-9F, 0x1.5f7218p-14F}},
      {{0x1.affb14p-18F, -0x1.4f2852p-13F, 0x1.56a18ap-16F, 0x1.1784dp-27F, -0x1.a7b00ep-57F, 0x1.13c00cp-9F, 0x1.f706bap-10F, 0x1.57be2ep-10F}}};
};

/// gelu_tanh'(-a): W to a relative 2^-30.8, |u| up to 0.16.
struct GeluTanhDerivative {
  static constexpr std::size_t degree = 8;
  static constexpr bool tilts = true;
  static constexpr bool lifts = true;
  static constexpr float offset = std::bit_cast<float>(2077410U);
  static constexpr float end = 0x1.69999ap+3F;
  static constexpr float near = 0x1.f57eeap+2F;
  static constexpr float slope = 0x1.2798f2p+0F;
  static constexpr float start = 0x1.f11cbcp-1F;
  static constexpr float per_step = 0x1.715476p+3F;
  static constexpr float step_hi = 0x1.62e43p-4F;
  static constexpr float step_lo = -0x1.05c61p-32F;
  static constexpr float flat = 0x1.69999ap+3F;
  static constexpr float most = 0x1p+18F;
  static constexpr float series[] = {-0x1p+0F, 0x1p-1F, -0x1.555ca8p-3F, 0x1.555a5ap-5F};
  static constexpr simd::Eight power{{0x1.2fa848p-1F, 0x1.2b2404p-1F, 0x1.291c8ap-1F, 0x1.29cb7cp-1F, 0x1.2d6fb4p-1F, 0x1.344dbcp-1F, 0x1.3eb052p-1F, 0x1.36747cp-1F}};
  static constexpr simd::Eight delta{{0x1.4p+2F, 0x1p+3F, 0x1.6p+3F, 0x1.ap+3F, 0x1p+4F, 0x1.728p+9F, 0x1p+0F, 0x1.8p+1F}};
  static constexpr simd::Eight centre{{0x1.00b0bcp+0F, 0x1.c2d998p+0F, 0x1.6c479ep+1F, 0x1.174b4ep+2F, 0x1.a21846p+2F, 0x1.323a64p+3F, 0x1.f70fb4p-4F, 0x1.d72df4p-2F}};
  static constexpr simd::Eight down{{0x0p+0F, 0x0p+0F, 0x0p+0F, 0x0p+0F, 0x0p+0F, 0x1p-37F, 0x0p+0F, 0x0p+0F}};
  static constexpr simd::Eight tilt{{0x1.6p-1F, 0x1.dp-2F, 0x1.6p-2F, 0x1.3p-2F, 0x1p-2F, 0x1.8p-3F, 0x1.8p-1F, 0x1.8p-1F}};
  static constexpr simd::Eight root{{0x1.8142ap-1F, 0x1.81428p-1F, 0x1.81428p-1F, 0x1.81428p-1F, 0x1.81428p-1F, 0x1.81428p-1F, 0x1.8142ap-1F, 0x1.8142ap-1F}};
  static constexpr simd::Eight root_lo{{-0x1.85a06cp-27F, 0x1.f9e97ep-21F, 0x1.f9e97ep-21F, 0x1.f9e97ep-21F, 0x1.f9e97ep-21F, 0x1.f9e97ep-21F, -0x1.85a06cp-27F, -0x1.85a06cp-27F}};
  static constexpr simd::Eight column[] = {
      {{-0x1.89bcb4p-6F, 0x1.57c6c4p-6F, -0x1.e542cep-7F, -0x1.01b27ap-6F, -0x1.021d22p-6F, 0x1.4a4f48p-5F, 0x1.8c2e96p-4F, 0x1.59b768p-5F}},
      {{0x1.f88ebp-19F, -0x1.02e004p-6F, -0x1.357c2ep-8F, 0x1.0b7b7cp-7F, -0x1.aba95ap-9F, -0x1.ca3b6p-10F, 0x1.103292p-1F, 0x1.061728p-2F}},
      {{-0x1.d4da68p-3F, -0x1.a32808p-4F, -0x1.c3f52p-7F, -0x1.a6de52p-7F, -0x1.8f943cp-7F, -0x1.0d1f82p-7F, -0x1.23151ep-2F, -0x1.40349cp-2F}},
      {{0x1.f8a5ap-5F, 0x1.a6887p-5F, 0x1.e0e6e2p-8F, -0x1.fd88c4p-11F, 0x1.28a8cap-11F, 0x1.be34aep-12F, -0x1.17395p-3F, -0x1.c6ac3ep-6F}},
      {{0x1.cf4a28p-6F, -0x1.71c0bap-8F, -0x1.7acedcp-8F, 0x1.e53dfp-12F, 0x1.80599ep-14F, 0x1.ba25c4p-17F, 0x1.07b304p-4F, 0x1.17cccap-4F}},
      {{-0x1.200ad8p-6F, -0x1.b5685cp-8F, 0x1.dec524p-10F, 0x1.f5dee4p-19F, -0x1.1c5eep-16F, -0x1.81c416p-19F, 0x1.68b65ep-6F, -0x1.7b7d9cp-9F}},
      {{-0x1.b708f8p-11F, 0x1.91e35cp-9F, 0x1.4488d6p-15F, -0x1.bb9404p-15F, 0x1.c5bf34p-20F, 0x1.ba2cc6p-23F, -0x1.7ffap-8F, -0x1.5cf86ap-7F}},
      {{0x1.5b5bc4p-9F, 0x1.21a854p-16F, -0x1.c5a98ap-13F, 0x1.c3b4a4p-16F, -0x1.5b32cap-23F, -0x1.77407ap-27F, 0x1.d7caf8p-6F, 0x1.c876bep-10F}},
      {{-0x1.5da4d2p-12F, -0x1.873504p-12F, 0x1.f76cep-15F, -0x1.9c4f46p-18F, 0x1.2ea774p-26F, 0x1.687dd6p-31F, -0x1.3e6b52p-3F, 0x1.8f8a1p-11F}}};
};

/// silu'(-a): W to a relative 2^-27.1, |u| up to 0.11.
struct SiluDerivative {
  static constexpr std::size_t degree = 7;
  static constexpr bool tilts = true;
  static constexpr bool lifts = false;
  static constexpr float offset = std::bit_cast<float>(2140633U);
  static constexpr float end = 0x1.1p+6F;
  static constexpr float near = 0x1p+5F;
  static constexpr float slope = 0x1.537612p+0F;
  static constexpr float start = 0x1.ed4dc4p+0F;
  static constexpr float per_step = 0x1.715476p+3F;
  static constexpr float step_hi = 0x1.62e43p-4F;
  static constexpr float step_lo = -0x1.05c61p-32F;
  static constexpr float flat = 0x1.39999ap+4F;
  static constexpr float series[] = {-0x1p+0F, 0x1p-1F, -0x1.555ca8p-3F, 0x1.555a5ap-5F};
  static constexpr simd::Eight power{{0x1.2fa848p-1F, 0x1.2b2404p-1F, 0x1.291c8ap-1F, 0x1.29cb7cp-1F, 0x1.2d6fb4p-1F, 0x1.344dbcp-1F, 0x1.3eb052p-1F, 0x1.36747cp-1F}};
  static constexpr simd::Eight delta{{-0x1.4p+2F, -0x1p+2F, 0x0p+0F, 0x1p+2F, 0x1.cp+2F, 0x1.8p+2F, 0x1.8p+2F, 0x1.8p+2F}};
  static constexpr simd::Eight centre{{0x1.b2829ap-3F, 0x1.9a506p-1F, 0x1.bd8cd4p+0F, 0x1.872a88p+1F, 0x1.3bbe98p+2F, 0x1.e42bb2p+2F, 0x1.6a3f2ep+3F, 0x1.0955fcp+4F}};
  static constexpr simd::Eight tilt{{0x1p-1F, 0x1.fp-2F, 0x1.cp-3F, 0x1p-4F, 0x0p+0F, 0x0p+0F, 0x0p+0F, 0x0p+0F}};
  static constexpr simd::Eight root{{0x1.474974p+0F, 0x1.474974p+0F, 0x1.474974p+0F, 0x1.47498p+0F, 0x1.47498p+0F, 0x1p+0F, 0x1p+0F, 0x1p+0F}};
  static constexpr simd::Eight root_lo{{-0x1.bdf6fap-27F, -0x1.bdf6fap-27F, -0x1.bdf6fap-27F, -0x1.86f7dcp-21F, -0x1.86f7dcp-21F, 0x0p+0F, 0x0p+0F, 0x0p+0F}};
  static constexpr simd::Eight column[] = {
      {{0x1.1fde3cp-4F, 0x1.760516p-5F, 0x1.46523p-6F, 0x1.f6905cp-7F, -0x1.b1e022p-6F, 0x1.7c31cep-10F, 0x1.4d3366p-9F, 0x1.50863cp-9F}},
      {{0x1.b4c23p-3F, -0x1.d44a32p-8F, -0x1.26b148p-8F, -0x1.cff8a6p-7F, -0x1.614c2p-9F, 0x1.27d008p-10F, 0x1.ad8824p-16F, 0x1.175d24p-23F}},
      {{-0x1.81d3acp-3F, -0x1.7629a8p-3F, -0x1.b0a972p-4F, -0x1.0b58ccp-5F, -0x1.bd03f6p-9F, -0x1.2b832p-11F, -0x1.b0aacp-17F, -0x1.1be114p-24F}},
      {{-0x1.3d5ee6p-5F, 0x1.74f716p-6F, 0x1.ac7fc6p-6F, 0x1.791d3cp-7F, 0x1.ad9402p-10F, 0x1.95688ap-13F, 0x1.22103ep-18F, 0x1.794edp-26F}},
      {{0x1.c21decp-6F, 0x1.61145ap-6F, 0x1.b92bf8p-9F, -0x1.059c78p-9F, -0x1.d887e4p-12F, -0x1.9b1ce6p-15F, -0x1.1d6b4p-20F, -0x1.59f9a2p-28F}},
      {{0x1.45beeap-8F, -0x1.8b9e4p-8F, -0x1.c99998p-9F, -0x1.80393p-15F, 0x1.6b1dacp-14F, 0x1.50b46cp-17F, 0x1.cf8da2p-23F, 0x1.1caac2p-30F}},
      {{-0x1.e87b86p-9F, -0x1.c5620cp-10F, 0x1.3a904ep-11F, 0x1.3749dcp-13F, -0x1.5ec84ep-17F, -0x1.f7252ap-20F, -0x1.7e4bccp-25F, -0x1.179fep-32F}},
      {{-0x1.8183a6p-11F, 0x1.f3046ap-11F, 0x1.3f771p-13F, -0x1.741ab6p-15F, 0x1.a8c032p-23F, 0x1.2415eap-22F, 0x1.b1e88p-28F, 0x1.3396f2p-35F}}};
};

/// quick_gelu'(-a): W to a relative 2^-27.0, |u| up to 0.09.
struct QuickGeluDerivative {
  static constexpr std::size_t degree = 7;
  static constexpr bool tilts = true;
  static constexpr bool lifts = false;
  static constexpr float offset = std::bit_cast<float>(2140633U);
  static constexpr float end = 0x1.3f9fbcp+5F;
  static constexpr float near = 0x1.2cd294p+4F;
  static constexpr float slope = 0x1.20e1aap+1F;
  static constexpr float start = 0x1.ed4dc4p+0F;
  static constexpr float per_step = 0x1.3a4cbep+4F;
  static constexpr float step_hi = 0x1.a10754p-5F;
  static constexpr float step_lo = -0x1.2f1edp-31F;
  static constexpr float flat = 0x1.7081f4p+3F;
  static constexpr float series[] = {-0x1.b3b646p+0F, 0x1.72ca7ap+0F, -0x1.a4bd2cp-1F, 0x1.65f928p-2F};
  static constexpr simd::Eight power{{0x1.1de03p-1F, 0x1.17bfecp-1F, 0x1.13f728p-1F, 0x1.12bc26p-1F, 0x1.144a12p-1F, 0x1.18e172p-1F, 0x1.20c8a4p-1F, 0x1.262632p-1F}};
  static constexpr simd::Eight delta{{0x1p+1F, 0x1.8p+1F, 0x1.cp+2F, 0x1.6p+3F, 0x1.ap+3F, 0x1.ap+3F, 0x1.ap+3F, 0x1.ap+3F}};
  static constexpr simd::Eight centre{{0x1.fdd6fep-4F, 0x1.e20b58p-2F, 0x1.05bd34p+0F, 0x1.cbb5c6p+0F, 0x1.731c32p+1F, 0x1.1c78bcp+2F, 0x1.a9ac02p+2F, 0x1.37cb04p+3F}};
  static constexpr simd::Eight tilt{{0x1p-1F, 0x1.e8d63p-2F, 0x1.c33bdep-3F, 0x1.c33bdep-5F, 0x0p+0F, 0x0p+0F, 0x0p+0F, 0x0p+0F}};
  static constexpr simd::Eight root{{0x1.80974ap-1F, 0x1.80974ap-1F, 0x1.80974ap-1F, 0x1.80978p-1F, 0x1.80978p-1F, 0x1.2cd28p-1F, 0x1.2cd28p-1F, 0x1.2cd28p-1F}};
  static constexpr simd::Eight root_lo{{0x1.8af8f8p-27F, 0x1.8af8f8p-27F, 0x1.8af8f8p-27F, -0x1.acea0ep-20F, -0x1.acea0ep-20F, 0x1.3672eap-21F, 0x1.3672eap-21F, 0x1.3672eap-21F}};
  static constexpr simd::Eight column[] = {
      {{0x1.c238bp-5F, 0x1.2b62dp-5F, 0x1.578f3p-9F, 0x1.8614ep-6F, 0x1.7cdf2ap-5F, -0x1.a43e56p-7F, -0x1.80fa44p-7F, -0x1.802898p-7F}},
      {{0x1.6e95a4p-2F, 0x1.a2891ap-12F, -0x1.4ba5fcp-7F, -0x1.7613dp-7F, -0x1.441638p-8F, 0x1.f04bd8p-10F, 0x1.685238p-15F, 0x1.d4b326p-23F}},
      {{-0x1.13615ep-1F, -0x1.0ca954p-1F, -0x1.340f14p-2F, -0x1.873b32p-4F, -0x1.59e378p-7F, -0x1.aba194p-10F, -0x1.34e19p-15F, -0x1.935e28p-23F}},
      {{-0x1.81ef88p-3F, 0x1.adccfcp-4F, 0x1.0538f2p-3F, 0x1.cab858p-5F, 0x1.1c3ff4p-7F, 0x1.ec9446p-11F, 0x1.606edp-16F, 0x1.ca6fdap-24F}},
      {{0x1.d13d4ep-3F, 0x1.71db1p-3F, 0x1.c1fc1ep-6F, -0x1.08fe5ep-6F, -0x1.0a229cp-8F, -0x1.a912e4p-12F, -0x1.2712e4p-17F, -0x1.6aae06p-25F}},
      {{0x1.1b7f34p-4F, -0x1.552f88p-4F, -0x1.9244a2p-5F, -0x1.c4d398p-11F, 0x1.5c27aep-10F, 0x1.284604p-13F, 0x1.97e3ecp-19F, 0x1.f4f7c8p-27F}},
      {{-0x1.6a8bfap-4F, -0x1.5d7454p-5F, 0x1.d98da2p-7F, 0x1.da2776p-9F, -0x1.1e2b18p-12F, -0x1.78d0dap-15F, -0x1.1e6244p-20F, -0x1.9b925ep-28F}},
      {{-0x1.3e3d5cp-10F, 0x1.3bc02cp-5F, 0x1.938202p-8F, -0x1.d90e26p-10F, 0x1.2702c6p-17F, 0x1.743f8ap-17F, 0x1.148016p-22F, 0x1.88041ap-30F}}};
};

}  // namespace fastact::math::forms
// clang-format on
