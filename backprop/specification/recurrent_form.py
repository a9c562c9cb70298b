"""Any network as JSON: layers one after the other, or a layer over time with a dense layer behind it.

>>> from backprop.specification.recurrent import RecurrentNetwork
>>> stated = RecurrentNetwork.parse("3-8-2", kind="lstm")
>>> read_network(write_network(stated)) == stated
True
"""

from __future__ import annotations

import json

from backprop.errors import UsageError
from backprop.specification.json_form import read_specification, write_specification
from backprop.specification.network import Network
from backprop.specification.recurrent import RecurrentNetwork

__all__ = ["read_network", "write_network"]

OVER_TIME, STEP = "over_time", "step"


def write_network(network: Network | RecurrentNetwork) -> str:
    """A JSON object; of a network over time its kind, and the network of one step."""
    if isinstance(network, Network):
        return write_specification(network)
    return f'{{\n"{OVER_TIME}": {json.dumps(network.kind)},\n"{STEP}": {write_specification(network.dense)}\n}}'


def read_network(text: str, where: str = "the specification") -> Network | RecurrentNetwork:
    """The network that a JSON text states.  Errors: UsageError with what is wrong and where."""
    try:
        stated = json.loads(text)
    except (ValueError, RecursionError):
        stated = None
    if not isinstance(stated, dict) or OVER_TIME not in stated:
        return read_specification(text, where)
    if set(stated) != {OVER_TIME, STEP} or not isinstance(stated[OVER_TIME], str):
        raise UsageError(f"{where}: a network over time has the entries {OVER_TIME} (a kind) and {STEP} (a network)")
    step = read_specification(json.dumps(stated[STEP]), where)
    try:
        return RecurrentNetwork(step, stated[OVER_TIME])
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
