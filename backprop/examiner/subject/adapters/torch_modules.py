"""A torch module with a loss: its own autograd functions and all, against differences of the loss."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from backprop.errors import UsageError
from backprop.examiner.subject.adapters.batches import give_rows
from backprop.examiner.subject.adapters.torch_losses import is_own_operation, mend_slopes
from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["subject_from_torch"]

SEED = 20_011
"""Restarts torch's generator before each call, so that dropout draws the same mask."""


def subject_from_torch(
    module: Any, loss: Callable[[Any, Any], Any], X: Any, Y: Any, *, label: str | None = None, double: bool = True
) -> Subject:
    """Make a subject of a `torch.nn.Module` and `loss(module(X), Y)`, a tensor of one number.

    Parameters: X, Y are arrays or tensors, one row a sample. Every parameter that asks for a gradient is one
    tensor of the report, under torch's own name ("0.weight"). The cost runs under `no_grad`, the gradients are
    those of `loss.backward()`, so that the `backward` of a hand-written `torch.autograd.Function` is examined.
    Both run on a copy of the module in double precision, where small faults show and rounding does not, and on one
    thread; with `double=False`, or where there is no such copy, in the module's own number type, judged by the measured
    noise. The module, its buffers, its gradients and torch's generator are left as they were.

    >>> import backprop, torch
    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, z):
    ...         ctx.save_for_backward(z)
    ...         return z * z
    ...     @staticmethod
    ...     def backward(ctx, delta):
    ...         return 3 * ctx.saved_tensors[0] * delta  # should be 2
    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.first, self.last = torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)
    ...     def forward(self, x):
    ...         return self.last(Square.apply(self.first(x)))
    >>> rng = np.random.default_rng(0)
    >>> subject = backprop.subject_from_torch(
    ...     Net().double(), torch.nn.functional.mse_loss, rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    ... )
    >>> finding = backprop.verify(subject).findings[0]
    >>> finding.equation, finding.layer, finding.parameters
    ('BP2', 1, ('first.weight', 'first.bias'))
    """
    adapter = (_make_precise(module, loss, X, Y) if double else None) or _TorchAdapter(module, loss, X, Y)
    subject = Subject(adapter, label or f"torch module {type(module).__name__}")
    adapter.look_at_loss(subject.notes)
    return subject


def _make_precise(module: Any, loss: Any, X: Any, Y: Any) -> _TorchAdapter | None:
    """The adapter of a copy in double precision, if it works there; None else."""
    try:
        loss = copy.deepcopy(loss).double() if hasattr(loss, "double") else loss
        adapter = _TorchAdapter(copy.deepcopy(module).double(), loss, X, Y)
        rng = np.random.default_rng(0)
        adapter.cost(adapter.parameters(rng), *adapter.data(rng))
    except UsageError:
        raise
    except Exception:  # whatever a module's own code raises for another number type
        return None
    return adapter


class _TorchAdapter:
    """The module with its loss, called on NumPy arrays."""

    def __init__(self, module: Any, loss: Callable[[Any, Any], Any], X: Any, Y: Any) -> None:
        import torch

        self.torch, self.module, self.loss = torch, module, loss
        self.mends = False
        """Whether the loss is torch's own and its gradient is not the derivative of its value."""
        self.named = {name: p for name, p in module.named_parameters() if p.requires_grad}
        if not self.named:
            raise UsageError(
                f"{type(module).__name__} has no parameter that asks for a gradient; give a module with parameters"
            )
        self.data = give_rows(self._to_array(X), self._to_array(Y))
        floating = (p.dtype for p in self.named.values() if p.dtype.is_floating_point)
        self.dtype = next(floating, torch.float64)

    def parameters(self, rng: np.random.Generator) -> dict[str, Any]:
        """The module's own parameters."""
        return {name: self._to_array(p).astype(float) for name, p in self.named.items()}

    def cost(self, params: Mapping[str, Any], X: Any, Y: Any) -> float:
        """The loss, without a graph."""
        with self._holding(params), self.torch.no_grad():
            return float(self.loss(self.module(self._to_tensor(X)), self._to_tensor(Y)).item())

    def forward(self, params: Mapping[str, Any], X: Any) -> Any:
        """The module's output."""
        with self._holding(params), self.torch.no_grad():
            return self._to_array(self.module(self._to_tensor(X)))

    def gradients(self, params: Mapping[str, Any], X: Any, Y: Any) -> dict[str, Any]:
        """What `backward` leaves in `.grad`; zeros where it leaves nothing, as optimisers take it."""
        with self._holding(params), self.torch.enable_grad():
            for p in self.named.values():
                p.grad = None
            self._go_back(self.module(self._to_tensor(X)), self._to_tensor(Y))
            return {
                name: np.zeros(tuple(p.shape)) if p.grad is None else self._to_array(p.grad)
                for name, p in self.named.items()
            }

    def look_at_loss(self, notes: list[str]) -> None:
        """Measure the slopes of torch's own loss at the module's own outputs, and say so where they are others."""
        rng = np.random.default_rng(0)
        with contextlib.suppress(Exception), self._holding(self.parameters(rng)):  # what fails is said by the judge
            X, Y = (self._to_tensor(one) for one in self.data(rng))
            outputs = self.module(X)
            if self.dtype == self.torch.float64 and is_own_operation(self.loss(outputs, Y), outputs):
                self._mend(outputs, Y, notes)
                self.mends = bool(notes)

    def _go_back(self, outputs: Any, target: Any) -> None:
        """`backward`; its first step by the derivative of the loss, where that was seen to be another."""
        if self.mends:
            outputs.backward(self._mend(outputs, target, []))
        else:
            self.loss(outputs, target).backward()

    def _mend(self, outputs: Any, target: Any, notes: list[str]) -> Any:
        (slopes,) = self.torch.autograd.grad(self.loss(outputs, target), outputs, retain_graph=True)
        with self.torch.no_grad():
            return mend_slopes(self.loss, outputs, target, slopes, notes, self.torch.__version__)

    @contextlib.contextmanager
    def _holding(self, params: Mapping[str, Any]) -> Iterator[None]:
        """Put values into the module; afterwards parameters, gradients, buffers and generator are as before."""
        torch = self.torch
        threads = torch.get_num_threads()
        # Small products: threads would wait for each other, and add up in another order each time.
        torch.set_num_threads(1)
        tensors = [*self.named.values(), *self.module.buffers()]
        kept = [t.detach().clone() for t in tensors]
        gradients = [p.grad for p in self.named.values()]
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(SEED)
                with torch.no_grad():
                    for name, p in self.named.items():
                        p.copy_(torch.from_numpy(_real(params[name])))
                yield
        finally:
            torch.set_num_threads(threads)
            with torch.no_grad():
                for tensor, before in zip(tensors, kept, strict=True):
                    tensor.copy_(before)
            for p, gradient in zip(self.named.values(), gradients, strict=True):
                p.grad = gradient

    def _to_array(self, value: Any) -> Any:
        return np.array(value.detach().cpu().numpy() if isinstance(value, self.torch.Tensor) else value)

    def _to_tensor(self, value: Any) -> Any:
        tensor = self.torch.from_numpy(np.array(value))
        return tensor.to(self.dtype) if tensor.dtype.is_floating_point else tensor


def _real(value: Any) -> Any:
    array = np.array(value)
    if array.dtype.kind not in "fiu":
        raise TypeError("a torch module takes real parameters only")
    return array
