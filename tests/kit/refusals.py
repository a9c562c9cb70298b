"""What a call says when it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backprop.errors import UsageError

__all__ = ["refusal"]


def refusal(call: Callable[..., Any], *arguments: Any, **keywords: Any) -> str:
    """The message of the one exception that the door understands; empty if there was an answer."""
    try:
        call(*arguments, **keywords)
    except UsageError as error:
        return str(error)
    return ""
