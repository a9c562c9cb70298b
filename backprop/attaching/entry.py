"""The entry in the subject's process: a subject as ever, else a reading of the file as it is, else a refusal."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from backprop.attaching.looking.documents import read_document
from backprop.attaching.looking.protocol import has_subject
from backprop.attaching.looking.refusals import Refused
from backprop.examiner.subject.loading import load_subject
from backprop.examiner.subject.protocol.subjects import Subject, Unusable

__all__ = ["load"]

READING = "backprop.attaching.loading"
"""What runs and reads a file; loaded for a file that is no subject."""
SUFFIXES = (".py", ".ipynb")


def load(target: Any, text: str | None = None, **options: Any) -> Subject:
    """A subject of a target: as ever where it is one, else of the iteration that its file trains by.

    Parameters: `options` are those of `attach_file`. Errors: `Unusable` with one line and a reason.
    """
    path = Path(str(target))
    if path.suffix not in SUFFIXES or not path.is_file():
        return load_subject(target, text)
    document = read_document(path, text)
    if has_subject(document.tree) and not any(options.values()):
        return load_subject(target, text)
    try:
        reading = importlib.import_module(READING)
        found: Subject = reading.make_subject(
            reading.attach_file(path, text, **options), str(target), options.get("reading", 0)
        )
        return found
    except Refused as refusal:
        if refusal.reason != "nothing" or any(options.values()) or path.suffix != ".py":
            raise
        try:
            # What is no program that trains may be a network, an estimator, a module beside its data.
            return load_subject(target, text)
        except Unusable:
            raise refusal from None
