"""Files appear whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.errors import UsageError
from backprop.files import write_atomically

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="devices and modes are POSIX")


@given(st.one_of(st.text(), st.binary()))
def test_what_is_written_is_what_is_read(tmp_path_factory, content):
    path = write_atomically(tmp_path_factory.mktemp("out") / "file", content)
    expected = content.encode("utf-8") if isinstance(content, str) else content
    assert path.read_bytes() == expected


def test_a_function_may_write(tmp_path):
    path = write_atomically(tmp_path / "file", lambda stream: stream.write(b"abc"))
    assert path.read_bytes() == b"abc"


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, OSError])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, failure):
    path = tmp_path / "file"
    path.write_text("old")

    def write(stream):
        stream.write(b"half of the n")
        raise failure("stop")

    expected = UsageError if failure is OSError else failure
    with pytest.raises(expected):
        write_atomically(path, write)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_failure_leaves_nothing_where_nothing_was(tmp_path):
    with pytest.raises(ZeroDivisionError):
        write_atomically(tmp_path / "file", lambda stream: 1 / 0)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["", "  ", "missing/file", "a\0b", "x" * 5000])
def test_an_impossible_name_is_one_line(tmp_path, name):
    path = name if not name.strip() else f"{tmp_path}/{name}"
    with pytest.raises(UsageError, match="cannot write") as caught:
        write_atomically(path, "text")
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(UsageError, match="it is a folder"):
        write_atomically(tmp_path, "text")


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot write"):
        write_atomically(tmp_path / "file" / "inner", "text")


@needs_posix
def test_a_device_is_not_replaced():
    write_atomically("/dev/null", "text")
    assert not Path("/dev/null").is_file()


@needs_posix
def test_a_link_survives_and_its_target_is_written(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


@needs_posix
def test_the_mode_of_an_old_file_is_kept(tmp_path):
    path = tmp_path / "script"
    path.write_text("old")
    path.chmod(0o750)
    write_atomically(path, "new")
    assert path.stat().st_mode & 0o777 == 0o750
