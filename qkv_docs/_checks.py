"""What may come in and what comes out: one rule, which every public function follows.

- Real numbers come as Python numbers, lists within lists, or arrays. float16, float32, float64 and
  longdouble are kept, of several the widest; integers of any size count as float64. float16 is
  computed in float32 and rounded once, at the end. Where nothing is computed (`embed`,
  `split_heads`, `merge_heads`) the dtype stays as it is.
- A TypeError refuses what is not such a number: bool, complex, text, objects, bfloat16 (NumPy has
  none), and masked arrays, whose mask would be lost. Only masks are bool, and a mask is only bool.
- Sizes, ids and lengths are integers and never negative; a setting, such as a scale, is one finite
  number. A value or shape that does not fit is a ValueError, an unknown id an IndexError. The
  sentence says what was asked and what came.
- What overflows is inf and what is undefined nan, as NumPy has it and with its warning. What is
  masked counts for nothing, whatever it holds.
- What comes in is never changed, but for a model that is trained.
"""

import operator
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

FloatArray: TypeAlias = NDArray[np.floating[Any]]
BoolArray: TypeAlias = NDArray[np.bool_]
T = TypeVar("T")
FloatDType: TypeAlias = np.dtype[np.floating[Any]]

NUMBERS = "must hold real numbers (float16, float32, float64, longdouble or integers)"
MOST = 2**31 - 1  # no axis is longer


def array(name: str, value: Any, must: str = "must be an array") -> NDArray[Any]:
    """The value as an array, not copied where it is one; `must` begins the complaint."""
    if _masked(value):
        raise TypeError(f"{name} is a masked array, whose mask would be lost: fill it before")
    try:
        return np.asarray(value)
    except ValueError:  # NumPy's sentence about ragged lists names neither the argument nor a way
        raise ValueError(f"{name} {must}, got lists of different lengths") from None
    except (TypeError, RuntimeError) as error:  # a tensor of another library says why
        dtype = getattr(value, "dtype", type(value).__name__)
        raise TypeError(f"{name} {must}, got {dtype}: {error}") from None


def _masked(value: Any) -> bool:
    """Whether a mask would be lost, also that of a masked array within lists."""
    if isinstance(value, (list, tuple)):
        return any(map(_masked, value))
    return isinstance(value, np.ma.MaskedArray)


def numbers(name: str, value: ArrayLike, kinds: str = "fiu") -> NDArray[Any]:
    """The value as an array of real numbers, in the dtype in which it came."""
    result = array(name, value, NUMBERS)
    if result.dtype.kind not in kinds:
        raise TypeError(f"{name} {NUMBERS}, got {_described(result)}")
    return result


def _described(values: NDArray[Any]) -> str:
    """The dtype; of objects also what the first one is."""
    if values.dtype == object and values.size:
        return f"object, such as {type(values.flat[0]).__name__}"
    return str(values.dtype)


def result_dtype(*arrays: NDArray[Any]) -> FloatDType:
    """The dtype of the result: the widest, integers counted as float64."""
    float64 = np.dtype(np.float64)
    dtype: Any = np.result_type(*(float64 if a.dtype.kind in "iu" else a.dtype for a in arrays))
    return dtype  # type: ignore[no-any-return]


def real_arrays(**named: ArrayLike) -> tuple[list[FloatArray], FloatDType]:
    """The arrays ready to compute with, and the dtype of the result."""
    arrays = [numbers(name, value) for name, value in named.items()]
    dtype = result_dtype(*arrays)
    working = np.result_type(dtype, np.float32)  # float16 -> float32, the others stay
    return [a.astype(working, copy=False) for a in arrays], dtype


def float_dtype(dtype: DTypeLike) -> FloatDType:
    """The dtype that was asked for, which must be a floating one; None, NumPy's float64, is not."""
    try:
        known: Any = np.dtype(object if dtype is None else dtype)
    except TypeError:
        known = np.dtype(object)
    if known.kind != "f":
        raise TypeError(f"dtype must be float16, float32, float64 or longdouble, got {dtype!r}")
    result: FloatDType = known
    return result


def trainable(**parameters: Any) -> None:
    """Arrays that can learn in place: float16 would lose the small steps and end as nan."""
    for name, value in parameters.items():
        dtype = array(name, value).dtype
        if not isinstance(value, np.ndarray) or dtype.kind != "f" or dtype == np.float16:
            came = dtype if isinstance(value, np.ndarray) else type(value).__name__
            raise TypeError(f"{name} must be an array in float32 or wider to learn, got {came}")


def number(name: str, value: Any, *, least: float = -np.inf) -> float:
    """The value as one finite number, at least `least`."""
    result = array(name, value, "must be a number")
    if result.ndim or result.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not np.isfinite(result):
        raise ValueError(f"{name} must be finite, got {value}")
    if result < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return float(result)


def integer(name: str, value: Any, least: int | None = None, most: int | None = MOST) -> int:
    """The value as an int, `least` to `most`."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        result = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if least is not None and result < least:
        raise ValueError(f"{name} must be at least {least}, got {result}")
    if most is not None and result > most:
        raise ValueError(f"{name} must be at most {most}, got {result}")
    return result


def integers(name: str, values: ArrayLike) -> NDArray[np.integer[Any]]:
    """An array of integers of any shape; an empty list counts as one."""
    result = array(name, values, "must be integers")
    if result.size == 0 and result.dtype.kind == "f":
        result = result.astype(np.int64)
    if result.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got {_described(result)}")
    return result


def known_ids(ids: ArrayLike, size: int, name: str = "ids") -> NDArray[np.int64]:
    """The ids as an array, each of them in `0 .. size - 1`: none is counted from the end."""
    ids = integers(name, ids)
    unknown = ids[(ids < 0) | (ids >= size)]
    if unknown.size:
        known = f"{name} run from 0 to {size - 1}" if size else "it has no ids"
        raise IndexError(f"id {unknown[0]} is outside a table of size {size} ({known})")
    return ids.astype(np.int64, copy=False)


def known_lengths(lengths: ArrayLike, n: int) -> NDArray[np.integer[Any]]:
    """The lengths as an array, each of them in `0 .. n`."""
    lengths = integers("lengths", lengths)
    wrong = lengths[(lengths < 0) | (lengths > n)]
    if wrong.size:
        raise ValueError(f"lengths must be in 0 .. {n}, got {wrong[0]}")
    return lengths


def instance(name: str, value: Any, kind: type[T]) -> T:
    """The value, which must be of that type."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be of type {kind.__name__}, got {type(value).__name__}")
    return value
