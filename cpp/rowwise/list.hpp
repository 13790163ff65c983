#pragma once

#include <fastact/list.hpp>

#include "rowwise/gated.hpp"
#include "rowwise/learnable.hpp"
#include "rowwise/maxout.hpp"
#include "rowwise/softmax.hpp"
