"""States: the arrays of one attention module by the names under which a library saves them."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from qkv_docs._checks import integer, numbers

State: TypeAlias = Mapping[str, Any]
Arrays: TypeAlias = dict[str, NDArray[Any]]
Arguments: TypeAlias = dict[str, Any]


def read(
    state: State, needed: Iterable[str], also: Iterable[str] = (), skipped: str = ""
) -> Arrays:
    """The arrays of the state: all that are needed, and those of the others that are there.

    A name that is neither, nor begins with one of the skipped ones, is a ValueError: what it holds
    would be lost.
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"state must be a mapping of names to arrays, got {type(state).__name__}")
    needed, also = tuple(needed), tuple(also)
    missing = [name for name in needed if name not in state]
    if missing:
        raise ValueError(
            f"the state needs {', '.join(missing)}, got {', '.join(state) or 'nothing'}"
        )
    known = {*needed, *also}
    left = [
        name for name in state if name not in known and not name.startswith(tuple(skipped.split()))
    ]
    if left:
        raise ValueError(f"the state has {', '.join(left)}, which has no place here")
    return {name: plain(name, state[name]) for name in (*needed, *also) if name in state}


def plain(name: str, value: Any) -> NDArray[Any]:
    """An array of real numbers, also of another library's tensor, parameters included."""
    return numbers(name, value.detach() if hasattr(value, "detach") else value)


def equal_parts(name: str, values: NDArray[Any], n: int, axis: int) -> list[NDArray[Any]]:
    """Two or three arrays that were stored as one, along that axis."""
    if values.ndim <= axis or values.shape[axis] % n:
        many = {2: "two", 3: "three"}[n]
        raise ValueError(f"{name} holds {many} of equal size along axis {axis}, got {values.shape}")
    return np.split(values, n, axis=axis)


def transposed(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """`nn.Linear` keeps (d_out, d_in) and computes `x W^T`: its W, turned."""
    if values.ndim != 2:
        raise ValueError(f"{name} needs two dimensions, got {values.shape}")
    return values.T


def linear(arrays: Arrays, prefixes: Mapping[str, str]) -> Arguments:
    """w_q, b_q, … of layers like `nn.Linear`, `{"q": "q_proj", …}`; biases where they are."""
    found: Arguments = {}
    for letter, prefix in prefixes.items():
        found[f"w_{letter}"] = transposed(f"{prefix}.weight", arrays[f"{prefix}.weight"])
        if f"{prefix}.bias" in arrays:
            found[f"b_{letter}"] = arrays[f"{prefix}.bias"]
    return found


def parameters(
    arguments: Mapping[str, Any], library: str, needed: str, also: str = "", kept: str = ""
) -> Arrays:
    """The arrays among arguments of `multi_head_attention`; the others are settings.

    One that the library's module has no place for is a ValueError; those `kept` elsewhere, in its
    configuration or by its caller, are left out.
    """
    if not isinstance(arguments, Mapping):
        raise TypeError(f"arguments must be a mapping, got {type(arguments).__name__}")
    given = {name: value for name, value in arguments.items() if value is not None}
    missing = [name for name in needed.split() if name not in given]
    if missing:
        raise ValueError(f"the arguments need {', '.join(missing)}, got {', '.join(given)}")
    integer("n_heads", given.get("n_heads"), least=1)
    known = {*needed.split(), *also.split()}
    left = [name for name in given if name not in known and name not in kept.split()]
    if left:
        raise ValueError(f"{library} has no place for {', '.join(left)}")
    arrays = ("w_", "b_", "g_", "sinks")
    return {
        name: plain(name, value)
        for name, value in given.items()
        if name in known and name.startswith(arrays)
    }
