// Every function of rows of the list.
#pragma once

#include <fastact/list.hpp>

#include "functions/rows/cross_entropy.hpp"
#include "functions/rows/gated.hpp"
#include "functions/rows/learnable.hpp"
#include "functions/rows/maxout.hpp"
#include "functions/rows/softmax.hpp"
#include "functions/rows/sparsemax.hpp"
