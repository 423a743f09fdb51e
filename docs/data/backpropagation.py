"""Compare the gradients of the page backpropagation with autograd's; write backpropagation.json.

Run with `python -m docs.data.backpropagation` (needs PyTorch; a second). The gradients are those
that the page's own snippets compute. tests/test_backpropagation.py does the same on every run.
"""

import contextlib
import doctest
import io
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch

from docs.data import write

SNIPPETS = Path(__file__).parents[1] / "examples/backpropagation.pycon"
NAMES = ("X", "W_Q", "W_K", "W_V")


def computed_on_the_page(before: str = "zeros") -> dict[str, Any]:
    """The variables of the page's snippets, all sections run that come before the one named."""
    text = SNIPPETS.read_text(encoding="utf-8").split(f"\n[{before}]\n")[0]
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for example in doctest.DocTestParser().get_examples(text):
            exec(example.source, names)
    return names


def autograd(X, W_Q, W_K, W_V, T):
    """PyTorch's loss and its gradients, from the forward pass alone."""
    arrays = [torch.tensor(a, requires_grad=True) for a in (X, W_Q, W_K, W_V)]
    X, W_Q, W_K, W_V = arrays
    attention = torch.nn.functional.scaled_dot_product_attention
    output = attention(X @ W_Q, X @ W_K, X @ W_V)
    loss = ((output - torch.tensor(T)) ** 2).sum() / 2
    loss.backward()
    return loss.item(), [array.grad.numpy() for array in arrays]


def compare() -> dict[str, Any]:
    """For each gradient: its shape, largest entry, and largest differences from the others."""
    page = computed_on_the_page()
    loss, grads = autograd(*(page[name] for name in (*NAMES, "T")))
    rows = {}
    for at, (name, grad) in enumerate(zip(NAMES, grads, strict=True)):
        mine = page[f"grad_{name}"]
        rows[name] = {
            "shape": list(grad.shape),
            "largest": round(float(np.abs(grad).max()), 3),
            "page_minus_autograd": float(f"{np.abs(mine - grad).max():.1e}"),
            "page_minus_finite_differences": float(f"{page['error'](at, mine):.1e}"),
            "autograd": grad.round(6).tolist(),
        }
    return {"loss": round(loss, 6), "gradients": rows}


def main() -> None:
    about = {
        "command": "python -m docs.data.backpropagation",
        "ran_on": f"PyTorch {torch.__version__.split('+')[0]}, NumPy {np.__version__}, float64, "
        f"Python {platform.python_version()}, CPU",
    }
    write("backpropagation", {"about": about, **compare()})


if __name__ == "__main__":
    main()
