"""writing: a flow with orders and homes becomes the text of a function and of its buffers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from backprop.codegen.lowering.nodes import Shape
from backprop.codegen.lowering.program import Program
from backprop.codegen.passes.buffers import Home, Plan, plan_buffers
from backprop.codegen.passes.fold import WIDE, fold_biases
from backprop.codegen.passes.functions import INTO, NEW, CalledFunctions
from backprop.codegen.passes.in_place import KEYWORD_OUT
from backprop.codegen.passes.layout import choose_orders, is_batch, turn_inputs
from backprop.codegen.passes.linearise import linearise
from backprop.codegen.passes.steps import ELEMENTWISE, Flow, Instruction, ValueKind
from backprop.codegen.passes.turn import TURNED, turn_weights
from backprop.codegen.printing.emit import write_function
from backprop.specification.parameters import Block, ParameterLayout

__all__ = ["SMALL", "Form", "Writer", "list_used", "write_views"]

SMALL = 2048
"""Up to so many numbers `dot` is the quicker product: its call costs less, but it fills its result with zeros first."""

TABLED = {"exp", "log"}


@dataclass(frozen=True)
class Form:
    """How the network is laid out: biases folded into the matrices or not, the inputs too or not; weights copied
    before a product with their transpose or not."""

    folded: bool = False
    inputs_too: bool = False
    turned: bool = False


class Writer:
    """Writes one function, gradient or value_and_gradient, and its buffers."""

    def __init__(
        self, program: Program, layout: ParameterLayout, functions: CalledFunctions, form: Form, *, with_cost: bool
    ) -> None:
        self.layout, self.functions, self.with_cost = layout, functions, with_cost
        self.name = "value_and_gradient" if with_cost else "gradient"
        shapes: dict[str, Shape] = {block.name: block.shape for block in layout.blocks}
        flow = linearise(program, shapes, functions.expand, with_cost=with_cost)
        if form.folded:
            flow = fold_biases(flow, find_neighbours(layout.blocks), inputs_too=form.inputs_too)
        elif form.turned:
            flow = turn_weights(flow)
        flow = self.enter_work(flow)
        orders = choose_orders(flow, columns=form.folded)
        self.flow, self.orders = turn_inputs(flow, orders)
        self.plan: Plan = plan_buffers(self.flow, self.orders)
        self.homes = {name: home for home in (*self.plan.matrices, *self.plan.vectors) for name in home.values}
        self.used: dict[str, None] = {}
        self.products: set[int] = set()
        self.columns: set[int] = set()
        self.lines = [self.write_step(step) for step in self.flow.steps]

    def enter_work(self, flow: Flow) -> Flow:
        """Work arrays and numbers of functions belong to the steps that call them."""
        flow = flow.with_steps(flow.steps)
        for k, step in enumerate(flow.steps):
            form = self.functions.form(step.called) if step.called else None
            if form is None:
                continue
            numbers = tuple(flow.constant(text) for text in form.constants)
            work = tuple(f"{step.result}_work{j + 1}" for j in range(form.work))
            for name in work:
                flow.shapes[name], flow.kinds[name] = flow.shapes[step.result], ValueKind.VALUE
            flow.steps[k] = replace(step, operands=(*step.operands, *numbers), work=work)
        return flow

    @property
    def calls(self) -> list[str]:
        """The functions of the module that are called."""
        return [step.called for step in self.flow.steps if step.called]

    def write(self, weights: Sequence[str], results: Sequence[str]) -> Iterator[str]:
        """The buffers, then the function, which is handed these views."""
        names = [name for name in self.used if self.flow_kind(name) in (None, ValueKind.VALUE, ValueKind.CONSTANT)]
        listed = write_tuple(names)
        yield write_function(
            f"{self.name}_buffers(memory, vectors, ones, n, dtype)",
            "Views of the memory, and the numbers that n decides.",
            [*self.write_buffers(names), f"return {listed}"],
        )
        inputs = ["X", "Y", *self.inputs]
        head = [f"{listed} = buffers", f"{write_tuple(weights)} = weights", f"{write_tuple(results)} = results"]
        body = [f"{name}T = {name}.T" for name in inputs if f"{name}T" in self.used] + self.lines
        if self.with_cost:
            body += ["n = X.shape[0]", f"return {self.flow.total}"]
        keywords = f", *, {', '.join(self.inputs)}" if self.inputs else ""
        inner = [f"def run(X, Y{keywords}):", *(f"    {line}" for line in body), "return run"]
        yield write_function(f"{self.name}(buffers, weights, results)", "Makes what fills the results.", head + inner)

    @property
    def inputs(self) -> list[str]:
        """What comes in beside X and Y."""
        return [name for name, kind in self.flow.kinds.items() if kind is ValueKind.INPUT and name not in ("X", "Y")]

    def of_kind(self, kind: ValueKind) -> list[str]:
        """The names that are used, of views of theta or of the gradient."""
        return [name for name in self.used if self.flow_kind(name) is kind]

    def flow_kind(self, name: str) -> ValueKind | None:
        """The kind of a value or of its transpose; None for what is no value."""
        return self.flow.kinds.get(name) or self.flow.kinds.get(name.removesuffix("T"))

    def write_step(self, step: Instruction) -> str:
        """One line."""
        if step.function == "product":
            return self.write_product(step)
        if self.is_spread(step):
            return self.write_ufunc(
                step, [self.use(n, len(self.flow.shapes[n]) > 0) for n in step.operands], turned=True
            )
        operands = [] if step.function == "copy" else [self.use(name) for name in step.operands]
        if step.function == "sum_all":
            return f"{step.result} = sum_all({operands[0]}, None)"
        target = self.use(step.result)
        if step.function == "sum_rows":
            return self.write_sum_rows(step.operands[0], target)
        if step.function == "copy":
            return f"copyto({target}, {self.use(step.operands[0], any(step.turned))})"
        if step.function == "row_max":
            return f"row_max{INTO}({operands[0]}, 1, None, {target}, True)"
        if step.function == "sum_columns":
            return f"dot({operands[0]}, {self.use_ones(step.operands[0])}, {target})"
        if step.function == "call":
            if self.functions.form(step.called) is None:
                return f"copyto({target}, {step.called}{NEW}({operands[0]}))"
            work = [self.use(name) for name in ((step.also, *step.work) if step.also else step.work)]
            return f"{step.called}{INTO}({', '.join([operands[0], target, *work, *operands[1:]])})"
        return self.write_ufunc(step, operands)

    def write_ufunc(self, step: Instruction, operands: Sequence[str], turned: bool = False) -> str:
        """An operation entry by entry."""
        function = step.function + (INTO if step.function in TABLED else "")
        keyword = "out=" if function in KEYWORD_OUT else ""
        return f"{function}({', '.join(operands)}, {keyword}{self.use(step.result, turned)})"

    def is_spread(self, step: Instruction) -> bool:
        """Is a vector of theta, or a column, spread over a matrix that lies column after column?  NumPy is quicker on
        the transposes then."""
        if step.function not in ELEMENTWISE or step.function == "call" or self.order(step.result) != "F":
            return False
        own = self.flow.shapes[step.result]
        others = [name for name in step.operands if self.flow.shapes[name] not in (own, ())]
        vectors = [name for name in others if len(self.flow.shapes[name]) == 1]
        return bool(others) and all(self.flow.kinds[name] is ValueKind.PARAMETER for name in vectors)

    def write_product(self, step: Instruction) -> str:
        """A product; where the result lies column after column, its transpose is computed."""
        flip = self.order(step.result) == "F"
        sides = [self.use(name, turned != flip) for name, turned in zip(step.operands, step.turned, strict=True)]
        target = self.use(step.result, flip)
        rows, columns = self.flow.shapes[step.result]
        assert isinstance(columns, int)
        if isinstance(rows, int):
            function = "dot" if rows * columns <= SMALL else "matmul"
        else:
            self.products.add(columns)
            function = f"product{columns}"
            self.used[function] = None
        return f"{function}({', '.join(sides[::-1] if flip else sides)}, {target})"

    def write_sum_rows(self, operand: str, target: str) -> str:
        """A sum over the rows is a product with ones."""
        self.used["ones"] = None
        if self.order(operand) == "F":
            return f"dot({self.use(operand, turned=True)}, ones, {target})"
        return f"dot(ones, {self.use(operand)}, {target})"

    def use_ones(self, operand: str) -> str:
        """A sum along the rows is a product with ones too."""
        columns = self.flow.shapes[operand][1]
        assert isinstance(columns, int)
        self.columns.add(columns)
        self.used[f"ones{columns}"] = None
        return f"ones{columns}"

    def order(self, name: str) -> str:
        """ "C" or "F"."""
        return self.orders.get(name, "C")

    def use(self, name: str, turned: bool = False) -> str:
        """The name of the view of a value, or of its transpose; all values of one home go by one name."""
        home = self.homes.get(name)
        text = (home.name if home else name) + ("T" if turned else "")
        self.used[text] = None
        return text

    def write_buffers(self, names: Sequence[str]) -> Iterator[str]:
        """The lines that make the views and numbers."""
        done: set[str] = set()
        for text in names:
            name = text.removesuffix("T") if text not in self.flow.kinds else text
            if text in self.flow.constants:
                yield f"{text} = np.array({self.flow.constants[text]}, dtype)"
            elif text == "ones":
                continue
            elif text.removeprefix("ones").isdigit():
                yield f"{text} = np.ones(({text.removeprefix('ones')}, 1), dtype)"
            elif text.startswith("product") and text not in self.flow.kinds:
                yield f"{text} = dot if n * {text.removeprefix('product')} <= SMALL else matmul"
            else:
                yield from self.write_view(name, done)
                if text != name:
                    yield f"{text} = {name}.T"

    def write_view(self, name: str, done: set[str]) -> Iterator[str]:
        """The view of one home, and of its column of ones."""
        if name in done:
            return
        home = self.homes.get(name) or self.homes[name.removesuffix(WIDE)]
        done |= {name}
        shape = self.flow.shapes[name]
        if not is_batch(self.flow, name):
            reshaped = f".reshape{shape}" if len(shape) == 2 else ""
            yield f"{name} = vectors[{home.offset}:{home.stop}]{reshaped}"
        elif home.wide:
            own = home.name
            if home.wide not in done or name == home.wide:
                yield f"{home.wide} = {write_place(home, 'F')}"
                yield f"{home.wide}[:, {home.columns - 1}] = 1"
            done |= {home.wide, own}
            yield f"{own} = {home.wide}[:, : {home.columns - 1}]"
        else:
            yield f"{name} = {write_place(home, self.order(name))}"


def write_place(home: Home, order: str) -> str:
    """The piece of memory as a matrix."""
    piece = f"memory[n * {home.offset} : n * {home.stop}]"
    return f"{piece}.reshape({home.columns}, n).T" if order == "F" else f"{piece}.reshape(n, {home.columns})"


def find_neighbours(blocks: Sequence[Block]) -> Iterator[tuple[str, str]]:
    """W and b where b lies right behind W and has its width."""
    for first, second in pairwise(blocks):
        if len(first.shape) == 2 and second.shape == first.shape[1:]:
            yield first.name, second.name


def list_used(writers: Iterable[Writer], kind: ValueKind) -> list[str]:
    """The views of theta, or of the gradient, that any of the functions uses."""
    return list(dict.fromkeys(name for writer in writers for name in writer.of_kind(kind)))


def write_views(layout: ParameterLayout, writers: Sequence[Writer]) -> list[str]:
    """`weights(theta)` and `results(gradient)`: tuples of views of the flat vectors."""
    functions = []
    for name, vector, kind in (("weights", "theta", ValueKind.PARAMETER), ("results", "gradient", ValueKind.RESULT)):
        names = list_used(writers, kind)
        lines = [line for text in names for line in write_block(layout, text, vector, names)]
        functions.append(write_function(f"{name}({vector})", "Views.", [*lines, f"return {write_tuple(names)}"]))
    return functions


def write_tuple(names: Sequence[str]) -> str:
    """(W1, b1) or (W1,)"""
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def strip(name: str) -> str:
    """The block that a view belongs to."""
    return name.removesuffix(WIDE).removesuffix(TURNED)


def write_block(layout: ParameterLayout, text: str, vector: str, names: Sequence[str]) -> Iterator[str]:
    """One view of a flat vector: W1, its transpose W1T, or [W1; b1]."""
    blocks = {("d" if vector == "gradient" else "") + block.name: block for block in layout.blocks}
    name = text if text in blocks or strip(text) in blocks else text.removesuffix("T")
    block = blocks[strip(name)]
    rows, *columns = block.shape
    stop, shape = block.stop, block.shape
    if name.endswith(TURNED):
        shape = shape[::-1]
    elif name not in blocks:
        stop, shape = stop + columns[0], (rows + 1, columns[0])
    view = f"{vector}[{block.start}:{stop}]" + (f".reshape{shape}" if len(shape) == 2 else "")
    if text == name:
        yield f"{text} = {view}"
    else:
        whole = name if name in names[: names.index(text)] else view
        yield f"{text} = {whole}.T" if len(shape) == 2 else f"{text} = {whole}[:, None]"
