// Tables of multiples, written by multiples.py.
// clang-format off
#pragma once

#include <bit>
#include <cstddef>

#include "simd/table.hpp"

namespace fastact::math::multiples {

/// tanh a / min(a, knee), relative error 2^-27.5.
struct Tanh {
  static constexpr std::size_t degree = 7;
  static constexpr float offset = std::bit_cast<float>(2873540U);
  static constexpr float start = 0x1.284f28p+0F;
  static constexpr float slope = 0x1.cd8808p+0F;
  static constexpr float end = 0x1.34p+3F;
  static constexpr float knee = 0x1.325968p+0F;
  static constexpr simd::Eight centre{{0x1.d4255cp-2F, 0x1.d4d46p-1F, 0x1.8e3efap+0F, 0x1.3e4a8ap+1F, 0x1.e1e1e2p+1F, 0x1.6859c6p+2F, 0x1.023dcep+3F, 0x0p+0F}};
  static constexpr simd::Eight column[] = {
      {{0x1.df1434p-1F, 0x1.94bc9ep-1F, 0x1.875c7ap-1F, 0x1.a5f876p-1F, 0x1.ab646ap-1F, 0x1.abd72ep-1F, 0x1.abd9fap-1F, 0x1p+0F}},
      {{-0x1.09dbdap-2F, -0x1.5fa7f4p-2F, 0x1.17795p-3F, 0x1.75cc38p-6F, 0x1.d6151ep-10F, 0x1.68acap-15F, 0x1.5f9a42p-22F, 0x1.770644p-28F}},
      {{-0x1.929686p-3F, -0x1.4eadcap-10F, -0x1.ff4674p-4F, -0x1.70a7d6p-6F, -0x1.d59d4p-10F, -0x1.6925e8p-15F, -0x1.5fc55p-22F, -0x1.555578p-2F}},
      {{0x1.4a5d54p-3F, 0x1.9ba134p-4F, 0x1.195ba6p-4F, 0x1.ddf79p-7F, 0x1.3865b8p-10F, 0x1.e2116ap-16F, 0x1.cfdcfap-23F, 0x1.108736p-16F}},
      {{0x1.1540d8p-6F, -0x1.cb1ff2p-5F, -0x1.5c010ap-6F, -0x1.c39466p-8F, -0x1.363576p-11F, -0x1.d8801ep-17F, -0x1.c2c072p-24F, 0x1.1091e8p-3F}},
      {{-0x1.0d736p-4F, 0x1.b35388p-11F, -0x1.e439c8p-12F, 0x1.40175ep-9F, 0x1.ec7066p-13F, 0x1.760824p-18F, 0x1.852d5cp-25F, 0x1.0017aap-9F}},
      {{0x1.faa66p-7F, 0x1.0e6202p-6F, 0x1.432642p-8F, -0x1.31daap-11F, -0x1.58a7bep-14F, -0x1.2e9046p-19F, -0x1.3eee16p-26F, -0x1.010cf2p-4F}},
      {{0x1.1aed22p-6F, -0x1.25e2dap-7F, -0x1.770ff8p-9F, 0x1.4e9632p-15F, 0x1.76fa4ap-16F, 0x1.6a1712p-21F, 0x1.1e61d8p-28F, 0x1.599ce6p-6F}}};
};

/// 2^30 (a - tanh a) / (a min(a, knee)²), relative error 2^-26.8.
struct TanhShrink {
  static constexpr std::size_t degree = 7;
  static constexpr float offset = std::bit_cast<float>(2873540U);
  static constexpr float start = 0x1.284f28p+0F;
  static constexpr float slope = 0x1.e8696ap+0F;
  static constexpr float end = 0x1.22p+3F;
  static constexpr float knee = 0x1.d1ec84p+0F;
  static constexpr simd::Eight centre{{0x1.c2a6bap-2F, 0x1.c1e806p-1F, 0x1.81d8fap+0F, 0x1.2deb8ep+1F, 0x1.c7e0d2p+1F, 0x1.54e0fp+2F, 0x1.f3e93ep+2F, 0x1.026644p-3F}};
  static constexpr simd::Eight column[] = {
      {{0x1.3ccfdap+28F, 0x1.05015ep+28F, 0x1.6758ap+27F, 0x1.68cc3ap+27F, 0x1.bcf4a6p+27F, 0x1.f6328p+27F, 0x1.0d8f4ep+28F, 0x1.532c7ap+28F}},
      {{-0x1.9d5aecp+26F, -0x1.16a4p+27F, -0x1.bf972ap+26F, 0x1.8fcea8p+25F, 0x1.80d5c6p+24F, 0x1.5c83b4p+23F, 0x1.44442cp+22F, -0x1.101bb2p+25F}},
      {{-0x1.4d1b02p+26F, -0x1.ec40ccp+21F, 0x1.0e6606p+25F, -0x1.0aa8ap+24F, -0x1.9e59fep+22F, -0x1.050886p+21F, -0x1.4c1886p+19F, -0x1.06ad82p+27F}},
      {{0x1.091094p+26F, 0x1.677082p+25F, 0x1.f8e0a2p+20F, 0x1.0a26e8p+22F, 0x1.a1e34ap+20F, 0x1.8456b8p+18F, 0x1.541554p+16F, 0x1.b01ddap+24F}},
      {{0x1.2a5754p+23F, -0x1.7375p+24F, -0x1.0ca02ap+23F, -0x1.ab2bfcp+18F, -0x1.7753a8p+18F, -0x1.1be98ap+16F, -0x1.5bb392p+13F, 0x1.908b5p+25F}},
      {{-0x1.bfb2d8p+24F, -0x1.4332cep+20F, 0x1.3c9a2ap+22F, -0x1.1e1b96p+18F, 0x1.1116eep+16F, 0x1.91be1cp+13F, 0x1.60df5ep+10F, -0x1.ff11d8p+23F}},
      {{0x1.5db34ap+22F, 0x1.f326c6p+22F, -0x1.47480ap+20F, 0x1.e0624ep+17F, -0x1.7c30e6p+12F, -0x1.1a257ap+11F, -0x1.7c6f1p+7F, -0x1.2318dcp+24F}},
      {{0x1.153cap+23F, -0x1.dfa6cap+21F, -0x1.519ca4p+18F, -0x1.a06b6p+16F, -0x1.d6dabcp+10F, 0x1.66f60ap+8F, 0x1.b6a222p+4F, 0x1.0dde5p+23F}}};
};

}  // namespace fastact::math::multiples
// clang-format on
