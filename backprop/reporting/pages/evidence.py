"""Verdict and evidence of a report for a page."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from backprop.examiner.saying.report import Report

__all__ = ["list_evidence", "write_verdict"]

TEXT = Markup("<details class='part'><summary>As text</summary><pre class='code' tabindex='0'>{}</pre></details>")


def list_evidence(report: Report) -> dict[str, Any]:
    """The evidence, ready for the template."""
    return {
        "tensors": [list_tensor(name, found) for name, found in report.evidence.get("tensors", {}).items()],
        "exact": describe_exact(report.evidence.get("exact")),
        "notes": [str(note) for note in report.notes],
        "oracles": " and ".join(report.evidence.get("oracles", ())) or "the oracle",
        "cases": len(report.evidence.get("cases", ())),
    }


def list_tensor(name: str, found: dict[str, Any]) -> dict[str, str]:
    """One row of the table."""
    counted = [(found["entries"], "entry", "entries"), (found["directions"], "direction", "directions")]
    compared = " + ".join(f"{n} {one if n == 1 else many}" for n, one, many in counted if n)
    sharp = found["uncertainty"]
    size = "unknown" if sharp is None else f"{sharp:.1e}" if sharp else "below rounding"
    row = {"name": name, "compared": compared or "nothing", "uncertainty": size}
    return row | {"verdict": found["verdict"], "escapes": found["escapes"]}


def describe_exact(exact: dict[str, Any] | None) -> str:
    """The check over the prime field in a sentence; "" where there was none."""
    if exact is None:
        return ""
    if not exact["ok"]:
        return f"Exact check: failed in {', '.join(exact['failed']) or 'the source'}: {exact['reason']}."
    return (
        f"Exact check of the source, unchanged, over GF(2^61 - 1), batch of {exact['rows']}: the wiring of all "
        f"{exact['parameters']:,} parameters is right for arbitrary functions in its table; a wrong one would pass "
        f"with probability at most {exact['false_pass_bound']:.1e} (degree {exact['degree']} + "
        f"{exact['collisions']:,} collisions, over p)."
    )


def write_verdict(report: Report) -> Markup:
    """The verdict in a word, and the whole report as text to unfold."""
    badge = Markup("<p><span class='badge {}'>{}</span> {}</p>").format(report.verdict, report.verdict, report.subject)
    return badge + TEXT.format(str(report))
