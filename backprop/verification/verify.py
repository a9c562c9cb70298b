"""verify: anything that has a gradient is judged; what was generated is checked exactly as well."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from backprop.attaching.operations import subject_from_op
from backprop.errors import UsageError
from backprop.examiner.apart.generated import add_exact, exact_finding
from backprop.examiner.certifying.certify import GradientCertificate, certify
from backprop.examiner.judging.judge import judge
from backprop.examiner.saying.report import Report
from backprop.examiner.wiring.exact import check_exact
from backprop.runtime.compiled import CompiledNetwork
from backprop.specification.network import Network
from backprop.verification.explanation import explain_findings, judge_and_explain
from backprop.verification.lines import read_lines

__all__ = [
    "add_certificates",
    "assert_gradients",
    "certify_network",
    "verify",
    "verify_network",
]

FAST_ROWS = 64


def verify(subject: Any, *, seed: int = 0, inputs: Any = None, backward: Any = None) -> Report:
    """Say whether a gradient is the derivative of its cost, with the evidence.

    Parameters: `subject` is a `CompiledNetwork`, a `Network`, a module or object with parameters, data,
    cost and gradients (or fun, grad, theta0), or a path of such a module.  The code runs in this process.
    A single operation is given with its `inputs`: verify(MyFunction.apply, inputs=(x, w)), and a function of arrays
    with its `backward` as well (`backprop.subject_from_op`).
    Where a file or module is wrong, its source is read: `report.location`, `report.mend`, `report.annotated()`.
    Errors: none for a bad subject, whose verdict is "unusable".  Levels: exact for generated code, tested
    for everything.

    >>> import backprop
    >>> report = verify(backprop.build("3-4-2", activation="tanh"))
    >>> report.ok, report.evidence["exact"]["ok"]
    (True, True)
    """
    if inputs is not None:
        return judge_and_explain(subject_from_op(subject, inputs, backward), seed=seed)
    if isinstance(subject, Network):
        return verify_network(CompiledNetwork(subject), seed)
    if isinstance(subject, CompiledNetwork):
        return verify_network(subject, seed)
    report = judge_and_explain(subject, seed=seed)
    path = find_source(subject)
    return report if path is None else read_lines(report, path, seed=seed)


def find_source(subject: Any) -> Path | None:
    """The file in which a subject can be read: that of a path, or of a module that was imported from one.

    >>> find_source("my_network.py").name, find_source({"fun": sum})
    ('my_network.py', None)
    """
    file = getattr(subject, "__file__", None) if isinstance(subject, ModuleType) else subject
    return Path(file) if isinstance(file, str | Path) and str(file).endswith(".py") else None


def command_for(network: Network, seed: int) -> str:
    """The command that repeats the verification of a network."""
    if not network.is_plain:
        return shlex.join(["python", "-c", f"from backprop import *; print(verify({network!r}, seed={seed}))"])
    sizes = "-".join(str(size) for size in network.sizes)
    activations = dict.fromkeys(network.activations)
    hidden = ",".join(network.activations) if len(activations) > 1 else "".join(activations)
    words = ["backprop", "verify", sizes, *(["--activation", hidden] if hidden else [])]
    return shlex.join([*words, "--output", network.output, "--cost", network.cost, "--seed", str(seed)])


def certify_network(net: CompiledNetwork, seed: int = 0, dtype: str = "float64") -> GradientCertificate:
    """Bound the error of a network's gradient, rounding included, at random parameters and a random batch.

    The true gradient comes from a forward-mode derivative of the cost in balls, see
    `backprop.examiner.certifying.certify`. Parameters: dtype of parameters and batch, "float64" or "float32".
    Errors: UsageError for an activation without a definition in balls, or a network too large for this.

    >>> import backprop
    >>> certify_network(backprop.build("3-4-2", activation="gelu"), dtype="float32").ok
    True
    """
    if not net.network.is_plain:
        raise UsageError("certificates are for networks of dense layers only; leave --certify out for this one")
    rng = np.random.default_rng(seed)
    theta = net.initial(rng).astype(dtype)
    X, Y = (array.astype(dtype) for array in net.module.data(rng))
    found = net.views(net.gradient(theta, X, Y))
    return certify(net.network.sizes, net.network.functions, net.network.cost, net.views(theta), X, Y, found)


def add_certificates(report: Report, net: CompiledNetwork, seed: int = 0) -> Report:
    """The report with certificates in float64 and float32; a failure makes the verdict "undecided" at best."""
    certificates = {dtype: certify_network(net, seed, dtype) for dtype in ("float64", "float32")}
    evidence = {**report.evidence, "certified": {dtype: one.to_dict() for dtype, one in certificates.items()}}
    holds = all(certificate.ok for certificate in certificates.values())
    verdict = "undecided" if report.ok and not holds else report.verdict
    notes = (*report.notes, *map(str, certificates.values()))
    return replace(report, verdict=verdict, evidence=evidence, notes=notes, reproduce=f"{report.reproduce} --certify")


def verify_network(net: CompiledNetwork, seed: int = 0) -> Report:
    """The generated module of a network: judged by the oracles, its wiring checked over a prime field, and the wiring
    of the fast source as well."""
    report = add_exact(judge(net.module, seed=seed, explain=explain_findings), net.source, seed)
    if report.ok and net.fast.module(net.fast.choose(FAST_ROWS)) is not None:
        report = add_fast(report, net, seed)
    return replace(report, subject=str(net.network), reproduce=command_for(net.network, seed))


def add_fast(report: Report, net: CompiledNetwork, seed: int = 0) -> Report:
    """The report with the exact check of the fast source, in the form for 64 rows; a failure there makes it "wrong"."""
    result = check_exact(net.fast.write_exact_subject(net.fast.choose(FAST_ROWS)), seed=seed)
    evidence = {**report.evidence, "exact_fast": result.to_dict()}
    if result.ok:
        return replace(report, evidence=evidence)
    return replace(report, verdict="wrong", findings=(exact_finding(result),), evidence=evidence)


def assert_gradients(subject: Any, *, seed: int = 0) -> None:
    """For test suites: AssertionError with the readable report unless the gradient is verified.

    Parameters as for `verify`. A traceback in pytest ends at the line that called this; with Hypothesis and
    `backprop.strategies` the failure is that of the smallest network (examples/07_in_a_test_suite.py).

    >>> assert_gradients({"fun": lambda x: x @ x, "grad": lambda x: 2 * x, "theta0": lambda rng: rng.normal(size=3)})
    """
    __tracebackhide__ = True
    report = verify(subject, seed=seed)
    if not report.ok:
        raise AssertionError(f"\n{report}")
