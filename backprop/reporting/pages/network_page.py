"""The page of a network: drawn, derived, generated, verified.

Everything on it is made elsewhere: the equations and steps in the book, the code by the generator, the verdict by the
examiner; here they are put side by side and linked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from backprop.codegen.lowering.lower import output_error_of
from backprop.codegen.lowering.names import equations_of
from backprop.examiner.saying.report import Report
from backprop.reporting.pages.evidence import list_evidence, write_verdict
from backprop.reporting.pages.figures import draw_activation, draw_evidence, draw_network
from backprop.reporting.pages.mathematics import set_latex, set_row
from backprop.reporting.pages.source_lines import ShownLine, list_lines, pick
from backprop.reporting.pages.stories_shown import write_example, write_story
from backprop.reporting.pages.template import PagePart, fill, write_assurance, write_page
from backprop.runtime.activation_functions import activation
from backprop.runtime.compiled import CompiledNetwork
from backprop.specification.network import Network, walk
from backprop.stories.story import tell
from theory.chapters.book import CHAPTERS
from theory.chapters.networks.costs import derive_cost_gradient, find_cost
from theory.chapters.networks.four_equations import TITLES, derive_matrix_form, forward_matrix_form
from theory.chapters.networks.softmax import derive_secure_error
from theory.language.derivation import Derivation
from theory.language.printing import show

__all__ = ["list_derivations", "list_network_parts", "write_network_page"]

CHAPTER_OF = {name.replace("_", ""): name for name in CHAPTERS} | {"gated": "gates"}
"""A kind of layer, in small letters, and its chapter."""
LEFT = {"F1": "Z", "F2": "A", "BP1": "Δ", "BP2": "Δ", "BP3": "∂C/∂b", "BP4": "∂C/∂W"}

MOST_DRAWN = 24
"""Layers that can be told apart in one picture."""
LEAD = (
    "From equations to verified code: derived for any depth and width, the code generated from that, and examined by "
    "what shares nothing with the generator."
)


@dataclass(frozen=True)
class EquationRow:
    """One equation with the lines of the source that it became."""

    id: str
    label: str
    formula: Markup
    lines: list[int]


def list_equations(network: Network) -> list[tuple[str, Markup]]:
    """F1 to BP4 for a network's batch; for other layers the equations of each of their kinds."""
    if network.is_plain:
        right = {
            **forward_matrix_form(),
            "BP1": output_error_of(network.output, network.cost, network.weighted),
            **{label: derive_matrix_form(label).result.matrix for label in ("BP2", "BP3", "BP4")},
        }
        layer = {label: "L" if label == "BP1" else "l" for label in LEFT}
        return [(label, set_row(write_left(LEFT[label], layer[label]), "<mo>=</mo>", show(value, "mathml")))
                for label, value in right.items()]  # fmt: skip
    rows = []
    for kind in dict.fromkeys(element.kind for element in network.elements if element.kind):
        derived = equations_of(kind)
        for one in (*derived.forward, *derived.backward):
            rows.append((one.label, set_row(show(one.target, "mathml"), "<mo>:</mo>", show(one.matrix, "mathml"))))
    error = output_error_of(network.output, network.cost, network.weighted)
    return [*rows, ("BP1", set_row(write_left("Δ", "L"), "<mo>=</mo>", show(error, "mathml")))]


def write_left(letter: str, layer: str) -> str:
    """Z^l, or the derivative of C by W^l."""
    below = letter.partition("/∂")[2]
    script = f"<mi>{layer}</mi>"
    if not below:
        return f"<msup><mi>{letter}</mi>{script}</msup>"
    under = f"<mo>∂</mo><msup><mi>{below}</mi>{script}</msup>"
    return f"<mfrac><mrow><mo>∂</mo><mi>C</mi></mrow><mrow>{under}</mrow></mfrac>"


def list_derivations(network: Network) -> Iterator[Derivation]:
    """What the equations of a network follow from, in the order of the backward pass."""
    yield derive_cost_gradient(network.cost, network.weighted)
    error = derive_secure_error(network.output, network.cost, network.weighted)
    if error.steps:
        yield error
    yield from (derive_matrix_form(label) for label in TITLES)
    kinds = dict.fromkeys(type(layer).__name__.lower() for layer in walk(network.layers))
    for kind in kinds:
        if kind in CHAPTER_OF:
            yield from (part for part in CHAPTERS[CHAPTER_OF[kind]].sections() if isinstance(part, Derivation))


def write_equations(net: CompiledNetwork, lines: Sequence[ShownLine]) -> Markup:
    """The equations, each with links to its lines."""
    where: dict[str, list[int]] = {}
    for line in lines:
        where.setdefault(line.label, []).append(int(line.number))
    rows, seen = [], set[str]()
    for number, (label, formula) in enumerate(list_equations(net.network)):
        anchor = label if label not in seen else f"{label}-{number}"
        rows.append(EquationRow(anchor, label, formula, where.get(label, [])))
        seen.add(label)
    return fill("equations", rows)


def list_network_parts(net: CompiledNetwork, report: Report) -> list[PagePart]:
    """The boxes of the page: network, equations with code, derivation, evidence."""
    join = Markup("").join
    return [
        PagePart("network", "The network", join(write_network(net.network))),
        PagePart("equations", "Equations and code", join(write_code(net))),
        PagePart("derivation", "The derivation", join(write_derivations(net.network))),
        PagePart("evidence", "Evidence", join(write_evidence(report))),
    ]


def write_network(network: Network) -> Iterator[Markup]:
    """The drawing, the cost as it is stated, every activation."""
    if network.depth <= MOST_DRAWN:
        yield fill("picture", draw_network(network))
    else:
        yield Markup("<p>{}; its {} layers are too many for one picture.</p>").format(str(network), network.depth)
    cost = find_cost(network.cost, network.weighted)
    formula = set_row("<mi>C</mi><mo>=</mo>", show(cost.expression, "mathml"))
    yield Markup("<p>The cost, {}, is the {}:</p><div class='wide'>{}</div>").format(cost.title, cost.scale, formula)
    for name in dict.fromkeys((*network.activations, network.output)):
        if name not in ("softmax", "identity"):
            yield write_unit(name)


def write_code(net: CompiledNetwork) -> Iterator[Markup]:
    """Equations and lines, linked both ways."""
    lines = list_lines(net.source)
    shown = pick(lines, net.source, ("forward_pass", "gradients"))
    yield Markup("<p>Each equation links to the lines that it became, each line to its equation.</p>")
    yield write_equations(net, shown)
    yield fill("code", shown, "forward and backward pass", linked=True)
    whole = Markup(
        "<details class='part'><summary>The whole module</summary><pre class='code' tabindex='0'>{}</pre></details>"
    )
    yield whole.format(net.source)


def write_derivations(network: Network) -> Iterator[Markup]:
    """Every derivation to unfold, after what the numbers in it are."""
    stories = [tell(derivation) for derivation in list_derivations(network)]
    yield Markup(
        "<p>Every step is one named rule, and each was re-checked on random networks by a witness that knows no rule. "
        "What a step has changed is marked.</p>"
    )
    yield write_example(next(story for story in stories if story.derivation.label == "BP2"))
    for number, story in enumerate(stories):
        yield write_story(story, opened=number == 0, name=f"story-{number}")


def write_evidence(report: Report) -> Iterator[Markup]:
    """Verdict, table, and how fine the comparison was."""
    yield write_verdict(report)
    yield fill("evidence", list_evidence(report))
    drawn = draw_evidence(report.evidence.get("tensors", {}))
    if drawn is not None:
        yield fill("picture", drawn)


def write_unit(name: str) -> Markup:
    """An activation: stated, differentiated, drawn."""
    unit = activation(name)
    latex = unit._repr_latex_().strip("$").split(r", \quad ")
    formulas = Markup("").join(Markup("<div class='wide'>{}</div>").format(set_latex(part)) for part in latex)
    return Markup("<h3>{}</h3>{}{}").format(name, formulas, fill("picture", draw_activation(name)))


def write_network_page(net: CompiledNetwork, report: Report, extra: Sequence[PagePart] = (), lead: str = "") -> str:
    """The page of a network whose verification is `report`; `extra` boxes stand before the levels of assurance."""
    steps = sum(len(derivation.steps) for derivation in list_derivations(net.network))
    facts = [(report.verdict, "says the examiner"), (f"{net.size:,}", "parameters")]
    facts.append((f"{steps}", "steps, each re-checked"))
    parts = [
        *list_network_parts(net, report),
        *extra,
        PagePart("assurance", "What each word claims", write_assurance()),
    ]
    return write_page(f"Network {net.network}", lead or LEAD, facts, parts, report.reproduce)
