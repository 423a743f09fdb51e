"""How fast each pair of columns turns in RoPE, and how models slow the turning for longer texts.

Each function makes the numbers that `rope` takes as `frequencies`: radians a position, one for each
pair. For partial rotation make fewer: d is the number of columns that are to turn.
"""

import math

import numpy as np
from numpy.typing import NDArray

from qkv_docs._checks import integer, number

Frequencies = NDArray[np.float64]


def rope_frequencies(d: int, base: float = 10000.0) -> Frequencies:
    """Return `base^(-2i/d)` for each pair i: from 1 radian a position down to nearly 1 / base.

    Args:
        d: the number of columns that turn, even, 0 or more.
        base: how much slower each pair turns than the one before; above 0.

    Returns:
        The frequencies, `(d / 2,)`, in float64.

    Raises:
        TypeError: d is not an integer, or base is not a number.
        ValueError: d is odd or negative, or base is not positive.

    Source:
        [@su2021, 3.2.2], eq. 15.

    Examples:
        >>> rope_frequencies(4)
        array([1.  , 0.01])
    """
    if integer("d", d, least=0) % 2:
        raise ValueError(f"d must be even, for columns come in pairs, got {d}")
    if number("base", base) <= 0:
        raise ValueError(f"base must be a positive number, got {base}")
    powers: Frequencies = float(base) ** (-np.arange(0, d, 2) / max(d, 1))
    return powers


def linear_frequencies(d: int, factor: float, base: float = 10000.0) -> Frequencies:
    """Return all frequencies divided by the factor: position interpolation.

    A text `factor` times as long spans the angles that training knew.

    Args:
        d: the number of columns that turn, even.
        factor: how many times longer the text may be, at least 1.
        base: as in `rope_frequencies`.

    Returns:
        The frequencies, `(d / 2,)`, in float64.

    Raises:
        TypeError: d is not an integer, or a setting is not a number.
        ValueError: d is odd or negative, base is not positive, or the factor is below 1.

    Source:
        [@peng2023, 2]

    Examples:
        >>> linear_frequencies(4, factor=8)
        array([0.125  , 0.00125])
    """
    return rope_frequencies(d, base) / number("factor", factor, least=1)


def ntk_frequencies(d: int, factor: float, base: float = 10000.0) -> Frequencies:
    """Return the frequencies of the base times `factor^(d/(d-2))`: NTK-aware scaling.

    The first pair turns as before, the last as with `linear_frequencies`.

    Args:
        d: the number of columns that turn, even; above 2 unless the factor is 1.
        factor: how many times longer the text may be, at least 1.
        base: as in `rope_frequencies`.

    Returns:
        The frequencies, `(d / 2,)`, in float64.

    Raises:
        TypeError: d is not an integer, or a setting is not a number.
        ValueError: d is odd or less than 4, base is not positive, or the factor is below 1.

    Source:
        [@peng2023, 3.1]; the same base in [@transformers, modeling_rope_utils.py], there for the
        length at hand.

    Examples:
        >>> ntk_frequencies(4, factor=8)
        array([1.     , 0.00125])
    """
    d, factor = integer("d", d, least=4), number("factor", factor, least=1)
    return rope_frequencies(d, number("base", base) * factor ** (d / (d - 2)))


def yarn_frequencies(
    d: int,
    factor: float,
    trained: int,
    base: float = 10000.0,
    *,
    fast: float = 32.0,
    slow: float = 1.0,
) -> Frequencies:
    """Return the frequencies of YaRN: fast pairs as they are, slow ones divided by the factor.

    A pair that turns more than `fast` times within the length of training stays, one that turns
    less than `slow` times is divided. Between them the share rises from pair to pair in a line,
    as in the code of libraries (`llama3_frequencies` has it rise with the turns). YaRN also
    sharpens the weights: multiply the scale of the scores by `(0.1 ln(factor) + 1)^2`.

    Args:
        d: the number of columns that turn, even.
        factor: how many times longer the text may be, at least 1.
        trained: the longest text of training, in tokens.
        base: as in `rope_frequencies`, above 1.
        fast: turns within the length of training above which a pair is left alone.
        slow: turns below which a pair is slowed by the whole factor, less than `fast`.

    Returns:
        The frequencies, `(d / 2,)`, in float64.

    Raises:
        TypeError: d or trained is not an integer, or a setting is not a number.
        ValueError: d is odd or negative, base is not above 1, the factor is below 1, trained is
            less than 1, or slow is not above 0 and below fast.

    Source:
        [@peng2023, 3]; the line over pairs, between boundaries rounded to whole pairs, as in
        [@transformers, modeling_rope_utils.py].

    Examples:
        >>> yarn_frequencies(8, factor=4, trained=2048) / rope_frequencies(8)
        array([1.   , 1.   , 0.625, 0.25 ])
    """
    plain, factor = rope_frequencies(d, base), number("factor", factor, least=1)
    trained = integer("trained", trained, least=1)
    if number("base", base) <= 1:
        raise ValueError(f"base must be above 1, got {base}")
    if not 0 < number("slow", slow) < number("fast", fast):
        raise ValueError(f"slow must be above 0 and below fast, got slow {slow} and fast {fast}")

    def pair(turns: float) -> float:  # the pair, counted in fractions, that turns so often
        return d * math.log(trained / (turns * 2 * math.pi)) / (2 * math.log(base))

    first, last = max(math.floor(pair(fast)), 0), min(math.ceil(pair(slow)), d - 1)
    share = np.clip((np.arange(d // 2) - first) / max(last - first, 0.001), 0, 1)
    return plain * (1 - share) + plain / factor * share


def llama3_frequencies(
    d: int,
    factor: float = 8.0,
    trained: int = 8192,
    base: float = 500000.0,
    *,
    fast: float = 4.0,
    slow: float = 1.0,
) -> Frequencies:
    """Return the frequencies of Llama 3.1: like YaRN's, blended by turns and with other bounds.

    A pair that turns more than `fast` times within the length of training stays, one that turns
    less than `slow` times is divided by the factor, and between them what counts is the number of
    turns. The scale of the scores stays as it is.

    Args:
        d: the number of columns that turn, even.
        factor: how many times longer the text may be, at least 1.
        trained: the longest text of training, in tokens.
        base: as in `rope_frequencies`.
        fast: turns within the length of training above which a pair is left alone.
        slow: turns below which a pair is slowed by the whole factor, less than `fast`.

    Returns:
        The frequencies, `(d / 2,)`, in float64.

    Raises:
        TypeError: d or trained is not an integer, or a setting is not a number.
        ValueError: d is odd or negative, base is not positive, the factor is below 1, trained is
            less than 1, or slow is not below fast.

    Source:
        [@llama-models], `apply_scaling`; the same in [@transformers, modeling_rope_utils.py].

    Examples:
        >>> (llama3_frequencies(8) / rope_frequencies(8, 500000)).round(3)
        array([1.   , 1.   , 0.371, 0.125])
    """
    plain, factor = rope_frequencies(d, base), number("factor", factor, least=1)
    trained = integer("trained", trained, least=1)
    if not number("slow", slow) < number("fast", fast):
        raise ValueError(f"slow must be below fast, got slow {slow} and fast {fast}")
    turns = trained * plain / (2 * math.pi)
    kept = np.clip((turns - slow) / (fast - slow), 0, 1)
    return plain * kept + plain / factor * (1 - kept)
