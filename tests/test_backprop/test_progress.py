"""Progress goes to standard error, as plain lines where there is no terminal."""

from __future__ import annotations

from backprop.progress import show_count


def test_progress_is_plain_and_on_standard_error_where_there_is_no_terminal(capsys):
    with show_count("networks") as progress:
        for done in range(1, 21):
            progress(done, 20)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1] == "20/20 networks"
    assert len(captured.err.splitlines()) <= 11
    assert "\x1b" not in captured.err
