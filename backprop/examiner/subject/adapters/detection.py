"""Which kind of code a file, an object or a class is: the protocol itself, or one of the adapters."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Any

from backprop.errors import UsageError
from backprop.examiner.subject.adapters.jax_functions import subject_from_jax
from backprop.examiner.subject.adapters.networks import is_network, subject_from_network
from backprop.examiner.subject.adapters.scikit import subject_from_sklearn
from backprop.examiner.subject.adapters.torch_modules import subject_from_torch
from backprop.examiner.subject.protocol.subjects import Subject, Unusable, has_protocol

__all__ = ["recognise"]

INPUTS, TARGETS = ("X", "x", "inputs"), ("Y", "y", "t", "T", "targets")
LOSSES = ("loss", "loss_fn", "criterion", "loss_function", "cost")
WIDTHS = (3, 4, 4, 2)
"""For a network class that wants its widths: equal neighbours, so that a transpose shows in the values."""


def recognise(thing: Any, label: str, file: str | None = None) -> Subject:
    """Make a subject of a module, an object, a class or a mapping.

    In this order: the protocol (or fun, grad, theta0; or a bare step); something named `subject`; an object or a
    class in it that has the protocol; a network object or class with schedulers; a torch module with a loss; a
    scikit-learn MLP; a JAX function `cost` with `params`. The last three, and the network where it has them, take the
    X and Y that stand beside them. Raises `Unusable` if it is none of these.
    """
    try:
        return _recognise(thing, label, file)
    except Unusable:
        raise
    except UsageError as error:
        raise Unusable(f"{label}: {error}") from error


def _recognise(thing: Any, label: str, file: str | None) -> Subject:
    if isinstance(thing, Subject):
        return thing
    thing = _construct(thing, label)
    if is_network(thing):
        return _name(subject_from_network(thing), label, file)
    found = None if has_protocol(thing) else _look_inside(thing, label, file)
    return found or Subject(thing, label, file)


def _look_inside(module: Any, label: str, file: str | None) -> Subject | None:
    names = dict(module) if isinstance(module, Mapping) else dict(getattr(module, "__dict__", {}))
    if "subject" in names:
        inner = names["subject"]
        if inspect.isfunction(inner) and not inspect.signature(inner).parameters:
            inner = inner()
        if not inspect.isfunction(inner):
            return _name(_recognise(inner, label, file), label, file)
    own = [value for name, value in names.items() if _is_own(name, value, names)]
    # Objects before classes: what the author made says more than what we would make.
    for one in sorted(own, key=inspect.isclass):
        if has_protocol(one):
            return _name(_recognise(one, label, file), label, file)
        if is_network(one):
            given = _pick(names, INPUTS), _pick(names, TARGETS)
            return _name(subject_from_network(_construct(one, label), *given), label, file)
    return _find_peer(names, own, label, file)


def _find_peer(names: dict[str, Any], own: list[Any], label: str, file: str | None) -> Subject | None:
    X, Y = _pick(names, INPUTS), _pick(names, TARGETS)
    if X is None or Y is None:
        return None
    loss = next((names[name] for name in LOSSES if callable(names.get(name))), None)
    for one in own:
        if _is_a(one, "torch.nn", "Module") and one is not loss and loss is not None:
            return _name(subject_from_torch(one, loss, X, Y), label, file)
        if _is_a(one, "sklearn.neural_network", "MLPClassifier", "MLPRegressor"):
            return _name(subject_from_sklearn(one, X, Y), label, file)
    if "jax" in sys.modules and callable(names.get("cost")) and "params" in names:
        return _name(subject_from_jax(names["cost"], names["params"], X, Y), label, file)
    return None


def _is_own(name: str, value: Any, names: dict[str, Any]) -> bool:
    """Not private, not a module, and of a class that it brought itself where it is a class."""
    if name.startswith("_") or inspect.ismodule(value) or inspect.isroutine(value):
        return False
    return not inspect.isclass(value) or value.__module__ == names.get("__name__", value.__module__)


def _is_a(value: Any, package: str, *classes: str) -> bool:
    """An instance of a class of a package that is loaded already."""
    loaded = sys.modules.get(package)
    kinds = tuple(getattr(loaded, name) for name in classes) if loaded else ()
    return bool(kinds) and isinstance(value, kinds)


def _pick(names: dict[str, Any], wanted: tuple[str, ...]) -> Any:
    return next((names[n] for n in wanted if names.get(n) is not None and not callable(names[n])), None)


def _construct(thing: Any, label: str) -> Any:
    """An object of a class; a network class that wants one argument gets the widths of its layers."""
    if not inspect.isclass(thing):
        return thing
    make: Any = thing
    needed = [
        p
        for p in inspect.signature(thing).parameters.values()
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    try:
        return make(WIDTHS) if len(needed) == 1 and is_network(thing) else make()
    except Exception as error:
        wanted = ", ".join(p.name for p in needed) or "nothing"
        raise Unusable(
            f"{label}: {thing.__name__} could not be made ({type(error).__name__}: {error}; it wants {wanted}); "
            "put an object of it into the file, under the name subject"
        ) from error


def _name(subject: Subject, label: str, file: str | None) -> Subject:
    subject.label, subject.file = label, file
    return subject
