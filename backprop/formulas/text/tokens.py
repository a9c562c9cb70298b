"""Letters in, tokens out: LaTeX, Unicode and plain text become one alphabet; every token knows its column."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from backprop.formulas.text.tree import NotUnderstood

__all__ = ["ACCENTS", "LONGEST", "TRANSPOSES", "Lexeme", "first_piece", "tokenise", "undress"]

LONGEST = 4000
"""Characters of a text; what is longer is not a formula."""

MODULES = ("np", "numpy", "torch", "jnp", "tf", "math")
DEEPEST = 40
FONTS = {"mathrm", "text", "mathbf", "boldsymbol", "operatorname", "mathbb", "bm", "mathsf", "mathit", "textbf",
         "textit", "textrm", "mathtt", "rm", "bf", "mbox", "pmb", "texttt"}  # fmt: skip
ACCENTS = {"hat", "bar", "tilde", "vec", "dot", "widehat", "overline", "widetilde", "underline", "ddot", "check",
           "mathcal", "mathscr", "mathfrak"}  # fmt: skip
SILENT = {"left", "right", "displaystyle", "textstyle", "limits", "nolimits", "big", "Big", "bigg", "Bigg", "bigl",
          "bigr", "Bigl", "Bigr", "biggl", "biggr", "middle", "nonumber", "mathstrut"}  # fmt: skip
SPACES = {",", ";", ":", "!", " ", ">", "quad", "qquad"}
SAME = {
    "\\cdotp": "\\cdot", "·": "\\cdot", "⋅": "\\cdot", "∙": "\\cdot", "×": "\\times", "∗": "*", "\\ast": "*",
    "⊙": "\\odot", "∘": "\\circ", "◦": "\\circ", "⊗": "\\otimes", "⊘": "\\oslash", "−": "-", "–": "-", "÷": "/",
    "∑": "\\sum", "Σ": "\\sum", "∏": "\\prod", "Π": "\\prod", "∂": "\\partial", "∇": "\\nabla", "√": "\\sqrt",
    "∞": "\\infty", "≤": "<=", "≥": ">=", "≠": "!=", "\\le": "<=", "\\leq": "<=", "\\geq": ">=", "\\ge": ">=",
    "\\leqslant": "<=", "\\geqslant": ">=", "\\ne": "!=", "\\neq": "!=", "\\lt": "<", "\\gt": ">", "≈": "\\approx",
    "\\simeq": "\\approx", "≡": "=", "\\equiv": "=", "∼": "~", "\\sim": "~", "←": ":=", "\\leftarrow": ":=",
    "\\gets": ":=", "\\to": ":=", "→": ":=", "\\rightarrow": ":=", "\\mapsto": ":=", "\\triangleq": "=",
    "\\doteq": "=", "\\longrightarrow": ":=", "\\longleftarrow": ":=",
    "\\coloneqq": ":=", "≔": ":=", "<-": ":=", "==": "=", "'": "'", "′": "'", "\\prime": "'", "’": "'",
    "⊤": "\\top", "\\intercal": "\\top", "‖": "\\|", "||": "\\|", "\\Vert": "\\|", "\\lVert": "\\|", "\\rVert": "\\|",
    "\\lvert": "|", "\\rvert": "|", "\\vert": "|", "\\mid": "|", "∣": "|", "\\lbrace": "\\{", "\\rbrace": "\\}",
    "…": "...", "\\dots": "...", "\\cdots": "...", "\\ldots": "...", "⋯": "...", "\\dfrac": "\\frac",
    "\\tfrac": "\\frac", "\\cfrac": "\\frac", "∈": "\\in", "⟨": "\\langle", "⟩": "\\rangle", "\\lbrack": "[",
    "\\rbrack": "]", "∀": "\\forall", "ℒ": "\\mathcal{L}", "ε": "\\epsilon", "ϵ": "\\epsilon",
    "\\varepsilon": "\\epsilon", "φ": "\\phi", "ϕ": "\\phi", "\\varphi": "\\phi", "\\ln": "\\log",
}  # fmt: skip
GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ζ": "zeta", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "χ": "chi",
    "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Φ": "Phi", "Ψ": "Psi",
    "Ω": "Omega",
}  # fmt: skip
SAME |= {letter: "\\" + name for letter, name in GREEK.items()}
TRANSPOSES = ("T", "\\top", "⊤", "t", "'")
_PATTERN = re.compile(
    r"(?P<space>\s+|~(?=\s*$))"
    r"|(?P<num>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?:\.(?=\s*[-+/*)]))?|\.\d+)"
    r"|(?P<command>\\(?:[A-Za-z]+|.))"
    r"|(?P<word>[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*)"
    r"|(?P<op>\.\.\.|\.\*|\./|\*\*|:=|<-|<=|>=|!=|==|\|\||[-+*/@.,;:=<>()\[\]{}^_|~!&'’?])"
)


@dataclass(frozen=True)
class Lexeme:
    """A piece of text: `kind` is word, num, op or end."""

    kind: str
    text: str
    start: int
    end: int


_DRESS = re.compile(
    r"\$|(?<!\\)\\[()\[\]]|\\(?:tag|label|phantom|hspace|vspace)\*?\{[^{}]*\}"
    r"|\\(?:begin|end)\{(?:align|aligned|equation|split|gather|gathered|displaymath|math)\*?\}"
    r"|&(?=\s*(?:=|\\approx|:=|\\gets|\\leftarrow))"
)
"""What dresses a formula for the page and says nothing."""


def undress(text: str) -> str:
    """The text without dollars, numbers and alignment, every other sign at its own column.

    >>> undress("$a &= b$")
    ' a  = b '
    """
    return _DRESS.sub(lambda match: " " * len(match.group()), text)


def tokenise(text: str) -> list[Lexeme]:
    """The tokens of a formula; spaces are gone, fonts are gone.

    >>> [t.text for t in tokenise("\\\\delta_j = σ'(z²)")]
    ['\\\\delta', '_', 'j', '=', '\\\\sigma', "'", '(', 'z', '^', '{', '2', '}', ')']
    """
    if len(text) > LONGEST:
        raise NotUnderstood(f"{len(text)} characters, at most {LONGEST} are read", LONGEST)
    tokens: list[Lexeme] = []
    at, text = 0, undress(text)
    while at < len(text):
        at = _take(text, at, tokens)
    check_depth(tokens)
    return _join_accents(_split_arguments(_drop_fonts(_drop_modules(tokens))))


def first_piece(text: str) -> str:
    """The first token of a key.  NotUnderstood if there is none.

    >>> first_piece("\\\\sigma(z)")
    '\\\\sigma'
    """
    pieces = tokenise(text)
    if not pieces:
        raise NotUnderstood(f"the key {text!r} names nothing")
    return pieces[0].text


def check_depth(tokens: list[Lexeme]) -> None:
    """Refuse what is nested more deeply than any formula."""
    depth = 0
    for token in tokens:
        depth += (token.text in ("(", "[", "{", "\\{")) - (token.text in (")", "]", "}", "\\}"))
        if depth > DEEPEST:
            raise NotUnderstood("nested too deeply", token.start)


def _drop_modules(tokens: list[Lexeme]) -> list[Lexeme]:
    """np.sum is sum."""
    skip = {
        at for at, t in enumerate(tokens) if t.text in MODULES and [x.text for x in tokens[at + 1 : at + 2]] == ["."]
    }
    return [t for at, t in enumerate(tokens) if at not in skip and at - 1 not in skip]


def _take(text: str, at: int, tokens: list[Lexeme]) -> int:
    """Read one token; where the next begins."""
    match = _PATTERN.match(text, at)
    if match is None:
        return _take_unicode(text, at, tokens)
    kind, piece, end = str(match.lastgroup), match.group(), match.end()
    if kind == "num" and piece.startswith(".") and tokens and tokens[-1].end == at and tokens[-1].kind != "op":
        kind, piece, end = "op", ".", at + 1
    if kind == "command":
        _take_command(piece, at, end, tokens)
    elif kind != "space":
        piece = SAME.get(piece, piece)
        tokens.append(Lexeme(kind, piece, at, end))
    return end


def _take_command(piece: str, at: int, end: int, tokens: list[Lexeme]) -> None:
    name = piece[1:]
    if name in SILENT:
        return
    if name in SPACES:
        if name in ("quad", "qquad"):
            tokens.append(Lexeme("op", "\\quad", at, end))
        return
    piece = SAME.get(piece, piece)
    named = piece.startswith("\\") and piece[1:].isalpha() and piece not in ("\\top",)
    tokens.append(Lexeme("word" if named else "op", piece, at, end))


def _take_unicode(text: str, at: int, tokens: list[Lexeme]) -> int:
    """A letter or sign outside ASCII: small raised and lowered digits become scripts, Greek its name."""
    char = text[at]
    if char in SAME:
        tokens.append(Lexeme("word" if _is_letter(SAME[char]) else "op", SAME[char], at, at + 1))
        return at + 1
    plain = unicodedata.normalize("NFKC", char)
    form = unicodedata.decomposition(char)
    if form.startswith(("<super>", "<sub>")) and len(plain) == 1:
        sign = "^" if form.startswith("<super>") else "_"
        return _take_small(text, at, sign, tokens)
    if unicodedata.combining(char) and tokens and tokens[-1].kind == "word":
        last = tokens.pop()
        tokens.append(Lexeme("word", last.text + char, last.start, at + 1))
        return at + 1
    if plain != char and plain.strip():
        if form.startswith("<fraction>"):
            plain = f"({plain.replace(chr(0x2044), '/')})"
        inner = tokenise(plain) if len(plain) < 7 else []
        tokens.extend(Lexeme(t.kind, t.text, at, at + 1) for t in inner)
    elif plain.isalpha():
        tokens.append(Lexeme("word", plain, at, at + 1))
    elif plain.strip() and unicodedata.category(char) not in ("Cf", "Zs"):
        raise NotUnderstood(f"the sign {char!r} is not known", at)
    return at + 1


def _is_letter(name: str) -> bool:
    """Whether a command is that of a letter or a function, not of a sign."""
    named = name.startswith("\\") and len(name) > 2 and name[1:].isalpha() and name not in ("\\top",)
    return named or name.startswith("\\mathcal")


def _take_small(text: str, at: int, sign: str, tokens: list[Lexeme]) -> int:
    """A run of raised (or lowered) characters is one script."""
    form, end = ("<super>" if sign == "^" else "<sub>"), at
    while end < len(text) and unicodedata.decomposition(text[end]).startswith(form):
        end += 1
    inner = unicodedata.normalize("NFKC", text[at:end])
    tokens.append(Lexeme("op", sign, at, at + 1))
    tokens.append(Lexeme("op", "{", at, at + 1))
    tokens.extend(Lexeme(t.kind, t.text, at, end) for t in tokenise(inner))
    tokens.append(Lexeme("op", "}", end - 1, end))
    return end


def _drop_fonts(tokens: list[Lexeme]) -> list[Lexeme]:
    """A font says nothing: \\mathbf{W} is W, \\mathrm{Var} one word."""
    out: list[Lexeme] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "word" and token.text[1:] in FONTS and token.text.startswith("\\"):
            at = _take_font(tokens, at, out)
            continue
        out.append(token)
        at += 1
    return out


def _take_font(tokens: list[Lexeme], at: int, out: list[Lexeme]) -> int:
    if at + 1 >= len(tokens) or tokens[at + 1].text != "{":
        return at + 1
    end = _closing(tokens, at + 1)
    inner = _drop_fonts(tokens[at + 2 : end])
    if inner and all(t.kind in ("word", "num") and not t.text.startswith("\\") for t in inner):
        out.append(
            Lexeme("word", "".join(t.text for t in inner), tokens[at].start, tokens[min(end, len(tokens) - 1)].end)
        )
    else:
        out.extend(inner)
    return end + 1


def _closing(tokens: list[Lexeme], opening: int) -> int:
    depth = 0
    for at in range(opening, len(tokens)):
        depth += (tokens[at].text == "{") - (tokens[at].text == "}")
        if depth == 0:
            return at
    raise NotUnderstood("this bracket is not closed", tokens[opening].start)


def _split_arguments(tokens: list[Lexeme]) -> list[Lexeme]:
    """Without braces a command takes one letter or digit each: \\hat x_i is \\hat{x}_i, \\frac12 is 1/2."""
    out: list[Lexeme] = []
    open_ones = 0
    for token in tokens:
        whole = token.kind == "op" or token.text.startswith("\\")
        if token.text[1:] in (*ACCENTS, "frac") and token.text.startswith("\\"):
            open_ones = 2 if token.text == "\\frac" else 1
        elif open_ones and (whole or len(token.text) == 1):
            open_ones = open_ones - 1 if token.text != "{" else 0
        elif open_ones:
            pieces = _letter_by_letter(token, open_ones)
            open_ones = 0
            out += pieces
            continue
        out.append(token)
    return out


def _letter_by_letter(token: Lexeme, count: int) -> list[Lexeme]:
    """The first letters of a token each by itself, then the rest."""
    first = [
        Lexeme("num" if char.isdigit() else "word", char, token.start + at, token.start + at + 1)
        for at, char in enumerate(token.text[:count])
    ]
    rest = [
        Lexeme(t.kind, t.text, t.start + token.start + count, t.end + token.start + count)
        for t in tokenise(token.text[count:])
    ]
    return first + rest


def _join_accents(tokens: list[Lexeme]) -> list[Lexeme]:
    """\\hat{z} is one name."""
    out: list[Lexeme] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "word" and token.text[1:] in ACCENTS and token.text.startswith("\\") and at + 1 < len(tokens):
            braced = tokens[at + 1].text == "{"
            end = _closing(tokens, at + 1) if braced else at + 1
            inner = _join_accents(tokens[at + 2 : end] if braced else [tokens[at + 1]])
            if len(inner) == 1 or (inner and all(t.kind == "word" for t in inner)):
                name = f"{token.text}{{{''.join(t.text for t in inner)}}}"
                out.append(Lexeme("word", name, token.start, tokens[end].end))
                at = end + 1
                continue
            out += (
                [Lexeme("word", f"{token.text}{{{inner[0].text}}}", token.start, inner[0].end), *inner[1:]]
                if inner
                else []
            )
            at = end + 1
            continue
        out.append(token)
        at += 1
    return out
