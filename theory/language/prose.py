"""Sentences with formulas in them: which pieces are mathematics, and both written in one alphabet.

A letter by itself, a letter with scripts or a prime, a Greek letter, a call of a function, and what operators join to
such, are mathematics; a word is a word.  Nothing is lost: the pieces together are the sentence.

>>> typeset("From z_j^l to C: f' is taken at z, not at a.", "latex")
"From $z_{j}^{l}$ to $C$: $f'$ is taken at $z$, not at a."
>>> typeset("see `derive` for δ", "mathml")
'see <code>derive</code> for <math><mi>δ</mi></math>'
>>> typeset("for l = 1..L and |x| <= 1/2", "latex")
'for $l=1..L$ and $|x|\\\\le 1/2$'
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from theory.language.alphabets import ALPHABETS, Alphabet
from theory.language.latex_text import GREEK, escape_latex

__all__ = ["split_prose", "typeset"]

SPELLED = {name.removeprefix("var"): letter for letter, name in GREEK.items()}
TOKEN = re.compile(
    r"(?P<code>`[^`\n]+`)|(?P<abbreviation>\b[ei]\.[ge]\.)"
    r"|(?P<number>(?:\d+(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?(?![^\W_])|\boo\b)"
    rf"|(?P<greek>\b(?:{'|'.join(SPELLED)})(?=[_^]))"
    r"|(?P<letter>(?<![A-Za-z0-9_À-ɏ])[A-Za-zℝ](?![A-Za-z0-9À-ɏ])(?:'+(?![A-Za-z]))?|[α-ωΑ-ΩΣ∂∇]'*)"
    r"|(?P<word>[^\W\d_]\w*(?:['’][a-z]+)?)|(?P<script>\*\*|[_^])"
    r"|(?P<operator>:=|<=|>=|->|\+-|\.\.|(?<=\w)\.(?=[a-z](?!\w))|[-+*/=<>≤≥≈∘⊙√±−·×→≠…½ᵀ²³∞∈])"
    r"|(?P<open>[(\[|])|(?P<close>[)\]])|(?P<space>\s+)|(?P<other>.)",
    re.DOTALL,
)
FUNCTIONS = {"exp", "log", "max", "min", "erf", "tanh", "sup", "abs", "sqrt", "Var", "sin", "cos", "sign"}
ARTICLES = {"a", "A", "I"}
INITIAL = re.compile(r"[A-Z]\.(?=[\s-]?[A-Z])")
SIGNS = {"<=": "≤", ">=": "≥", "->": "→", "+-": "±", "-": "−", "*": "·", "..": "‥", ".": "·", "oo": "∞"}
AROUND = set("=∘+-−*/<>ᵀ")
CLOSING = {"(": ")", "[": "]", "|": "|"}
BETWEEN = {"=", "<", ">", "≤", "≥", ":=", "<=", ">=", "->", "+", "-", "*", "/", "≈", "∘", "⊙", "+-", "..", ".", "−",
           "±", "·", "×", "→", "≠", "…", "∈"}  # fmt: skip
PREFIX = {"-", "−", "√", "½", "+-", "±"}
SUFFIX = {"ᵀ", "²", "³"}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    begin: int
    end: int


@dataclass(frozen=True)
class _Atom:
    """A piece of a formula: what it is, its parts, and whether it makes its neighbours mathematics."""

    kind: str
    text: str = ""
    parts: tuple[_Atom, ...] = ()
    sub: tuple[_Atom, ...] = ()
    sup: tuple[_Atom, ...] = ()
    strong: bool = False


def split_prose(text: str) -> list[tuple[str, tuple[_Atom, ...]]]:
    """The pieces of a sentence in order: (what stands there, its formula; empty for plain words)."""
    tokens = [_Token(m.lastgroup or "", m[0], m.start(), m.end()) for m in TOKEN.finditer(text)]
    pieces: list[tuple[str, tuple[_Atom, ...]]] = []
    at, plain = 0, 0
    while at < len(tokens):
        reader = _Reader(text, tokens, at)
        found = reader.read_run()
        if any(atom.strong for atom in found):
            begin, end = tokens[at].begin, tokens[reader.at - 1].end
            pieces += [(text[plain:begin], ())] if begin > plain else []
            pieces.append((text[begin:end], tuple(found)))
            plain, at = end, reader.at
        else:
            at += 1
    return pieces + ([(text[plain:], ())] if plain < len(text) else [])


class _Reader:
    """Reads one formula from a place on, as far as it goes."""

    def __init__(self, text: str, tokens: list[_Token], at: int) -> None:
        self.text, self.tokens, self.at = text, tokens, at

    def peek(self, ahead: int = 0) -> _Token:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else _Token("end", "", len(self.text), len(self.text))

    def read_run(self) -> list[_Atom]:
        """Operands with operators between them; what is left over at the end stays in the sentence."""
        atoms: list[_Atom] = []
        while True:
            operand = self.read_operand()
            if operand is None:
                return atoms
            atoms += operand
            mark, joint = self.at, self.skip_space()
            operators: list[_Atom] = []
            while self.peek().kind == "operator" and self.peek().text in BETWEEN:
                operators.append(_Atom("operator", self.peek().text))
                self.at += 1
                self.skip_space()
            ahead = _Reader(self.text, self.tokens, self.at)
            following = ahead.read_operand()
            product = following is not None and joint and following[0].strong and atoms[-1].strong
            if following is None or not (operators or product or not joint):
                self.at = mark
                return atoms
            atoms += operators

    def skip_space(self) -> bool:
        """Whether there was space."""
        begin = self.at
        while self.peek().kind == "space" and "\n" not in self.peek().text:
            self.at += 1
        return self.at > begin

    def read_operand(self) -> list[_Atom] | None:
        """A number, a letter, a call or a group with its scripts; None where the sentence goes on."""
        signs = []
        while self.peek().kind == "operator" and self.peek().text in PREFIX:
            signs.append(_Atom("operator", self.peek().text, strong=self.peek().text == "√"))
            self.at += 1
        atom = self.read_atom()
        if atom is None:
            return [_Atom("operator", "½")] if signs and signs[-1].text == "½" else None
        while self.peek().kind == "operator" and self.peek().text in SUFFIX:
            suffix = _Atom("operator", self.peek().text)
            atom = _Atom(atom.kind, atom.text, atom.parts, atom.sub, (*atom.sup, suffix), atom.strong)
            self.at += 1
        return [*signs, atom]

    def read_atom(self) -> _Atom | None:
        token = self.peek()
        if token.kind == "number" or token.text in ("∞", "…"):
            self.at += 1
            return (
                self.add_scripts(_Atom("number", token.text)) if token.kind == "number" else _Atom("number", token.text)
            )
        if token.kind == "letter" and not self.is_word(token):
            return self.read_letter(token)
        if token.kind == "greek":
            self.at += 1
            return self.add_scripts(_Atom("letter", SPELLED[token.text], strong=True))
        if token.kind == "word" and token.text in FUNCTIONS and self.peek(1).text in ("(", "["):
            self.at += 1
            call = self.read_group()
            if call is not None:
                return _Atom("row", parts=(_Atom("function", token.text), self.add_scripts(call)), strong=True)
            self.at -= 1
        group = self.read_group() if token.kind == "open" else None
        return None if group is None else self.add_scripts(group)

    def read_letter(self, token: _Token) -> _Atom:
        """A letter, its scripts, and what it is called with."""
        self.at += 1
        call = self.read_group() if self.peek().text in ("(", "[") else None
        atom = _Atom("letter", token.text, strong=True)
        atom = atom if call else self.add_scripts(atom)
        call = call or (self.read_group() if atom.sub and self.peek().text == "(" else None)
        return atom if call is None else _Atom("row", parts=(atom, self.add_scripts(call)), strong=True)

    def is_word(self, token: _Token) -> bool:
        """An article, the first name of an author."""
        if INITIAL.match(self.text, token.begin):
            return True
        if token.text not in ARTICLES or self.peek(1).kind == "script":
            return False
        after, before = self.text[token.end :].lstrip(), self.text[: token.begin].rstrip()
        called = self.text[token.end : token.end + 1] in {"(", "["}
        return not called and after[:1] not in AROUND and before[-1:] not in AROUND | {"∂", "["}

    def read_group(self) -> _Atom | None:
        """Brackets with nothing but mathematics in them."""
        begin, opened = self.at, self.peek().text
        self.at += 1
        inside: list[_Atom] = []
        while self.peek().text != CLOSING[opened]:
            found = self.read_run()
            if not found:
                joins = self.peek().kind in ("operator", "space") or self.peek().text in (",", ";")
                if not joins:
                    self.at = begin
                    return None
                inside += [] if self.peek().kind == "space" else [_Atom("operator", self.peek().text)]
                self.at += 1
            inside += found
        self.at += 1
        real = any(atom.strong for atom in inside) or (inside and len(inside) == 1 and inside[0].kind == "number")
        parts = (_Atom("open", opened), *inside, _Atom("close", CLOSING[opened]))
        if not inside:
            self.at = begin
            return None
        return _Atom("row", parts=parts, strong=bool(real) and any(atom.strong for atom in inside))

    def add_scripts(self, atom: _Atom) -> _Atom:
        """_j, ^l, ^{l+1}, _(k-1), _in."""
        sub, sup = atom.sub, atom.sup
        if atom.text in GREEK and self.peek().kind == "number" and not sub:  # β1
            sub = (_Atom("number", self.peek().text),)
            self.at += 1
        while self.peek().kind == "script":
            mark, below = self.at, self.peek().text == "_"
            self.at += 1
            script = self.read_script()
            if script is None:
                self.at = mark
                break
            sub, sup = (script, sup) if below else (sub, script)
        return _Atom(atom.kind, atom.text, atom.parts, sub, sup, atom.strong or bool(sub or sup))

    def read_script(self) -> tuple[_Atom, ...] | None:
        place = self.peek().begin
        found = re.compile(r"\{([^{}]*)\}|\(([^()]*)\)|([0-9]+|[^\W\d_]+|T)|(-?\d+)|([*'])").match(self.text, place)
        if found is None:
            return None
        while self.peek().begin < found.end():
            self.at += 1
        body = found[1] if found[1] is not None else found[2] if found[2] is not None else found[0]
        if body.isalpha() and body.isascii() and len(body) > 2 and found[3]:
            return (_Atom("name", body),)
        return tuple(_Atom(*_kind_of(piece)) for piece in re.findall(r"\d+|\w'*|[^\s\w]", body))


def _kind_of(piece: str) -> tuple[str, str]:
    kind = "number" if piece[0].isdigit() else "letter" if piece[0].isalpha() else "operator"
    return kind, piece


def typeset(text: str, style: str) -> str:
    """A sentence in an alphabet: its words escaped, its formulas set.  `style` is "latex", "mathml" or "text".

    >>> typeset("δ^L := ∂C/∂z", "mathml")[:35]
    '<math><msup><mi>δ</mi><mrow><mi>L</'
    """
    if style == "text":
        return text
    alphabet = ALPHABETS[style]
    return "".join(_write(piece, formula, alphabet, style) for piece, formula in split_prose(text))


CODE = {"latex": r"\texttt{%s}", "mathml": "<code>%s</code>"}


def _write(piece: str, formula: tuple[_Atom, ...], alphabet: Alphabet, style: str) -> str:
    if not formula:
        for ascii_sign in ("<=", ">=", "->", "+-"):
            piece = piece.replace(ascii_sign, SIGNS[ascii_sign])
        turn = escape_latex if style == "latex" else escape
        parts = re.split(r"`([^`\n]+)`", piece)
        return "".join(CODE[style] % turn(part) if k % 2 else turn(part) for k, part in enumerate(parts))
    body = "".join(_set(formula, alphabet, alphabet.times))
    return f"${body}$" if style == "latex" else f"<math>{body}</math>"


def _set(atoms: tuple[_Atom, ...], alphabet: Alphabet, times: str) -> Iterator[str]:
    for before, atom in zip((None, *atoms), atoms, strict=False):
        side = before is not None and {before.kind, atom.kind} <= {"letter", "row", "number"}
        bare = before is not None and (atom.parts or before.text in ("∂", "∇"))
        yield times if side and not bare else ""
        yield _set_one(atom, alphabet)


def _set_one(atom: _Atom, alphabet: Alphabet) -> str:
    if atom.kind == "row":
        root = atom.parts[0].kind == "function" and atom.parts[0].text == "sqrt"
        inner = tuple(atom.parts[1].parts[1:-1]) if root else atom.parts
        body = "".join(_set(inner, alphabet, alphabet.times))
        base = alphabet.root(body) if root else alphabet.row([body])
    elif atom.kind == "letter":
        letter = atom.text.rstrip("'")
        base = alphabet.operator(letter) if letter in "∂∇Σ" else alphabet.letter(letter)
        base = alphabet.prime(base, len(atom.text) - len(letter))
    elif atom.kind == "number":
        base = (
            alphabet.number(atom.text) if atom.text[0].isdigit() else alphabet.operator(SIGNS.get(atom.text, atom.text))
        )
    elif atom.kind in ("function", "name"):
        base = alphabet.word(atom.text)
    else:
        base = alphabet.operator(SIGNS.get(atom.text, atom.text))
    sub, sup = ("".join(_set(part, alphabet, "")) for part in (atom.sub, atom.sup))
    return alphabet.scripts(base, sub, sup)
