"""The two laws of the house: imports go down only, and no oracle reaches its suspect."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("theory", "backprop")
BOOK_MAY_IMPORT = {"sympy", "mpmath", "theory"}
FLOORS = [
    ("backprop.errors",),
    ("backprop.arrays",),
    ("backprop.layers",),
    ("backprop.plan",),
    (
        "backprop.files",
        "backprop.network",
        "backprop.specification",
        "backprop.data",
        "backprop.datasets",
        "backprop.examiner",
    ),
    ("backprop.codegen", "backprop.runtime.parameters"),
    ("backprop.activation_functions", "backprop.runtime", "backprop.strategies"),
    ("backprop.saving",),
    ("backprop.diagnosis",),
    ("backprop.explanation",),
    ("backprop.verification", "backprop.grading", "backprop.training", "backprop.approximation"),
    (
        "backprop.plots",
        "backprop.plots_accuracy",
        "backprop.plots_approximation",
        "backprop.plots_style",
        "backprop.estimators",
    ),
    ("backprop.figures",),
    ("backprop.reporting",),
    ("backprop.commands", "backprop.cli", "backprop.__main__"),
]
EXAMINER_MAY_IMPORT = {"numpy", "flint", "backprop.errors", "backprop.examiner"}
ADAPTED = {"torch", "jax", "sklearn"}  # optional peers: an adapter imports its own when it is used
LAZY = {"backprop/cli.py", "backprop/commands.py", "backprop/__main__.py"}  # the door: rooms when a command needs them


def module_name(path: Path) -> str:
    """theory/layers/dense.py -> theory.layers.dense"""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """Every imported module of a file, and whether the import stands at the top of the file.

    Imports under `if TYPE_CHECKING` are for the type checker only and never run.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    top = {id(node) for node in tree.body}
    found = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            names = [f"{node.module}.{a.name}" for a in node.names]
            modules = [n if is_module(n) else str(node.module) for n in names]
            found += [(module, id(node) in top) for module in dict.fromkeys(modules)]
    return found


def is_module(name: str) -> bool:
    """Is there a file or package of that name in the house?"""
    path = ROOT / Path(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def files(package: str) -> list[Path]:
    """Every source file of a package."""
    return sorted((ROOT / package).rglob("*.py"))


def floor_of(module: str) -> int:
    """The floor of a module: its longest listed prefix decides."""
    matches = [
        (len(room), level)
        for level, rooms in enumerate(FLOORS)
        for room in rooms
        if module == room or module.startswith(room + ".")
    ]
    assert matches, f"{module} is on no floor; enter it into FLOORS"
    return max(matches)[1]


@pytest.mark.parametrize("path", files("theory"), ids=module_name)
def test_the_book_knows_sympy_and_the_standard_library_only(path):
    for name, _ in imports_of(path):
        root = name.split(".")[0]
        assert root in BOOK_MAY_IMPORT or root in sys.stdlib_module_names, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", files("backprop"), ids=module_name)
def test_imports_go_down_only(path):
    module = module_name(path)
    if module == "backprop":
        return
    for name, _ in imports_of(path):
        if name.startswith("backprop."):
            assert floor_of(name) <= floor_of(module), f"{module} imports {name} from a floor above"


@pytest.mark.parametrize("path", [p for package in PACKAGES for p in files(package)], ids=module_name)
def test_imports_stand_at_the_top_of_a_file(path):
    if str(path.relative_to(ROOT).as_posix()) in LAZY:
        return
    inside = [name for name, at_top in imports_of(path) if not at_top and name.split(".")[0] in PACKAGES]
    assert inside == []


@pytest.mark.parametrize("path", files("backprop/examiner"), ids=module_name)
def test_the_examiner_reaches_neither_theory_nor_generator(path):
    for name, at_top in imports_of(path):
        allowed = any(name == room or name.startswith(room + ".") for room in EXAMINER_MAY_IMPORT)
        allowed |= path.parent.name == "adapters" and name.split(".")[0] in ADAPTED and not at_top
        assert allowed or name.split(".")[0] in sys.stdlib_module_names, f"{path.name} imports {name}"


def run_python(code: str) -> str:
    """What a fresh interpreter prints."""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return result.stdout.strip()


def test_importing_backprop_loads_neither_sympy_nor_matplotlib_nor_numpy():
    code = "import sys, backprop; print([m for m in ('sympy', 'matplotlib', 'numpy') if m in sys.modules])"
    assert run_python(code) == "[]"


def test_importing_the_examiner_loads_neither_sympy_nor_theory():
    code = (
        "import sys, backprop.examiner.generated; "
        "print([m for m in sys.modules if m == 'sympy' or m.startswith(('theory', 'backprop.codegen'))])"
    )
    assert run_python(code) == "[]"


def test_importing_theory_loads_no_numpy():
    assert run_python("import sys, theory.book; print('numpy' in sys.modules)") == "False"


def test_every_package_folder_says_what_lives_there():
    folders = {path.parent for package in PACKAGES for path in files(package) if path.name == "__init__.py"}
    missing = [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "README.md").is_file()]
    assert missing == []


def test_every_public_name_loads():
    import backprop

    for name in backprop.__all__:
        assert getattr(backprop, name) is not None
    for room in backprop.ROOMS:
        assert getattr(backprop, room).__name__ == f"backprop.{room}"


def test_an_unknown_public_name_is_an_attribute_error():
    import backprop

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = backprop.nonsense
