"""A reading written down: a short file that is a subject, to be read and edited."""

from __future__ import annotations

import os
from pathlib import Path

from backprop.attaching.handing import Attached
from backprop.attaching.loading import attach_file, make_subject
from backprop.attaching.nesting import tidy
from backprop.examiner.subject.protocol.subjects import Subject

__all__ = ["subject_from_file", "write_glue"]

GLUE = '''"""{file} as a subject. What was taken for what:

{lines}

Edit what is not what you mean, then: backprop verify {name}
"""

from pathlib import Path

import backprop

subject = backprop.subject_from_file(
    Path(__file__).parent / {relative!r},
{arguments}
)
'''


def subject_from_file(
    path: str | Path,
    *,
    cost: str | None = None,
    owner: str | None = None,
    function: str | None = None,
    data: str | None = None,
    begin: int | None = None,
    end: int | None = None,
    line: int | None = None,
    parameters: list[str] | None = None,
) -> Subject:
    """Make a subject of a file as it is: of the iteration by which it trains.

    Parameters: `cost` is a name of the file or of the table (half-sse, binary-cross-entropy, cross-entropy); `owner` a
    class, `function` a function, `line` the loop in which the training stands, `begin` and `end` its lines; `data` two
    names of the file, "X,Y", for a class that nobody trains; `parameters` are checked against what is found. The file
    is run in this process, up to its first iteration. Errors: `Unusable` (a UsageError) with what was seen.

    >>> import backprop, tempfile
    >>> file = Path(tempfile.mkdtemp()) / "line.py"
    >>> lines = ["import numpy as np", "x = np.arange(6.0).reshape(6, 1)", "y = 2 * x + 1", "w = np.ones((1, 1))"]
    >>> lines += ["for i in range(100):", "    w = w - 0.01 * x.T @ (x @ w - y) / 6"]
    >>> _ = file.write_text(chr(10).join(lines))
    >>> backprop.verify(backprop.subject_from_file(file)).verdict
    'verified'
    """
    found = attach_file(
        Path(path), cost=cost, owner=owner, function=function, data=data, begin=begin, end=end, line=line,
        parameters=parameters,
    )  # fmt: skip
    return make_subject(found, str(path))


def write_glue(found: Attached, file: Path, **options: object) -> str:
    """The text of a subject file for a reading; `options` are those with which it was found."""
    iteration = found.flow.iteration
    loop, _ = iteration.program.rewritten.originals[iteration.snapshot.loop]
    arguments = {name: value for name, value in options.items() if value is not None}
    if not found.driven and "begin" not in arguments and "end" not in arguments:
        arguments["line"] = loop.lineno
    arguments["parameters"] = [tidy(iteration.leaves[k]) for k in found.order]
    if found.chosen.how == "the file's own":
        arguments["cost"] = found.chosen.candidate.name
    written = "\n".join(f"    {name}={value!r}," for name, value in arguments.items())
    source = found.document.path.resolve()
    relative = os.path.relpath(source, file.resolve().parent)
    said = "\n".join(f"    {line}" for line in found.describe()).replace("\\", "\\\\").replace('"""', "'''")
    return GLUE.format(file=source.name, lines=said, name=file.name, relative=relative, arguments=written)
