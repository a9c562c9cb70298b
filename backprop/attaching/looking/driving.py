"""A class or functions that nobody calls: the few lines that would train with them, tried one after the other.

What is handed over is chosen by the names of parameters; whether it was the right thing, the run decides.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Driver", "list_drivers"]

SIZES = re.compile(
    r"(sizes|layers?|dims?|dimensions|arch\w*|shape|structure|units|widths|topology|neurons)(_?(sizes|dims?))?$"
)
INPUT, TARGET = (
    re.compile(r"^(x|xs|x_?train|inputs?|data|features|samples?|x_?batch)$"),
    re.compile(r"^(y|ys|t|y_?train|targets?|labels?|y_?true|expected|outputs?|answers?|y_?batch|d|desired|wanted)$"),
)
RATE = re.compile(r"(lr|rate|eta|alpha|step_?size)")
COUNT = re.compile(r"(epochs?|iter\w*|rounds|steps|n_iter|max_iter)")
BATCH = re.compile(r"batch")
FORWARD = re.compile(
    r"^_?(forward|feed_?forward|predict|think|query|propagate|forward_\w+|run|compute|__call__)", re.IGNORECASE
)
BACKWARD = re.compile(r"^_?(back|backward|backprop|back_\w+|backward_\w+)", re.IGNORECASE)
TRAIN = re.compile(
    r"^(fit|train|learn|train_\w+|update|step|optimi[sz]e|sgd|gradient_descent|update_\w+|apply_\w+)", re.IGNORECASE
)
SAMPLES, WIDTHS = 7, (3, 4, 2)
ORIENTATIONS = ("rows", "labels", "columns", "sample", "one row", "pairs")


@dataclass(frozen=True)
class Driver:
    """Lines that train, and in words what they hand over."""

    text: str
    said: str


def list_drivers(tree: ast.Module, owner: str | None = None, data: str | None = None) -> Iterator[Driver]:
    """Ways to train each class of a file, the likeliest first.

    >>> file = ast.parse("class Net:\\n    def __init__(self, sizes): pass\\n    def fit(self, X, y, epochs): pass")
    >>> next(list_drivers(file)).text.splitlines()[-2:]
    ['for made_pass in range(2):', '    made_net.fit(made_x, made_y, 3)']
    """
    held = name_model(tree)
    if data is not None and held is not None:
        said = f"{held[0]} and {held[1]} on {data}"
        yield Driver("\n".join([*_data("", data), LIBRARY.format(model=held[0], loss=held[1])]), said)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and owner in (None, node.name)]
    for kind, orientation in itertools.product(classes, ORIENTATIONS if data is None else ("",)):
        methods = {node.name: node for node in kind.body if isinstance(node, ast.FunctionDef)}
        objects = [name for name, value in _assigned(tree) if _calls(value) == kind.name]
        for made in [*objects, *(f"{kind.name}({words})" for words in _constructions(methods.get("__init__")))]:
            for calls in _trainings(methods, meant=data is not None):
                lines = [*_data(orientation, data), f"made_net = {made}", *calls]
                said = f"an object {made} and " + (f"data drawn for it ({orientation})" if data is None else data)
                yield Driver("\n".join(lines), said)


def name_model(tree: ast.Module) -> tuple[str, str] | None:
    """The model and the loss of a library that a file holds and trains nowhere.

    >>> name_model(ast.parse("net = nn.Sequential(nn.Linear(2, 1))\\nloss = nn.MSELoss()"))
    ('net', 'loss')
    """
    models = {node.name for node in tree.body if isinstance(node, ast.ClassDef)
              and any(ast.unparse(base).split(".")[-1] == "Module" for base in node.bases)}  # fmt: skip
    made = {name: _calls(value) for name, value in _assigned(tree)}
    model = next((name for name, kind in made.items() if kind == "Sequential" or kind in models), None)
    loss = next((name for name, kind in made.items() if kind.endswith("Loss")), None)
    return None if model is None or loss is None else (model, loss)


LIBRARY = """for made_pass in range(2):
    for made_p in {model}.parameters(): made_p.grad = None
    made_loss = {loss}({model}(made_x), made_y)
    made_loss.backward()
    for made_p in {model}.parameters(): made_p.data -= 0.01 * made_p.grad"""


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Names at the top, and what is stored under them."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))


def _calls(value: ast.expr) -> str:
    """The last name of what is called."""
    return ast.unparse(value.func).split(".")[-1] if isinstance(value, ast.Call) else ""


def _arguments(function: ast.FunctionDef | None) -> tuple[list[str], int]:
    """Names of the parameters without self, and how many of them are needed."""
    if function is None:
        return [], 0
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)
    names = [arg.arg for arg in function.args.args][0 if static else 1 :]
    return names, len(names) - min(len(function.args.defaults), len(names))


def _constructions(function: ast.FunctionDef | None) -> Iterator[str]:
    names, needed = _arguments(function)
    wanted = names[:needed]
    if not wanted:
        yield ""
        return
    widths = iter((*WIDTHS, *WIDTHS))
    out = []
    for name in wanted:
        low = name.lower()
        if SIZES.search(low) and not low.startswith(("n_", "num")):
            out.append(str(list(WIDTHS)))
        elif RATE.search(low) or re.search(r"(reg|lambda|lmb|decay|momentum)", low):
            out.append("0.1")
        elif COUNT.search(low):
            out.append("3")
        elif BATCH.search(low):
            out.append("7")
        else:
            out.append(str(next(widths, 2)))
    yield ", ".join(out)


def _hand(names: Sequence[str], needed: int) -> list[str] | None:
    """What is handed to a method; None where a parameter says nothing."""
    out = []
    for position, name in enumerate(names):
        low = name.lower()
        value = (
            "made_x" if INPUT.match(low) else "made_y" if TARGET.match(low) and "output" not in low
            else "0.1" if RATE.search(low) else "3" if COUNT.search(low) else "7" if BATCH.search(low)
            else "made_out" if re.match(r"^(o|out|outputs?|y_?hat|y_?pred|pred\w*|a|al|scores|activations?)$", low)
            else "made_pairs" if re.match(r"^(training_data|mini_?batch|batch|pairs|patterns|examples|dataset)$", low)
            else None
        )  # fmt: skip
        if position >= needed:
            break
        if value is None:
            return None
        out.append(value)
    return out


def _trainings(methods: dict[str, ast.FunctionDef], *, meant: bool) -> Iterator[list[str]]:
    """Calls that may train; where the data are `meant`, of any method, in the order in which they were said."""
    for name, function in methods.items():
        handed = _hand(*_arguments(function)) if TRAIN.match(name) else None
        if (handed and "made_x" in handed) or (handed and "made_pairs" in handed):
            yield _twice([f"made_net.{name}({', '.join(handed)})"])
    forward = next((name for name in methods if FORWARD.match(name)), None)
    backward = next((name for name in methods if BACKWARD.match(name)), None)
    for name, function in methods.items() if meant else ():
        names, needed = _arguments(function)
        if 2 <= needed <= 4 and not name.startswith("__"):
            more = (_hand(names[2:needed], needed) or []) if needed > 2 else []
            yield _twice([f"made_net.{name}({', '.join(['made_x', 'made_y', *more])})"])
    if backward is None:
        return
    given = _hand(*_arguments(methods[forward])) if forward else None
    back = _hand(*_arguments(methods[backward]))
    if back is None:
        return
    steps = [f"made_out = made_net.{forward}({', '.join(given)})"] if forward and given else []
    steps.append(f"made_net.{backward}({', '.join(back)})")
    for name, function in methods.items():
        handed = _hand(*_arguments(function)) if TRAIN.match(name) and name != backward else None
        if handed is not None and "made_x" not in handed:
            yield _twice([*steps, f"made_net.{name}({', '.join(handed)})"])
    yield _twice(steps)


def _twice(steps: Sequence[str]) -> list[str]:
    """In a loop, so that it can be seen what every pass moves."""
    return ["for made_pass in range(2):", *(f"    {line}" for line in steps)]


def _data(orientation: str, data: str | None) -> list[str]:
    if data is not None:
        names = [name.strip() for name in data.split(",")]
        return [f"made_x, made_y = {names[0]}, {names[-1]}", "made_pairs = list(zip(made_x, made_y))"]
    n, wide, out = SAMPLES, WIDTHS[0], WIDTHS[-1]
    shapes = {
        "rows": ((n, wide), (n, out)), "labels": ((n, wide), (n,)), "columns": ((wide, n), (out, n)),
        "sample": ((wide, 1), (out, 1)), "one row": ((1, wide), (1, out)), "pairs": ((n, wide, 1), (n, out, 1)),
    }  # fmt: skip
    x, y = shapes[orientation]
    target = f"made_rng.integers(0, {out}, {n})" if orientation == "labels" else f"made_rng.uniform(0.1, 0.9, {y})"
    return [
        "import numpy as made_numpy",
        "made_rng = made_numpy.random.default_rng(0)",
        "made_numpy.random.seed(0)",
        f"made_x = made_rng.normal(size={x})",
        f"made_y = {target}",
        "made_pairs = list(zip(made_x, made_y))",
    ]
