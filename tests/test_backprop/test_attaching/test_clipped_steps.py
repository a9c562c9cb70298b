"""However a gradient is clipped, what is judged is the gradient before; a factor that is no clipping is not excused."""

from __future__ import annotations

import textwrap

import pytest
from kit.samples.judged_programs import judge_text

from tests.test_backprop.test_attaching.test_update_forms import FAULT, NETWORK

CLIPPED = {
    "in place, momentum": """
        def clip_(g, most):
            n = np.sqrt(sum((v ** 2).sum() for v in g.values()))
            if n > most:
                for v in g.values():
                    v *= most / n
            return n
        params = dict(zip(names, [W1, b1, W2, b2]))
        memory = {k: np.zeros_like(v) for k, v in params.items()}
        for t in range(60):
            g = dict(zip(names, backward(**params)))
            n = clip_(g, LIMIT)
            for k in params:
                memory[k] = 0.9 * memory[k] - lr * g[k]
                params[k] += memory[k]
        """,
    "in place, plain": """
        params = [W1, b1, W2, b2]
        for t in range(60):
            grads = backward(*params)
            norm = np.sqrt(sum(np.sum(g ** 2) for g in grads))
            if norm > LIMIT:
                for g in grads:
                    g *= LIMIT / norm
            for p, g in zip(params, grads):
                p -= lr * g
        """,
    "flat": """
        params = [W1, b1, W2, b2]
        def clip(grads):
            length = np.linalg.norm(np.concatenate([g.ravel() for g in grads]))
            scale = min(1.0, LIMIT / (length + 1e-6))
            for g in grads:
                np.multiply(g, scale, out=g)
        for t in range(60):
            grads = backward(*params)
            clip(grads)
            for p, g in zip(params, grads):
                p -= lr * g
        """,
    "per array in place": """
        params = [W1, b1, W2, b2]
        for t in range(60):
            grads = backward(*params)
            for g in grads:
                n = np.linalg.norm(g)
                if n > LIMIT:
                    g *= LIMIT / n
            for p, g in zip(params, grads):
                p -= lr * g
        """,
    "per array new": """
        params = [W1, b1, W2, b2]
        def cut(g):
            n = np.linalg.norm(g)
            return g * (LIMIT / n) if n > LIMIT else g
        memory = [0 * p for p in params]
        for t in range(60):
            grads = [cut(g) for g in backward(*params)]
            for k, g in enumerate(grads):
                memory[k] = 0.9 * memory[k] + g
                params[k] = params[k] - lr * memory[k]
        """,
    "by value out": """
        params = [W1, b1, W2, b2]
        for t in range(60):
            grads = backward(*params)
            for g in grads:
                np.clip(g, -LIMIT, LIMIT, out=g)
            for p, g in zip(params, grads):
                p -= lr * g
        """,
    "by value, momentum": """
        params = dict(zip(names, [W1, b1, W2, b2]))
        memory = {k: np.zeros_like(v) for k, v in params.items()}
        for t in range(60):
            g = dict(zip(names, backward(**params)))
            for k in params:
                g[k] = np.clip(g[k], -LIMIT, LIMIT)
                memory[k] = 0.9 * memory[k] - lr * g[k]
                params[k] += memory[k]
        """,
    "attributes": """
        class Net:
            def __init__(self):
                self.p = [W1, b1, W2, b2]
            def back(self):
                self.gW1, self.gb1, self.gW2, self.gb2 = backward(*self.p)
            def clip(self, most):
                n = sum((one ** 2).sum() for one in (self.gW1, self.gb1, self.gW2, self.gb2)) ** 0.5
                if n > most:
                    for name in ("gW1", "gb1", "gW2", "gb2"):
                        setattr(self, name, getattr(self, name) * most / n)
            def step(self):
                for p, n in zip(self.p, ("gW1", "gb1", "gW2", "gb2")):
                    p -= lr * getattr(self, n)
        net = Net()
        for t in range(60):
            net.back()
            net.clip(LIMIT)
            net.step()
        """,
    "in place, adam": """
        params = [W1, b1, W2, b2]
        m, v = [0 * p for p in params], [0 * p for p in params]
        for t in range(1, 60):
            grads = backward(*params)
            norm = np.sqrt(sum(np.sum(g ** 2) for g in grads))
            if norm > LIMIT:
                for g in grads:
                    g *= LIMIT / norm
            for k, g in enumerate(grads):
                m[k] = 0.9 * m[k] + 0.1 * g
                v[k] = 0.999 * v[k] + 0.001 * g ** 2
                params[k] -= lr * (m[k] / (1 - 0.9 ** t)) / (np.sqrt(v[k] / (1 - 0.999 ** t)) + 1e-8)
        """,
}
MULTIPLIED = {
    "over one more than the loss": """
        params = [W1, b1, W2, b2]
        for t in range(60):
            grads = [g / (1 + loss(*params)) for g in backward(*params)]
            for p, g in zip(params, grads):
                p -= lr * g
        """,
    "in place, by what the loss says": """
        params = [W1, b1, W2, b2]
        for t in range(60):
            grads = backward(*params)
            c = loss(*params)
            for g in grads:
                g /= 1 + np.exp(-c)
            for p, g in zip(params, grads):
                p -= lr * g
        """,
}


@pytest.mark.parametrize("form", CLIPPED)
def test_a_clipped_gradient_is_judged_as_it_was_before(form, tmp_path):
    text = NETWORK + textwrap.dedent(CLIPPED[form]).replace("LIMIT", "0.3")
    right = judge_text(tmp_path, text)
    assert (right.verdict, len(right.evidence["tensors"])) == ("verified", 4)
    wrong = judge_text(tmp_path, text.replace(*FAULT))
    names = list(wrong.evidence["tensors"])
    assert {name for name in names if wrong.evidence["tensors"][name]["verdict"] == "wrong"} == set(names[:2])


@pytest.mark.parametrize("form", MULTIPLIED)
def test_a_factor_that_is_not_made_of_the_gradient_is_no_clipping(form, tmp_path):
    assert judge_text(tmp_path, NETWORK + textwrap.dedent(MULTIPLIED[form])).verdict == "wrong"
