// Every activation of the list.
#pragma once

#include <fastact/list.hpp>

#include "functions/activations/activation.hpp"
#include "functions/activations/algebraic.hpp"
#include "functions/activations/binary_step.hpp"
#include "functions/activations/cross_entropy.hpp"
#include "functions/activations/elu.hpp"
#include "functions/activations/exponential.hpp"
#include "functions/activations/gelu.hpp"
#include "functions/activations/hard.hpp"
#include "functions/activations/identity.hpp"
#include "functions/activations/mish.hpp"
#include "functions/activations/relu.hpp"
#include "functions/activations/sigmoid.hpp"
#include "functions/activations/silu.hpp"
#include "functions/activations/softplus.hpp"
