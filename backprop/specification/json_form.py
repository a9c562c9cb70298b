"""A specification as JSON: what `backprop generate FILE.json` reads, and what is saved beside the weights.

>>> from backprop.specification.layers import Dense, Dropout
>>> text = write_specification(Network(4, Dense(3, "relu"), Dropout(0.5), Dense(2), l2=0.01))
>>> print(text)
{
  "format": "backprop network 1",
  "inputs": 4,
  "layers": [
    {"kind": "Dense", "units": 3, "activation": "relu"},
    {"kind": "Dropout", "rate": 0.5},
    {"kind": "Dense", "units": 2}
  ],
  "cost": "half-sse",
  "l2": 0.01
}
>>> read_specification(text)
Network(4, Dense(3, 'relu'), Dropout(0.5), Dense(2), cost='half-sse', l2=0.01)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from backprop.errors import UsageError, unknown_name
from backprop.specification.layers import KINDS, Layer, Residual
from backprop.specification.network import Network

__all__ = ["FORMAT", "read_specification", "read_specification_file", "write_specification"]

FORMAT = "backprop network 1"
OPTIONS = ("cost", "l2", "l1", "weighted")
LARGEST_FILE = 10_000_000
DEEPEST = 50


def write_specification(network: Network) -> str:
    """A JSON object, one layer a line; what is at its default is left out."""
    layers = ",\n".join(f"    {json.dumps(describe_layer(layer), ensure_ascii=False)}" for layer in network.layers)
    options = {name: getattr(network, name) for name in OPTIONS if name == "cost" or getattr(network, name)}
    lines = [f'  "format": {json.dumps(FORMAT)}', f'  "inputs": {network.inputs}', f'  "layers": [\n{layers}\n  ]']
    lines += [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in options.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def describe_layer(layer: Layer) -> dict[str, Any]:
    """A layer as plain JSON types."""
    if isinstance(layer, Residual):
        return {"kind": "Residual", "layers": [describe_layer(inner) for inner in layer.layers]}
    return {"kind": type(layer).__name__, **layer.arguments()}


def read_specification(text: str, where: str = "the specification") -> Network:
    """The network that a JSON text states.  Errors: UsageError with what is wrong and where.

    >>> read_specification('{"inputs": 3, "layers": [{"kind": "Dens", "units": 3}]}')
    Traceback (most recent call last):
    backprop.errors.UsageError: the specification: unknown layer 'Dens' (did you mean 'Dense'?); choose from: Dense, \
Gated, Activation, PReLU, BatchNorm, LayerNorm, Dropout, Residual
    """
    try:
        stated = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is not JSON: {error}") from None
    if not isinstance(stated, Mapping):
        raise UsageError(f"{where} must be a JSON object with inputs and layers, got a {type(stated).__name__}")
    try:
        inner = stated.get("network")  # as `backprop.save` writes it, beside what belongs to it
        return build_network(inner if isinstance(inner, Mapping) else stated)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def build_network(stated: Mapping[str, Any]) -> Network:
    """A network from a JSON object."""
    if stated.get("format", FORMAT) != FORMAT:
        raise UsageError(f"the format must be {FORMAT!r}, got {stated['format']!r:.60}; write it with this version")
    unknown = [name for name in stated if name not in ("format", "inputs", "layers", *OPTIONS)]
    if unknown:
        raise unknown_name("entry", unknown[0], ("format", "inputs", "layers", *OPTIONS))
    missing = [name for name in ("inputs", "layers") if name not in stated]
    if missing:
        raise UsageError(f"the entry {missing[0]!r} is missing; give inputs (a number) and layers (a list)")
    layers = read_layers(stated["layers"])
    return Network(stated["inputs"], *layers, **{name: stated[name] for name in OPTIONS if name in stated})


def read_layers(stated: Any, depth: int = 0) -> list[Layer]:
    """A list of layers."""
    if not isinstance(stated, list) or depth > DEEPEST:
        raise UsageError(f"layers must be a list of objects, nested at most {DEEPEST} deep, got {stated!r:.60}")
    return [read_layer(entry, depth) for entry in stated]


def read_layer(stated: Any, depth: int) -> Layer:
    """One layer: its kind, and its numbers by name."""
    if not isinstance(stated, Mapping) or not isinstance(stated.get("kind"), str):
        raise UsageError(f'a layer must be an object with a kind, got {stated!r:.60}; write {{"kind": "Dense", …}}')
    kind = stated["kind"]
    if kind not in KINDS:
        raise unknown_name("layer", kind, KINDS)
    names = [field.name for field in fields(KINDS[kind])]  # type: ignore[arg-type]
    given = {name: value for name, value in stated.items() if name != "kind"}
    for name in given:
        if name not in names:
            raise unknown_name(f"entry of {kind}", name, names)
    if kind == "Residual":
        return Residual(*read_layers(given.get("layers"), depth + 1))
    try:
        return KINDS[kind](**given)
    except TypeError:
        raise UsageError(f"{kind} needs {' and '.join(names[:1])}, got {given!r:.80}") from None


def read_specification_file(path: str | Path) -> Network:
    """The network that a file states; UsageError if it is missing, too large, or no text."""
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise UsageError(f"{str(path)!r} is larger than a specification can be; give a JSON file of layers")
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{str(path)!r} is not a text file; give a JSON file of layers") from None
    return read_specification(text, repr(str(path)))
