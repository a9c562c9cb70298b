"""Steps that are named after a published rule: variants of it, and what is none."""

from __future__ import annotations

from kit.samples.attached_programs import ADAM

HEAD = ADAM.partition("for t in range")[0]
M, S = "m[k] = 0.9 * m[k] + 0.1 * g[k]", "s[k] = 0.999 * s[k] + 0.001 * g[k] ** 2"
SCALED = "p[k] -= 0.01 * {} / (np.sqrt(s[k]) + 1e-8)"
CORRECTED = "p[k] = p[k] - 0.01 * (m[k] / (1 - 0.9 ** t)) / (np.sqrt(s[k] / (1 - 0.999 ** t)) + 1e-8)"


def write_program(name, *lines):
    """A program that trains by a function of this name with these lines for each parameter."""
    body = "\n".join(f"        {line}" for line in lines)
    step = f"def {name}(p, g, t):\n    for k in p:\n{body}\n"
    loop = f"for t in range(1, 200):\n    loss = cost(p, X, Y)\n    g = gradients(p, X, Y)\n    {name}(p, g, t)\n"
    return HEAD + step + loop


VARIANTS = {
    "adam": ("adam", M, S, CORRECTED),
    "adam without correction": ("adam_step", M, S, SCALED.format("m[k]")),
    "adam, epsilon under the root": ("update_adam", M, S, "p[k] -= 0.01 * m[k] / np.sqrt(s[k] + 1e-8)"),
    "rmsprop": ("rmsprop", "s[k] = 0.9 * s[k] + 0.1 * g[k] ** 2", SCALED.format("g[k]")),
    "adagrad": ("adagrad", "s[k] += g[k] ** 2", SCALED.format("g[k]")),
    "momentum": ("momentum", "m[k] = 0.9 * m[k] - 0.1 * g[k]", "p[k] += m[k]"),
    "momentum, averaged": ("momentum_step", M, "p[k] -= 0.3 * m[k]"),
    "nesterov": ("nesterov", "old = m[k].copy()", "m[k] = 0.9 * m[k] - 0.1 * g[k]", "p[k] += -0.9 * old + 1.9 * m[k]"),
    "nesterov, as libraries do": ("nesterov", "m[k] = 0.9 * m[k] + g[k]", "p[k] -= 0.1 * (g[k] + 0.9 * m[k])"),
}
EXCHANGED = "p[k] = p[k] - 0.01 * (m[k] / (1 - 0.999 ** t)) / (np.sqrt(s[k] / (1 - 0.9 ** t)) + 1e-8)"
NO_SQUARES = "s[k] = 0.999 * s[k] + 0.001 * g[k]"
NO_VARIANTS = {
    "squares of nothing": ("adam", M, NO_SQUARES, SCALED.replace("s[k]", "abs(s[k])").format("m[k]")),
    "weights that do not add up": ("adam", "m[k] = 0.9 * m[k] + 0.9 * g[k]", S, SCALED.format("m[k]")),
    "no root": ("adam", M, S, "p[k] -= 0.01 * m[k] / (s[k] + 1e-8)"),
    "one correction": ("adam", M, S, SCALED.format("(m[k] / (1 - 0.9 ** t))")),
    "corrections exchanged": ("adam", M, S, EXCHANGED),
    "both corrected by one decay": ("adam", M, S, EXCHANGED.replace("0.999", "0.9")),
    "both corrected by the other": ("adam", M, S, EXCHANGED.replace("1 - 0.9 **", "1 - 0.999 **")),
    "rmsprop that grows": ("rmsprop", "s[k] = 0.9 * s[k] + 0.9 * g[k] ** 2", SCALED.format("g[k]")),
    "adagrad that forgets": ("adagrad", "s[k] = 0.9 * s[k] + 0.1 * g[k] ** 2", SCALED.format("g[k]")),
    "momentum that keeps all": ("momentum", "m[k] = m[k] - 0.1 * g[k]", "p[k] += m[k]"),
    "momentum and the gradient again": ("momentum", "m[k] = 0.9 * m[k] - 0.1 * g[k]", "p[k] += m[k] - 0.1 * g[k]"),
}  # fmt: skip
EACH = "p[k] = p[k] - {} * (m[k] / ({})) / (np.sqrt(np.abs(s[k] / ({}))) + 1e-8)"
FOLDED = "p[k] -= 0.01 * np.sqrt(abs({})) / ({}) * m[k] / (np.sqrt(s[k]) + 1e-8)"
C1, C2 = "1 - 0.9 ** t", "1 - 0.999 ** t"
OVER_TURNS = {
    "a rate that falls": ("adam", M, S, EACH.format("0.01 / (1 + 0.5 * t)", C1, C2)),
    "a rate that is warmed": ("adam", M, S, EACH.format("0.01 * min(1.0, t / 10)", C1, C2)),
    "a rate that halves": ("adam", M, S, EACH.format("0.01 * 0.5 ** (t - 1)", C1, C2)),
    "a rate of one tenth, divided by the turn": ("adam", M, S, EACH.format("0.1 / t", C1, C2)),
    "corrected in the rate": ("adam", M, S, FOLDED.format(C2, C1)),
    "counted from two": ("adam", M, S, EACH.format("0.01", "1 - 0.9 ** (t + 1)", "1 - 0.999 ** (t + 1)")),
    "powers of a library": ("adam", M, S, EACH.format("0.01", "1 - np.power(0.9, t)", "1 - pow(0.999, t)")),
    "corrected by epochs": ("adam", M, S, EACH.format("0.01", "1 - 0.9 ** (1 + t // 8)", "1 - 0.999 ** (1 + t // 8)")),
}
"""Right at every turn, whatever else the rate does."""
BROKEN_LATER = {
    "times for a power": ("adam", M, S, EACH.format("0.01", C1, "1 - 0.999 * t")),
    "times in both": ("adam", M, S, EACH.format("0.01", "1 - 0.9 * t", "1 - 0.999 * t")),
    "times, in the rate": ("adam", M, S, FOLDED.format("1 - 0.999 * t", C1)),
    "a power of the whole": ("adam", M, S, EACH.format("0.01", "(1 - 0.9) ** t", C2)),
    "divided by the turn": ("adam", M, S, EACH.format("0.01", "1 - 0.9 / t", C2)),
    "squares corrected as at the first step": ("adam", M, S, EACH.format("0.01", C1, "1 - 0.999")),
    "the gradient corrected as at the first step": ("adam", M, S, EACH.format("0.01", "1 - 0.9", C2)),
    "a root for a power": ("adam", M, S, EACH.format("0.01", C1, "1 - 0.999 ** (1 / t)")),
    "squares corrected as the gradient": ("adam", M, S, EACH.format("0.01", C1, C1)),
    "the gradient corrected as squares": ("adam", M, S, EACH.format("0.01", C2, C2)),
    "a falling rate beside": ("adam", M, S, EACH.format("0.01 / t", C1, "1 - 0.999 * t")),
}
"""Right at the first turn."""
BESIDE = {
    "decay of the weights": ("adamw", M, S, "p[k] = p[k] - 0.01 * (m[k] / (np.sqrt(s[k]) + 1e-8) + 0.1 * p[k])"),
    "decay before the step": ("adam", M, S, "p[k] = p[k] * 0.99 - 0.01 * m[k] / (np.sqrt(s[k]) + 1e-8)"),
    "penalty in the step": (
        "adam", "q = g[k] + 0.1 * p[k]", M.replace("g[k]", "q"), S.replace("g[k]", "q"), CORRECTED),
    "clipped by its length": (
        "adam", "q = g[k] * min(1.0, 0.05 / np.linalg.norm(g[k]))", M.replace("g[k]", "q"), S.replace("g[k]", "q"),
        CORRECTED),
    "clipped by entries": (
        "adam", "q = np.clip(g[k], -0.05, 0.05)", M.replace("g[k]", "q"), S.replace("g[k]", "q"), CORRECTED),
    "nesterov in adam": ("nadam", M, S, "p[k] = p[k] - 0.01 * (0.9 * m[k] + 0.1 * g[k]) / (np.sqrt(s[k]) + 1e-8)"),
    "momentum and a decay": ("momentum", "m[k] = 0.9 * m[k] - 0.1 * g[k]", "p[k] = p[k] + m[k] - 0.001 * p[k]"),
    "rmsprop with momentum": (
        "rmsprop", "s[k] = 0.9 * s[k] + 0.1 * g[k] ** 2", "m[k] = 0.9 * m[k] + 0.01 * g[k] / (np.sqrt(s[k]) + 1e-8)",
        "p[k] -= m[k]"),
}  # fmt: skip
"""Steps with other things in them: nothing is said against them."""
IN_A_CLASS = (
    HEAD.replace("{", "{{").replace("}", "}}")
    + """
class Adam:
    def __init__(self, rate, decay):
        self.rate, self.decay, self.t = rate, decay, 0
    def step(self, p, g):
        self.t += 1
        for k in p:
            q = g[k] + self.decay * p[k]
            m[k] = 0.9 * m[k] + 0.1 * q
            s[k] = 0.999 * s[k] + 0.001 * q ** 2
            p[k] = p[k] - self.rate * (m[k] / (1 - 0.9 ** self.t)) / (np.sqrt(s[k] / (1 - 0.999 ** self.t)) + 1e-8)
rule = Adam(0.01, {decay})
for turn in range(200):
    loss = cost(p, X, Y){loss}
    g = gradients(p, X, Y){gradient}
    rule.step(p, g)
"""
)
LOSS_OF_IT = " + 0.05 * sum(np.sum(v ** 2) for v in p.values())"
GRADIENT_OF_IT = "; g = {k: g[k] + 0.1 * p[k] for k in p}"
DECAYS = {
    "of the optimiser alone": (0.1, "", "", "verified"),
    "of the optimiser, told in the loss": (0.1, LOSS_OF_IT, "", "verified"),
    "of none": (0.0, "", "", "verified"),
    "of the loss and its gradient": (0.0, LOSS_OF_IT, GRADIENT_OF_IT, "verified"),
    "of the gradient alone": (0.0, "", GRADIENT_OF_IT, "wrong"),
    "of the loss alone": (0.0, LOSS_OF_IT, "", "wrong"),
}
"""What the optimiser adds, what the loss has, what the gradient has of it, and the verdict."""
