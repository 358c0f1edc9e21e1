"""Seeded chance for compiled code: splitmix64 (Steele, Lea, Flood, OOPSLA 2014), one stream for each purpose."""

import math

import numpy as np
from numpy.typing import NDArray

from mockbot.simulate.fast.machine import small

POLICY, THINK, TOKENS, FAULTS, KEYS, LEAVE = range(6)
STREAMS = 6

# The constants of splitmix64: 2^64 over the golden ratio, two odd multipliers, three shifts; 53 bits make a float.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ONE, _TWO = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_UNIT = 1.0 / (1 << 53)

Rng = NDArray[np.uint64]


@small
def _mixed(z: np.uint64) -> float:
    z = (z ^ (z >> _S30)) * _ONE
    z = (z ^ (z >> _S27)) * _TWO
    return float((z ^ (z >> _S31)) >> _S11) * _UNIT


@small
def uniform(rng: Rng, stream: int) -> float:
    """In [0, 1)."""
    rng[stream] += _GOLDEN
    return _mixed(rng[stream])


@small
def exponential(rng: Rng, stream: int, mean: float) -> float:
    """With this mean."""
    return -math.log(1.0 - uniform(rng, stream)) * mean


@small
def normal(rng: Rng, stream: int) -> float:
    """Standard (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(rng, stream)))
    return radius * math.cos(2.0 * math.pi * uniform(rng, stream))


@small
def fixed(seed: np.uint64, number: int) -> float:
    """In [0, 1), always the same for this number."""
    return _mixed((seed ^ np.uint64(number)) * _GOLDEN + _GOLDEN)
