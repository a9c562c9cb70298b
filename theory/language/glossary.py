"""The glossary: one letter, one meaning."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["GATES", "GLOSSARY", "Letter"]


@dataclass(frozen=True)
class Letter:
    """One letter of the book: what it means, its shape for a batch, its name in generated code, its LaTeX."""

    name: str
    meaning: str
    shape: str
    python: str
    latex: str
    text: str
    per_sample: bool  # does it get a row index when a batch of n samples is fed?


GLOSSARY: dict[str, Letter] = {
    letter.name: letter
    for letter in (
        Letter("a", "activation of a unit; a^0 = x is the input", "(n, M_l)", "a", "a", "a", True),
        Letter("z", "weighted input of a unit", "(n, M_l)", "z", "z", "z", True),
        Letter("a_x", "how an activation changes with the input x: ∂a/∂x", "(n, M_l)", "ax", r"\dot a", "ȧ", True),
        Letter("z_x", "how a weighted input changes with x: ∂z/∂x", "(n, M_l)", "zx", r"\dot z", "ż", True),
        Letter("a_xx", "the second derivative ∂²a/∂x²", "(n, M_l)", "axx", r"\check a", "ǎ", True),
        Letter("z_xx", "the second derivative ∂²z/∂x²", "(n, M_l)", "zxx", r"\check z", "ž", True),
        Letter("y", "target", "(n, M_L)", "Y", "y", "y", True),
        Letter("delta", "error of a unit, the derivative of C by z", "(n, M_l)", "delta", r"\delta", "δ", True),
        Letter("w", "weight from unit i of layer l-1 (first index) to unit j of layer l", "(M_{l-1}, M_l)",
               "W", "w", "w", False),
        Letter("b", "bias", "(M_l,)", "b", "b", "b", False),
        Letter("C", "cost, one number", "()", "C", "C", "C", False),
        Letter("x", "what enters a layer without weights", "(n, M_l)", "x", "x", "x", True),
        Letter("h", "what a layer after the weights hands on", "(n, M_l)", "h", "h", "h", True),
        Letter("v", "weight of a gate", "(M_{l-1}, M_l)", "V", "v", "v", False),
        Letter("e", "weight of what enters at a step, the same at every step", "(M_0, M_1)", "E", "e", "e", False),
        Letter("c", "bias of a gate", "(M_l,)", "c", "c", "c", False),
        Letter("g", "weighted input of a gate", "(n, M_l)", "g", "g", "g", True),
        Letter("alpha", "learned slope of a unit where its input is negative", "(M_l,)",
               "slope", r"\alpha", "α", False),
        Letter("mu", "mean: of a unit over the batch, or of a sample over the units", "(M_l,) or (n, 1)",
               "mu", r"\mu", "μ", False),
        Letter("nu", "variance about that mean", "(M_l,) or (n, 1)", "nu", r"\nu", "ν", False),
        Letter("rho", "one over the root of the variance (plus epsilon)", "(M_l,) or (n, 1)",
               "rho", r"\rho", "ρ", False),
        Letter("u", "standardised input: mean 0, variance 1", "(n, M_l)", "u", "u", "u", True),
        Letter("gamma", "scale after a normalisation", "(M_l,)", "gamma", r"\gamma", "γ", False),
        Letter("beta", "shift after a normalisation", "(M_l,)", "beta", r"\beta", "β", False),
        Letter("epsilon", "a small positive number that keeps a root away from 0", "()",
               "epsilon", r"\varepsilon", "ε", False),
        Letter("m", "dropout mask: 0, or 1/(1 - rate)", "(n, M_l)", "mask", "m", "m", True),
        Letter("r", "result of the layers that a residual connection goes around", "(n, M_l)", "r", "r", "r", True),
        Letter("omega", "weight of a sample in the cost", "(n, 1)", "weights", r"\omega", "ω", True),
        Letter("p", "what is remembered, weighted, before a gate resets it", "(n, M_1)", "p", "p", "p", True),
        Letter("q", "state of a cell", "(n, M_1)", "q", "q", "q", True),
    )
}  # fmt: skip

GATES = {"i": ("input", "ⁱ"), "f": ("forget", "ᶠ"), "o": ("output", "ᵒ"), "r": ("reset", "ʳ"), "u": ("update", "ᵘ")}
"""The gates of recurrent layers: of each letter below there is one for each gate."""

for gate, (word, raised) in GATES.items():
    for letter in (
        Letter("e", f"weight of what enters, of the {word} gate", "(M_0, M_1)", "E", "e", "e", False),
        Letter("w", f"weight of what is remembered, of the {word} gate", "(M_1, M_1)", "W", "w", "w", False),
        Letter("b", f"bias of the {word} gate", "(M_1,)", "b", "b", "b", False),
        Letter("g", f"weighted input of the {word} gate", "(n, M_1)", "g", "g", "g", True),
    ):
        name, latex = f"{letter.name}_{gate}", rf"{{{letter.latex}^{{\mathrm {gate}}}}}"
        GLOSSARY[name] = replace(letter, name=name, python=letter.python + gate, latex=latex, text=letter.text + raised)
