"""A torch module that is a chain of dense-like layers, as a network of ours with its weights."""

from __future__ import annotations

import inspect
from typing import Any

from backprop.errors import UsageError
from backprop.frameworks.assembly import Assembly, find_function, misfit
from backprop.runtime.saving import Saved
from backprop.specification.layers import BatchNorm, Dropout, LayerNorm, PReLU

__all__ = ["from_torch"]

MEASURING = ("size", "getitem", "getattr")
SHAPING = ("view", "reshape", "flatten", *MEASURING)
"""What only brings the rows of the input into shape, before the first layer."""


def from_torch(module: Any, *, cost: str | None = None, output: str | None = None) -> Saved:
    """Bring a `torch.nn.Module` along: `.net` (specification, generated functions), `.theta`, `.state`.

    Fits: a chain, however it is written (`Sequential`, or a `forward` of one's own that torch.fx can trace), of Linear,
    BatchNorm1d, LayerNorm, PReLU with one slope a unit, Dropout, and activations as modules or functions.

    Parameters: `output` is the function that torch's loss applies itself, "softmax" for CrossEntropyLoss, "sigmoid" for
    BCEWithLogitsLoss; `cost` by default the usual one for the output (cross-entropy, binary-cross-entropy, mse).
    theta has the module's number type; the module is not changed.

    Errors: UsageError naming the first layer that does not fit.

    >>> import numpy as np, torch
    >>> module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).double()
    >>> ours = from_torch(module, output="softmax")
    >>> print(ours.net.network)
    3-4-2, hidden tanh, output softmax, cost cross-entropy
    >>> X = np.ones((1, 3))
    >>> theirs = torch.softmax(module(torch.from_numpy(X)), dim=1).detach().numpy()
    >>> bool(np.allclose(ours.forward(X), theirs, rtol=1e-14))
    True
    """
    import torch

    if not isinstance(module, torch.nn.Module):
        raise UsageError(f"a torch.nn.Module is needed, got a {type(module).__name__}")
    what = f"the torch module {type(module).__name__}"
    strange = {str(p.dtype) for p in module.parameters() if p.dtype not in (torch.float32, torch.float64) or p.is_meta}
    if strange:
        raise UsageError(f"{what} has numbers of type {min(strange)}; write module.float() or module.double()")
    try:
        traced = torch.fx.symbolic_trace(module)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{what} cannot be read as a chain of layers: {reason:.120}") from None
    return read_chain(traced, what).finish(what, cost, output)


def read_chain(traced: Any, what: str) -> Assembly:
    """Every step of a traced module, each of which must take what the one before it gave."""
    found, parts = Assembly(), dict(traced.named_modules())
    used: set[int] = set()
    last, number = None, 0
    for node in traced.graph.nodes:
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
        if node.op in ("placeholder", "output"):
            last = last or node
        elif node.op != "call_module" and name in SHAPING and not found.layers:
            last = node if name not in MEASURING else last
        else:
            number += 1
            kind = type(parts[name]).__name__ if node.op == "call_module" else "the function"
            where = f"layer {number} of {what}, {kind} {name!r},"
            if [argument for argument in node.all_input_nodes if argument is not last]:
                raise misfit(where, "it does not take what the layer before it gives; only chains can be read")
            if node.op == "call_module":
                read_module(found, where, parts[name], used)
            else:
                found.act(where, find_function(where, name, bind(node)))
            last = node
    return found


def bind(node: Any) -> dict[str, Any]:
    """The settings that a function was called with, by name."""
    if callable(node.target):
        try:
            return dict(inspect.signature(node.target).bind(*node.args, **node.kwargs).arguments)
        except (ValueError, TypeError):
            pass  # one of torch's own in C: what it takes beside its input is given by name
    return dict(node.kwargs) | (dict.fromkeys(("dim", "beta"), node.args[1]) if len(node.args) > 1 else {})


def numbers(tensor: Any) -> Any:
    """A tensor as an array."""
    return tensor.detach().cpu().numpy().copy()


def read_module(found: Assembly, where: str, part: Any, used: set[int]) -> None:
    """One of torch's own layers, whose parameters are its own."""
    own = {id(parameter) for parameter in part.parameters()}
    if own & used:
        raise misfit(where, "its weights are used twice, and the gradient would be a sum")
    used |= own
    match type(part).__name__:
        case "Linear":
            if part.bias is None:
                raise misfit(where, "it has no bias, and a dense layer here always has one")
            found.dense(where, numbers(part.weight).T, numbers(part.bias))
        case "BatchNorm1d" | "LayerNorm":
            read_norm(found, where, part)
        case "PReLU":
            slopes, units = numbers(part.weight), width(found)
            if units not in (len(slopes), 0):
                raise misfit(where, f"{len(slopes)} slope for {units} units; write PReLU({units})")
            found.put(where, PReLU(), len(slopes), (slopes,))
        case "Dropout":
            if not 0 <= part.p < 1:
                raise misfit(where, f"the rate must be below 1, got {part.p}")
            found.put(where, Dropout(float(part.p)))
        case name if next(part.parameters(), None) is not None:
            raise misfit(where, f"there is no layer {name} here; dense layers, normalisations and activations fit")
        case name if name != "Flatten" or found.layers:
            found.act(where, find_function(where, name, vars(part)))


def read_norm(found: Assembly, where: str, part: Any) -> None:
    """A normalisation with scale and shift."""
    if part.weight is None or part.bias is None:
        raise misfit(where, "scale and shift are needed")
    arrays = numbers(part.weight), numbers(part.bias)
    if arrays[0].ndim != 1:
        raise misfit(where, "it must go over the units of a row")
    if type(part).__name__ == "LayerNorm":
        found.put(where, LayerNorm(float(part.eps)), arrays[0].size, arrays)
        return
    if not part.track_running_stats or part.momentum is None:
        raise misfit(where, "running statistics and a momentum are needed")
    seen = numbers(part.running_mean), numbers(part.running_var)
    found.put(where, BatchNorm(float(part.momentum), float(part.eps)), arrays[0].size, arrays, seen)


def width(found: Assembly) -> int:
    """How many units the last layer with weights has; 0 before the first."""
    return next((units for layer in reversed(found.layers) if (units := getattr(layer, "units", 0))), 0)
