"""The error function for a whole array: NumPy has none, and Python's takes one number at a time."""

from typing import Any

import numpy as np

from qkv_docs._checks import FloatArray

# W. J. Cody's rational approximations (Math. Comp. 23, 1969), one for each range of |x|; highest
# powers first. That they are right is for a test to say, which compares them with math.erf.
NEAR = (  # erf(x) / x in x², up to 0.46875
    (0.185777706184603153, 3.16112374387056560, 113.864154151050156, 377.485237685302021,
     3209.37758913846947),
    (1.0, 23.6012909523441209, 244.024637934444173, 1282.61652607737228, 2844.23683343917062),
)  # fmt: skip
MIDDLE = (  # (1 - erf(x)) exp(x²) in x, from there to 4
    (2.15311535474403846e-8, 0.564188496988670089, 8.88314979438837594, 66.1191906371416295,
     298.635138197400131, 881.952221241769090, 1712.04761263407058, 2051.07837782607147,
     1230.33935479799725),
    (1.0, 15.7449261107098347, 117.693950891312499, 537.181101862009858, 1621.38957456669019,
     3290.79923573345963, 4362.61909014324716, 3439.36767414372164, 1230.33935480374942),
)  # fmt: skip
FAR = (  # what 1 - x exp(x²) (1 - erf(x)) √π lacks, over 1 / x², in 1 / x²
    (0.0163153871373020978, 0.305326634961232344, 0.360344899949804439, 0.125781726111229246,
     0.0160837851487422766, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242, 1.87295284992346725, 0.527905102951428412, 0.0605183413124413191,
     2.33520497626869185e-3),
)  # fmt: skip
ALL = 6.0  # from here on it is 1 to the last bit


def erf(x: FloatArray) -> FloatArray:
    """`erf(x)`, `(...)`, in float64: at most 1e-15 from the true one. nan stays nan."""
    x = np.asarray(x, np.float64)
    size = np.abs(x)
    with np.errstate(invalid="ignore"):
        kept = np.minimum(size, ALL)
    result = np.empty_like(kept)
    near, far = kept <= 0.46875, kept > 4
    middle = ~(near | far)  # nan, too
    some = kept[near]
    result[near] = some * ratio(NEAR, some * some)
    some = kept[middle]
    result[middle] = 1 - np.exp(-some * some) * ratio(MIDDLE, some)
    some = kept[far]
    inverse = 1 / (some * some)
    left = (1 / np.sqrt(np.pi) - inverse * ratio(FAR, inverse)) / some
    result[far] = 1 - np.exp(-some * some) * left
    return np.copysign(result, x)


def ratio(polynomials: Any, x: FloatArray) -> FloatArray:
    """One polynomial over another, Horner's way."""
    values = []
    for first, *others in polynomials:
        value = np.full_like(x, first)
        for coefficient in others:
            value = value * x + coefficient
        values.append(value)
    above, below = values
    quotient: FloatArray = above / below
    return quotient
