"""The optimiser of the models that are trained here."""

from collections.abc import Mapping

import numpy as np

from qkv_docs._checks import FloatArray, number


class Adam:
    """Adam of Kingma and Ba: each entry moves by its own recent mean gradient over its spread.

    `step` changes the arrays in place. Rates of forgetting 0.9 and 0.999, no weight decay.

    Examples:
        >>> w = np.array([1.0, -2.0])
        >>> optimiser = Adam({"w": w}, lr=0.1)
        >>> optimiser.step({"w": np.array([3.0, 0.01])})
        >>> w.round(3)  # the first step is as long as lr, however small the gradient
        array([ 0.9, -2.1])
    """

    def __init__(self, parameters: Mapping[str, FloatArray], lr: float) -> None:
        self.parameters, self.lr, self.steps = parameters, number("lr", lr, least=0), 0
        self.mean = {name: np.zeros_like(w) for name, w in parameters.items()}
        self.square = {name: np.zeros_like(w) for name, w in parameters.items()}

    def step(self, gradients: Mapping[str, FloatArray]) -> None:
        """Move every parameter against its gradient."""
        self.steps += 1
        for name, grad in gradients.items():
            mean, square = self.mean[name], self.square[name]
            mean += 0.1 * (grad - mean)
            square += 0.001 * (grad * grad - square)
            unbiased = mean / (1 - 0.9**self.steps)
            spread = np.sqrt(square / (1 - 0.999**self.steps))
            self.parameters[name][...] -= self.lr * (unbiased / (spread + 1e-8))
