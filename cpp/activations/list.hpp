#pragma once

#include <fastact/list.hpp>

#include "activations/algebraic.hpp"
#include "activations/binary_step.hpp"
#include "activations/cost.hpp"
#include "activations/elu.hpp"
#include "activations/exponential.hpp"
#include "activations/gelu.hpp"
#include "activations/gradient.hpp"
#include "activations/hard.hpp"
#include "activations/identity.hpp"
#include "activations/mish.hpp"
#include "activations/relu.hpp"
#include "activations/sigmoid.hpp"
#include "activations/silu.hpp"
#include "activations/softplus.hpp"
