// Tables of expansions, written by expansions.py.
// clang-format off
#pragma once

#include <cstddef>

#include "simd/table.hpp"

namespace fastact::math::expansions {

/// log(1 + e^-a), relative error 2^-28.2, factor 2.0.
struct Softplus {
  static constexpr std::size_t degree = 6;
  static constexpr bool rooted = false;
  static constexpr float begin = 0x0p+0F;
  static constexpr float end = 0x1.5b851ep+3F;
  static constexpr float index[] = {-0x1.ep-2F, 0x1.78p+0F};
  static constexpr simd::Sixteen centre{{0x1.542faep-2F, 0x1.fd44c6p-1F, 0x1.b3e11cp+0F, 0x1.306c42p+1F, 0x1.82e9dap+1F, 0x1.dde578p+1F, 0x1.1985c6p+2F, 0x1.46e65ap+2F, 0x1.7077f6p+2F, 0x1.9ce42ap+2F, 0x1.c7f42p+2F, 0x1.f2949ep+2F, 0x1.0f17ep+3F, 0x1.25bd4ep+3F, 0x1.3ba41ap+3F, 0x1.50fb04p+3F}};
  static constexpr simd::Sixteen column[] = {
      {{0x1.14e03ep-1F, 0x1.424082p-2F, 0x1.56c98ap-3F, 0x1.6b256ep-4F, 0x1.854796p-5F, 0x1.831734p-6F, 0x1.9055e4p-7F, 0x1.8b40fep-8F, 0x1.9d7a2ep-9F, 0x1.9d6868p-10F, 0x1.a60c4p-11F, 0x1.b1ba2ep-12F, 0x1.b6ec08p-13F, 0x1.b09b32p-14F, 0x1.b46868p-15F, 0x1.c009a8p-16F}},
      {{-0x1.abba22p-2F, -0x1.1478acp-2F, -0x1.3ba2bep-3F, -0x1.5b8378p-4F, -0x1.7c2cdcp-5F, -0x1.7e8dcp-6F, -0x1.8de662p-7F, -0x1.8a107ap-8F, -0x1.9cd366p-9F, -0x1.9d15p-10F, -0x1.a5e0c6p-11F, -0x1.b1a338p-12F, -0x1.b6e046p-13F, -0x1.b0957cp-14F, -0x1.b4658p-15F, -0x1.c0082p-16F}},
      {{0x1.f221p-4F, 0x1.93a718p-4F, 0x1.0afd8p-4F, 0x1.3e079ep-5F, 0x1.6a883ap-6F, 0x1.759f14p-7F, 0x1.891178p-8F, 0x1.87b1e6p-9F, 0x1.9b8682p-10F, 0x1.9c6e5ap-11F, 0x1.a589d8p-12F, 0x1.b17544p-13F, 0x1.b6c8b8p-14F, 0x1.b08a0ep-15F, 0x1.b45faep-16F, 0x1.c0050ep-17F}},
      {{-0x1.b542e2p-8F, -0x1.ef2698p-7F, -0x1.ec853ep-7F, -0x1.60175cp-7F, -0x1.b68366p-8F, -0x1.dae61cp-9F, -0x1.ff5cbep-10F, -0x1.01fcfcp-10F, -0x1.109edap-11F, -0x1.1215dcp-12F, -0x1.189256p-13F, -0x1.20bb36p-14F, -0x1.2465fap-15F, -0x1.204c2ep-16F, -0x1.22e21ap-17F, -0x1.2aa956p-18F}},
      {{-0x1.3106f2p-8F, -0x1.88d178p-10F, 0x1.362b78p-10F, 0x1.c5028ep-10F, 0x1.62f726p-10F, 0x1.adff66p-11F, 0x1.e662b4p-12F, 0x1.f78164p-13F, 0x1.0d3582p-13F, 0x1.105dc2p-14F, 0x1.17b14ep-15F, 0x1.204c9p-16F, 0x1.243286p-17F, 0x1.202f54p-18F, 0x1.22d388p-19F, 0x1.2aa344p-20F}},
      {{0x1.4ac958p-11F, 0x1.0bbe28p-10F, 0x1.bf28c4p-12F, -0x1.17f0ccp-15F, -0x1.469f38p-13F, -0x1.13b12ap-13F, -0x1.5eafc8p-14F, -0x1.804452p-15F, -0x1.a529f8p-16F, -0x1.afec08p-17F, -0x1.be4254p-18F, -0x1.cd5db4p-19F, -0x1.d46c2ep-20F, -0x1.cea06ap-21F, -0x1.d30ab2p-22F, -0x1.dfa374p-23F}},
      {{0x1.13521p-12F, -0x1.31295ep-14F, -0x1.4b4a1cp-13F, -0x1.173f84p-14F, -0x1.1a30fp-18F, 0x1.8fe66p-17F, 0x1.6bae6p-17F, 0x1.d2ac88p-18F, 0x1.04123p-18F, 0x1.16c7e8p-19F, 0x1.207422p-20F, 0x1.272edap-21F, 0x1.2d369ap-22F, 0x1.332242p-23F, 0x1.3737aap-24F, 0x1.3e0d6cp-25F}}};
};

/// tanh(log(1 + e^x)), relative error 2^-26.4, factor 3.0.
struct Mish {
  static constexpr std::size_t degree = 7;
  static constexpr bool rooted = false;
  static constexpr float begin = -0x1.a47ae2p+2F;
  static constexpr float end = 0x1.233334p+3F;
  static constexpr float index[] = {0x1.9e8f5cp+2F, 0x1.2d403cp+0F, 0x1.81b296p-10F, -0x1.416a28p-9F};
  static constexpr simd::Sixteen centre{{-0x1.7eecfep+2F, -0x1.3e30ap+2F, -0x1.ff61ecp+1F, -0x1.82956p+1F, -0x1.0f8f2ep+1F, -0x1.463716p+0F, -0x1.ccc8bcp-2F, 0x1.7c1ccep-2F, 0x1.2f34bep+0F, 0x1.02c764p+1F, 0x1.73a85ep+1F, 0x1.e4249ep+1F, 0x1.2e26c6p+2F, 0x1.716ef2p+2F, 0x1.b99c04p+2F, 0x1.03ac24p+3F}};
  static constexpr simd::Sixteen column[] = {
      {{0x1.49fa6p-9F, 0x1.c4abc4p-8F, 0x1.2ac2a2p-6F, 0x1.85f74ap-5F, 0x1.cda836p-4F, 0x1.eefd9ep-3F, 0x1.d3c258p-2F, 0x1.6db68ep-1F, 0x1.caba46p-1F, 0x1.f22f6ap-1F, 0x1.fd3db2p-1F, 0x1.ff7e26p-1F, 0x1.ffeb94p-1F, 0x1.fffd7ap-1F, 0x1.ffffbcp-1F, 0x1.fffffap-1F}},
      {{0x1.498fc6p-9F, 0x1.c318cap-8F, 0x1.27fca6p-6F, 0x1.7c3f5p-5F, 0x1.b0c834p-4F, 0x1.a565acp-3F, 0x1.3b8374p-2F, 0x1.28cb72p-2F, 0x1.355d22p-3F, 0x1.811c1p-5F, 0x1.4de4fcp-7F, 0x1.fb978p-10F, 0x1.43d736p-12F, 0x1.41ff7p-15F, 0x1.0fba74p-18F, 0x1.7fdcf4p-22F}},
      {{0x1.48ba96p-10F, 0x1.bff2e6p-9F, 0x1.22715ep-7F, 0x1.68df7cp-6F, 0x1.78068ap-5F, 0x1.1ccc5p-4F, 0x1.41b6cap-5F, -0x1.037592p-4F, -0x1.60039cp-4F, -0x1.34616ep-5F, -0x1.32284p-7F, -0x1.ea26a2p-10F, -0x1.3f8062p-12F, -0x1.408af8p-15F, -0x1.0f5878p-18F, -0x1.7f761ep-22F}},
      {{0x1.b41586p-12F, 0x1.266f92p-10F, 0x1.747cacp-9F, 0x1.add408p-8F, 0x1.62fd8ap-7F, 0x1.fe396p-9F, -0x1.09031cp-5F, -0x1.24498cp-5F, 0x1.d01094p-7F, 0x1.178a76p-6F, 0x1.63c1e8p-8F, 0x1.35b2bcp-10F, 0x1.a1659p-13F, 0x1.a85502p-16F, 0x1.68ea4ap-19F, 0x1.fefb1ep-23F}},
      {{0x1.afa08ep-14F, 0x1.1e0acep-12F, 0x1.57051ap-11F, 0x1.487ccap-10F, 0x1.425d16p-11F, -0x1.9b1c5ap-8F, -0x1.9797fcp-7F, 0x1.b83acep-7F, 0x1.2a4914p-7F, -0x1.e7c6ecp-9F, -0x1.1aea32p-9F, -0x1.1cd822p-11F, -0x1.94ceep-14F, -0x1.a231bcp-17F, -0x1.670c06p-20F, -0x1.01b95ap-23F}},
      {{0x1.52447ep-16F, 0x1.aed2f2p-15F, 0x1.c704d8p-14F, 0x1.a167e6p-14F, -0x1.41f59ep-11F, -0x1.61c3a2p-9F, 0x1.225752p-9F, 0x1.75537ap-8F, -0x1.53197cp-8F, -0x1.1cd4bcp-11F, 0x1.277068p-11F, 0x1.8e8b38p-13F, 0x1.353e7ap-15F, 0x1.499366p-18F, 0x1.1f49bep-21F, 0x1.a290bcp-25F}},
      {{0x1.b31134p-19F, 0x1.f7b9dcp-18F, 0x1.5da768p-17F, -0x1.16c0b6p-15F, -0x1.30d8fcp-12F, -0x1.f7a2a4p-13F, 0x1.3523f4p-9F, -0x1.451c32p-9F, 0x1.434004p-15F, 0x1.768bdcp-11F, -0x1.0b72a4p-14F, -0x1.a43a38p-15F, -0x1.75baaep-17F, -0x1.d09f6p-20F, -0x1.87aca6p-23F, -0x1.f7c0aap-27F}},
      {{0x1.b8b88cp-22F, 0x1.9aa992p-21F, -0x1.9b2adap-21F, -0x1.1b538p-16F, -0x1.10ea68p-14F, 0x1.c5514ep-13F, 0x1.1c4c22p-13F, -0x1.68947ep-11F, 0x1.3c402p-11F, -0x1.b501a4p-13F, -0x1.57b516p-17F, 0x1.14917ap-17F, 0x1.1df0d8p-19F, 0x1.0095ap-21F, 0x1.7085bap-25F, 0x1.32c238p-29F}}};
};

/// mish', relative error 2^-28.1, factor 3.1.
struct MishDerivative {
  static constexpr std::size_t degree = 8;
  static constexpr bool rooted = true;
  static constexpr float begin = -0x1.a9999ap+2F;
  static constexpr float end = 0x1.5p+3F;
  static constexpr float value_lo = 0x1.beb774p-31F;
  static constexpr float slope_lo = -0x1.508ca6p-27F;
  static constexpr float index[] = {0x1.cf02b8p+2F, 0x1.389eap+0F, -0x1.5a8d8cp-7F, -0x1.810f0ep-9F};
  static constexpr simd::Sixteen centre{{-0x1.8af5f4p+2F, -0x1.4f6982p+2F, -0x1.15019ep+2F, -0x1.c3062p+1F, -0x1.63f2b2p+1F, -0x1.a8106ap+0F, -0x1.31432cp+0F, -0x1.0e23cep-2F, 0x1.05a96p-1F, 0x1.55c79cp+0F, 0x1.250f7p+1F, 0x1.93653ap+1F, 0x1.05856p+2F, 0x1.4c87ep+2F, 0x1.9811ecp+2F, 0x1.0eab0ep+3F}};
  static constexpr simd::Sixteen column[] = {
      {{-0x1.611b4p-7F, -0x1.6dcaap-6F, -0x1.62317p-5F, -0x1.2617dp-4F, -0x1.a064bcp-4F, -0x1.5a9674p-4F, 0x0p+0F, 0x1.b978a6p-2F, 0x1.c87b7ap-1F, 0x1.15d944p+0F, 0x1.0d6bp+0F, 0x1.045508p+0F, 0x1.00fbb8p+0F, 0x1.002522p+0F, 0x1.00047p+0F, 0x1.000018p+0F}},
      {{-0x1.1bffcap-7F, -0x1.154dc8p-6F, -0x1.e43542p-6F, -0x1.4c37aap-5F, -0x1.1d64fcp-5F, 0x1.be2184p-4F, 0x1.115accp-2F, 0x1.41a6d6p-1F, 0x1.d92ad2p-2F, 0x1.5fa992p-5F, -0x1.d0d47ep-5F, -0x1.9ab604p-6F, -0x1.a3b87cp-8F, -0x1.06d96ep-10F, -0x1.03112ap-13F, -0x1.66a568p-19F}},
      {{-0x1.acbc52p-9F, -0x1.771d78p-8F, -0x1.fdaa7ep-8F, -0x1.145cd4p-8F, 0x1.0d19f6p-6F, 0x1.1136e4p-3F, 0x1.a34a26p-3F, 0x1.6a70c4p-4F, -0x1.15fdfcp-2F, -0x1.4a838ep-3F, 0x1.88a8cap-7F, 0x1.07dddp-6F, 0x1.4d3546p-8F, 0x1.c7cffcp-11F, 0x1.d3d6a8p-14F, 0x1.4fc1e4p-19F}},
      {{-0x1.7f8bd2p-11F, -0x1.feaf6ep-11F, -0x1.7eb87cp-13F, 0x1.0c064ap-8F, 0x1.0c06aep-6F, 0x1.b20accp-5F, 0x1.574ee6p-5F, -0x1.3867e2p-3F, -0x1.3244ecp-4F, 0x1.a27018p-4F, 0x1.118748p-6F, -0x1.38031p-8F, -0x1.44c738p-9F, -0x1.0001cap-11F, -0x1.15e38ap-14F, -0x1.9ea1f8p-20F}},
      {{-0x1.7ec2bep-14F, -0x1.00241cp-19F, 0x1.304516p-11F, 0x1.396ae4p-9F, 0x1.9a27dap-8F, 0x1.177acep-8F, -0x1.4c2316p-6F, -0x1.aab798p-5F, 0x1.768b1ep-4F, -0x1.7e4082p-8F, -0x1.037506p-6F, -0x1.ef9904p-12F, 0x1.927edcp-11F, 0x1.9d1504p-13F, 0x1.e6deeep-16F, 0x1.7caecap-21F}},
      {{0x1.7e18c6p-21F, 0x1.a56aep-15F, 0x1.00b40ep-12F, 0x1.78cc78p-11F, 0x1.599deap-10F, -0x1.6b463p-8F, -0x1.0322ccp-6F, 0x1.acaa36p-6F, 0x1.3881ap-7F, -0x1.775d6ap-6F, 0x1.94dd98p-8F, 0x1.3376a2p-10F, -0x1.df3422p-14F, -0x1.f04aeap-15F, -0x1.4d6478p-17F, -0x1.1a5f42p-22F}},
      {{0x1.d09a4p-19F, 0x1.1fe52p-16F, 0x1.015c06p-14F, 0x1.21a6cp-13F, 0x1.04cec6p-14F, -0x1.929652p-9F, -0x1.b987a6p-9F, 0x1.204a1ep-6F, -0x1.866ce8p-6F, 0x1.499e78p-7F, -0x1.1c2b5cp-11F, -0x1.3d7136p-11F, -0x1.af0e6ap-16F, 0x1.adc9b2p-17F, 0x1.68dc9p-19F, 0x1.654b22p-24F}},
      {{0x1.0c0d82p-20F, 0x1.fdf87p-19F, 0x1.62bf34p-17F, 0x1.96abap-17F, -0x1.2373b4p-14F, -0x1.7160cp-11F, 0x1.1050ccp-10F, -0x1.0882bp-9F, -0x1.6a2ec2p-14F, 0x1.01823ep-10F, -0x1.79c216p-11F, 0x1.6d8b66p-13F, 0x1.7d2014p-16F, -0x1.a452f4p-20F, -0x1.16269ap-21F, -0x1.575baep-26F}},
      {{0x1.46acdcp-23F, 0x1.c8a8e6p-21F, 0x1.3cc27p-20F, -0x1.e4f4c8p-19F, -0x1.b54e3cp-15F, -0x1.9b341p-16F, 0x1.3bed4ep-10F, -0x1.06872ap-8F, 0x1.1c9e44p-8F, -0x1.a1cf7ap-10F, 0x1.75a7fep-12F, -0x1.8ecacep-16F, -0x1.938186p-18F, -0x1.a3764ep-26F, 0x1.9bfef6p-25F, 0x1.4cf68p-29F}}};
};

}  // namespace fastact::math::expansions
// clang-format on
