"""What a notebook shows of an object: what it says, not its fields."""

from __future__ import annotations

from html import escape

__all__ = ["ShownAsText"]


class ShownAsText:
    """An object that a notebook shows as its text.

    >>> class Answer(ShownAsText):
    ...     def __str__(self):
    ...         return "1 < 2"
    >>> Answer()._repr_html_(), Answer()._repr_markdown_().splitlines()[0]
    ('<pre>1 &lt; 2</pre>', '```text')
    """

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"

    def _repr_markdown_(self) -> str:
        return f"```text\n{self}\n```"

    def _repr_latex_(self) -> str:
        return f"\\begin{{verbatim}}\n{self}\n\\end{{verbatim}}"
