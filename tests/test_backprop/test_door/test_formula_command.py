"""check-formula at the command line: statuses, JSON, the caret."""

from __future__ import annotations

import json

from backprop.door.cli import main

RIGHT = r"\delta^l = ((W^{l+1})^T \delta^{l+1}) \odot f'(z^l)"
WRONG = "σ'(x) = σ(x)(1 + σ(x))"


def test_a_right_formula_is_status_0_and_says_how_it_was_read(capsys):
    assert main(["check-formula", RIGHT]) == 0
    out = capsys.readouterr().out
    assert out.startswith("holds: ")
    assert "taken as" in out


def test_a_wrong_formula_is_status_1_and_its_term_is_named(capsys):
    assert main(["check-formula", WRONG, "--where", "σ: logistic; x: scalar", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["understood"]
    assert answer["holds"] is False
    assert "1 + σ(x)" in answer["differs"]
    assert answer["nearest"] == "σ'(x) = σ(x)(1 - σ(x))"
    assert answer["counterexample"]["left"] != answer["counterexample"]["right"]


def test_what_is_not_understood_is_status_2_with_the_column(capsys):
    assert main(["check-formula", "a = \\frac{b}{"]) == 2
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1].index("^") == 2 + len("a = \\frac{b}{")
    assert "column 14" in captured.err
    assert len(captured.err.splitlines()) == 1


def test_conventions_come_from_a_file(tmp_path, capsys):
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"definitions": {"z": "xW"}, "layers": {"W": "in,out"}, "vectors": "rows",
                                "layout": "numerator", "letters": {"x": "input", "W": "weight"}}))  # fmt: skip
    assert main(["check-formula", r"\frac{\partial z}{\partial x} = W^T", "--conventions", str(file)]) == 0
    assert main(["check-formula", r"\frac{\partial z}{\partial x} = W", "--conventions", str(file)]) == 1
    capsys.readouterr()


def test_unusable_conventions_are_one_line(tmp_path, capsys):
    file = tmp_path / "keys.json"
    for text, said in (("[]", "no JSON object"), ("{", "is no JSON"), ('{"lettres": {}}', "did you mean 'letters'")):
        file.write_text(text)
        assert main(["check-formula", "a = b", "--conventions", str(file)]) == 2
        assert said in capsys.readouterr().err
    assert main(["check-formula", "a = b", "--where", "nothing"]) == 2
    assert "--where" in capsys.readouterr().err
