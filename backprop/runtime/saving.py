"""Save and load: the specification as JSON, the numbers as .npz or .safetensors, nothing pickled.

`save("model", net, theta)` writes model.npz, which is complete by itself, and model.json, the specification to read
and to edit copies of.  Each file appears whole or not at all; the JSON says which .npz belongs to it.
`save("model.safetensors", net, theta)` writes that one file, the specification in its head.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backprop.arrays import Array, as_floats, check_vector
from backprop.errors import UsageError
from backprop.files import write_atomically
from backprop.npz import open_npz, pack_npz, read_entry, read_text
from backprop.runtime.compiled import CompiledNetwork
from backprop.runtime.recurrent import CompiledRecurrent, compile_network
from backprop.specification.json_form import LARGEST_FILE
from backprop.specification.network import Network
from backprop.specification.recurrent_form import read_network, write_network
from backprop.tensors import TENSORS, pack_tensors, read_tensors

__all__ = ["Saved", "load", "save"]

SPECIFICATION = "specification"
LARGEST_NUMBER = 16  # bytes


@dataclass(frozen=True, eq=False)
class Saved:
    """What was saved: the network that runs, its parameters, its running statistics ({} without batch norm)."""

    net: CompiledNetwork | CompiledRecurrent
    theta: Array
    state: dict[str, Array]

    def forward(self, X: Array) -> Array:
        """The outputs in prediction."""
        return self.net.forward(self.theta, X, **self.state)


def save(
    path: str | Path,
    net: CompiledNetwork | CompiledRecurrent | Network,
    theta: Array,
    state: Mapping[str, Array] | None = None,
) -> Path:
    """Write path.npz and path.json and return the path of the JSON file; path.safetensors: that file alone.

    Parameters: `path` with or without an ending, its folder must exist; `theta` the flat vector; `state` the running
    statistics of a network with batch normalisation (`net.statistics()` and `net.blend`).
    Errors: UsageError if something does not fit or cannot be written; the old files are then untouched.

    >>> import tempfile
    >>> net = compile_network(Network.parse("2-3-1", "tanh"))
    >>> theta = net.initial(np.random.default_rng(0))
    >>> file = save(Path(tempfile.mkdtemp(), "model"), net, theta)
    >>> bool((load(file).forward(np.ones((1, 2))) == net.forward(theta, np.ones((1, 2)))).all())
    True
    """
    compiled = compile_network(net) if isinstance(net, Network) else net
    arrays = name_arrays(compiled, theta, state or {})
    stated = write_network(compiled.network)
    if as_path(path).suffix == TENSORS:
        write_atomically(as_path(path), pack_tensors(arrays, **{SPECIFICATION: stated}))
        return as_path(path)
    content = pack_npz(arrays, **{SPECIFICATION: stated})
    weights, described = (stem(path).with_name(stem(path).name + ending) for ending in (".npz", ".json"))
    write_atomically(weights, content)
    belongs = {"file": weights.name, "sha256": hashlib.sha256(content).hexdigest()}
    write_atomically(described, f'{{\n"weights": {json.dumps(belongs)},\n"network": {stated}\n}}\n')
    return described


def stem(path: str | Path) -> Path:
    """The path without .json or .npz."""
    whole = as_path(path)
    return whole.with_suffix("") if whole.suffix in (".json", ".npz") else whole


def as_path(path: object) -> Path:
    """A path that ends in a name.  Errors: UsageError."""
    if not isinstance(path, str | Path) or "\0" in str(path) or Path(path).name in ("", ".."):
        raise UsageError(f"a saved network needs the name of a file, got {path!r:.60}; write 'model'")
    return Path(path)


def name_arrays(net: CompiledNetwork | CompiledRecurrent, theta: Array, state: Mapping[str, Array]) -> dict[str, Array]:
    """Every parameter and statistic by its name."""
    check_vector("theta", theta)
    theta = as_floats(theta, "theta")
    net.views(theta)
    if not isinstance(state, Mapping):
        raise UsageError(f"state must be the dictionary that net.blend returns, got a {type(state).__name__}")
    state = {name: as_floats(value, str(name)) for name, value in state.items()}
    wanted = net.statistics()
    for name in {*wanted, *state}:
        shape = np.shape(state[name]) if name in state else None
        if name not in wanted or shape != wanted[name].shape:
            raise UsageError(
                f"the running statistics must be {', '.join(wanted) or 'empty'}, each of its unit's shape, got "
                f"{name} {'of shape ' + str(shape) if name in state else 'missing'}; keep what net.blend returns"
            )
    arrays = {block.name: theta[block.start : block.stop].reshape(block.shape) for block in net.layout.blocks}
    return arrays | state


def load(path: str | Path) -> Saved:
    """Read what `save` wrote: give the path that was given to it, the .json, or the .npz or .safetensors alone.

    Errors: UsageError for a missing, truncated or foreign file, or two files that do not belong together.
    """
    whole = as_path(path)
    if whole.suffix in (".npz", TENSORS):
        return read_weights(whole, read_bytes(whole)) if whole.suffix == ".npz" else read_tensor_file(whole)
    described = stem(whole).with_name(stem(whole).name + ".json")
    weights = described.with_suffix(".npz") if described.suffix == ".json" else described
    text = read_bytes(described)
    try:
        stated = json.loads(text.decode("utf-8"))
        belongs, network = stated["weights"], stated["network"]
        digest = belongs["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"{str(described)!r} is not a saved network; give the file that backprop.save wrote") from None
    content = read_bytes(weights)
    if hashlib.sha256(content).hexdigest() != digest:
        raise UsageError(
            f"{str(weights)!r} does not belong to {str(described)!r} (another save, or damaged); "
            "the .npz holds its own specification: load it by its name"
        )
    saved = read_weights(weights, content)
    if read_network(json.dumps(network), repr(str(described))) != saved.net.network:
        raise UsageError(
            f"the specification in {str(described)!r} was changed after saving; load {weights.name!r} instead"
        )
    return saved


def read_tensor_file(path: Path) -> Saved:
    """Network, parameters and statistics from a .safetensors file of ours."""
    read_bytes(path)  # says it if there is none
    texts, arrays = read_tensors(path, lambda reason: refuse(path, reason))
    if SPECIFICATION not in texts:
        raise refuse(path, "tensors without a specification: a model of another framework comes by from_torch")
    return put_together(path, compile_network(read_network(texts[SPECIFICATION], repr(str(path)))), arrays)


def read_bytes(path: Path) -> bytes:
    """The content of a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {(error.strerror or str(error)).lower()}") from None


def read_weights(path: Path, content: bytes) -> Saved:
    """Network, parameters and statistics from the bytes of an .npz file."""
    with open_npz(content, lambda reason: refuse(path, reason)) as file:
        net = compile_network(read_network(read_text(file, SPECIFICATION, LARGEST_FILE), repr(str(path))))
        largest = LARGEST_NUMBER * net.size
        arrays = {name: read_entry(file, name, largest) for name in file.files if name != SPECIFICATION}
    return put_together(path, net, arrays)


def put_together(path: Path, net: CompiledNetwork | CompiledRecurrent, arrays: Mapping[str, Array]) -> Saved:
    """The arrays of a file as parameters and statistics, each looked at."""
    wanted = {block.name: block.shape for block in net.layout.blocks}
    state = {name: value.shape for name, value in net.statistics().items() if name in arrays}
    known = wanted | state
    for name in {**known, **arrays}:
        array = arrays.get(name, np.zeros(0))
        if array.shape != known.get(name):
            raise UsageError(f"{str(path)!r}: {name} should have shape {known.get(name)}, got {array.shape}")
        if array.dtype.kind != "f":
            raise UsageError(f"{str(path)!r}: {name} should hold floating-point numbers, got {array.dtype}")
        as_floats(array, f"{str(path)!r}: {name}")
    theta = np.concatenate([arrays[name].ravel() for name in wanted])
    return Saved(net, theta, {name: arrays[name] for name in state})


def refuse(path: Path, reason: str) -> UsageError:
    """The error for what is no saved network."""
    return UsageError(f"{str(path)!r} is not a saved network ({reason:.100}); give what backprop.save wrote")
