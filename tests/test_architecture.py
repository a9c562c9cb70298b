"""The laws of the house: rooms within rooms, imports strictly down, no oracle reaches its suspect, and a house that
only
shrinks."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from kit.house import (
    PACKAGES,
    ROOT,
    arrows,
    classes,
    count_lines,
    files,
    find_cycle,
    folders,
    handed_on,
    imports_of,
    inside,
    lists_of,
    long_functions,
    means_something,
    module_name,
    modules,
    names_in_readme,
    reached_from,
    rooms_in,
)

FLOORS = (
    "version", "shown", "errors", "files", "progress", "arrays", "npz", "tensors", "processes", "copies", "answers",
    "specification", "codegen",
    "runtime", "examiner", "diagnosis", "reading", "attaching", "formulas", "verification", "datasets", "data",
    "training", "lecture", "frameworks", "approximation", "estimators", "pictures", "drawing", "stories", "reporting",
    "door", "__main__",
)  # fmt: skip
"""The rooms of backprop from the ground up, as backprop/README.md lists them."""

MOST_MODULES = 15
BOOK_MAY_IMPORT = {"sympy", "mpmath", "theory"}
EXAMINER_MAY_IMPORT = {"numpy", "flint", "backprop"}
ADAPTED = {"torch", "jax", "sklearn"}
"""Optional peers: an adapter imports its own when it is used."""

NAMES_OF_ORACLES = {"NoValue"}
"""What the checker of certificates calls as the prover does, and shares nothing with it."""

# Ratchets: these numbers may only fall.
LINES = {
    "backprop.codegen.recurrence": 390,
    "backprop.codegen.tangents": 225,
    "backprop.runtime.tangents": 35,
    "theory.chapters.networks.tangents": 185,
    "backprop.runtime.recurrent": 130,
    "backprop.specification.recurrent_form": 45,
    "backprop.specification.recurrent": 75,
    "theory.chapters.networks.recurrent": 180,
    "theory.language.layer_sums": 45,
    "theory.layers.gru": 50,
    "theory.layers.lstm": 30,
    "theory.layers.recurrent": 70,
    "theory.notations": 295,
    "theory.chapters.notations": 130,
    "theory.witnesses.readings": 85,
    "theory.chapters.approximation.parallels": 410,
    "theory.chapters.approximation.least_width": 80,
    "theory": 9_532,
    "theory.chapters.book": 110,
    "backprop.approximation.checking.means": 185,
    "backprop.approximation.checking.models": 90,
    "backprop.approximation.measures": 695,
    "backprop.approximation.spaces": 315,
    "backprop.approximation.survey.series": 115,
    "backprop.approximation.widths": 755,
    "backprop.approximation": 10_223,
    "backprop.answers": 55,
    "backprop.attaching.costing": 2_327,
    "backprop.attaching.running": 1_965,
    "backprop.attaching": 4_871,
    "backprop.codegen": 5_070,
    "backprop.copies": 280,
    "backprop.data": 680,
    "backprop.diagnosis": 6_064,
    "backprop.door.approximating": 145,
    "backprop.door.pytest_plugin": 180,
    "backprop.door.files": 185,
    "backprop.door.notations": 50,
    "backprop.door.screen": 50,
    "backprop.door": 1_080,
    "backprop.drawing": 420,
    "backprop.examiner.apart.asking": 210,
    "backprop.examiner.subject.adapters.torch_losses": 100,
    "backprop.examiner": 9_057,
    "backprop.formulas.mending": 1_400,
    "backprop.formulas.judging": 1_235,
    "backprop.formulas": 7_700,
    "backprop.frameworks": 685,
    "backprop.lecture": 570,
    "backprop.npz": 70,
    "backprop.pictures.series": 70,
    "backprop.pictures": 1_475,
    "backprop.processes": 290,
    "backprop.progress": 135,
    "backprop.reading": 4_610,
    "backprop.reporting.pages": 935,
    "backprop.reporting": 880,
    "backprop.runtime": 1_005,
    "backprop.shown": 30,
    "backprop.specification": 1_000,
    "backprop.stories": 635,
    "backprop.tensors": 45,
    "backprop.training": 2_100,
    "backprop.verification.mends": 185,
    "backprop.verification.placing": 90,
    "backprop.verification": 1_135,
}
LONG_FILES = 11
LONG_FILE = 300
LONG_FUNCTIONS = 39
LONG_FUNCTION = 25
LISTS_OF_CATALOGUE_NAMES = 9

ALL = [path for package in PACKAGES for path in files(package)]


@pytest.mark.parametrize("folder", folders())
def test_inside_every_folder_imports_go_down_only(folder):
    if folder in PACKAGES and folder != "theory":
        return  # the rooms of the machine have an order that is written down: the next test
    assert find_cycle(rooms_in(folder)) == []


def test_the_rooms_of_the_machine_import_rooms_below_only():
    graph = rooms_in("backprop")
    assert set(graph) | {t for targets in graph.values() for t in targets} <= set(FLOORS)
    up = [(a, b) for a, targets in graph.items() for b in targets if FLOORS.index(b) >= FLOORS.index(a)]
    assert up == []


def test_the_readme_of_the_machine_lists_its_rooms_from_the_ground_up():
    text = (ROOT / "backprop" / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = [name.rstrip("/") for row in rows for name in re.findall(r"`([a-z_/]+)`", row)]
    assert named == sorted(named, key=FLOORS.index)
    assert set(named) == set(FLOORS) - {"__main__"}


def test_no_file_inside_imports_the_front_door():
    inside = [source for source, target in arrows() if target == "backprop" and source != "backprop"]
    assert inside == []


def test_a_name_is_imported_from_where_it_is_defined():
    assert handed_on() == []


@pytest.mark.parametrize("path", ALL, ids=module_name)
def test_no_room_is_loaded_by_a_name_that_is_put_together(path):
    """What `import_module` is given stands as a whole in the file, so that it is an arrow like any other."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"import_module\(f[\"'](theory|backprop)", text)


@pytest.mark.parametrize("path", files("theory"), ids=module_name)
def test_the_book_knows_sympy_and_the_standard_library_only(path):
    for name, _ in imports_of(path):
        root = name.split(".")[0]
        assert root in BOOK_MAY_IMPORT or root in sys.stdlib_module_names, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", ALL, ids=module_name)
def test_imports_stand_at_the_top_of_a_file(path):
    """But for the door, which loads a room when a command needs it."""
    if path.relative_to(ROOT).parts[:2] in (("backprop", "door"), ("backprop", "__main__.py")):
        return
    assert [name for name, at_top in imports_of(path) if not at_top and name.split(".")[0] in PACKAGES] == []


def test_the_examiner_reaches_nothing_but_itself():
    outside = {name for name in reached_from("backprop.examiner") if not name.startswith("backprop.examiner")}
    assert outside == {"backprop.errors", "backprop.copies", "backprop.processes", "backprop.shown"}


@pytest.mark.parametrize("path", files("backprop/examiner"), ids=module_name)
def test_the_examiner_imports_numpy_and_flint_only(path):
    for name, at_top in imports_of(path):
        root = name.split(".")[0]
        allowed = root in EXAMINER_MAY_IMPORT or root in sys.stdlib_module_names
        allowed |= path.parent.name == "adapters" and root in ADAPTED and not at_top
        assert allowed, f"{path.name} imports {name}"


def test_the_checker_of_certificates_reaches_nothing_but_itself():
    room = "backprop.approximation.checking"
    outside = {name for name in reached_from(room) if not name.startswith(room)}
    assert outside - {"backprop.approximation"} - reached_from("backprop.approximation") == set()
    named = {target for source, target in arrows() if source.startswith(room) and not target.startswith(room)}
    assert named == {"backprop.errors", "backprop.shown"}


def test_the_witness_reaches_no_rule():
    rooms = ("theory.chapters", "theory.layers", "theory.rules")
    assert {name for name in reached_from("theory.witnesses") if name.startswith(rooms)} == set()


def test_no_folder_has_more_modules_than_a_person_oversees():
    counted = Counter(
        path.parent
        for folder in ("theory", "backprop", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if path.name not in ("__init__.py", "conftest.py")
    )
    assert {str(folder): n for folder, n in counted.items() if n > MOST_MODULES} == {}


def test_folders_of_tests_mirror_the_rooms_and_hide_no_package():
    for folder in sorted((ROOT / "tests").rglob("test_*")):
        if folder.is_dir():
            parts = folder.relative_to(ROOT / "tests").parts
            assert all(part.startswith("test_") for part in parts)
            assert (ROOT / "/".join(part.removeprefix("test_") for part in parts)).is_dir(), folder


def test_every_package_folder_says_what_lives_there():
    for folder in folders():
        text = (modules()[folder].parent / "README.md").read_text(encoding="utf-8")
        assert "what lives here" in text.lower() or "|" in text, folder
        assert len(text.splitlines()) <= 60, folder


@pytest.mark.parametrize("folder", folders())
def test_a_readme_names_every_module_of_its_room_and_says_where_to_begin(folder):
    named = {word.removesuffix(".py").split("/")[0] for word in names_in_readme(folder)}
    assert inside(folder) - named == set()
    assert re.search(r"\b[Bb]egin", (modules()[folder].parent / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("folder", folders())
def test_every_name_in_a_readme_stands_in_the_code(folder):
    assert [word for word in names_in_readme(folder) if not means_something(word, folder)] == []


def test_ratchet_lines_of_a_room():
    counted: defaultdict[str, int] = defaultdict(int)
    for name, path in modules().items():
        counted[next((room for room in LINES if name == room or name.startswith(room + ".")), "backprop")] += (
            count_lines(path)
        )
    assert {room: n for room, n in counted.items() if n > LINES.get(room, 695)} == {}


def test_ratchet_long_files():
    long = {module_name(path): count_lines(path) for path in ALL if count_lines(path) > LONG_FILE}
    assert len(long) <= LONG_FILES, long


def test_ratchet_long_functions():
    long = long_functions(LONG_FUNCTION)
    assert len(long) <= LONG_FUNCTIONS, long


def test_one_class_name_has_one_meaning():
    places: defaultdict[str, list[str]] = defaultdict(list)
    for name, module in classes():
        places[name].append(module)
    shared = {name: where for name, where in places.items() if len(where) > 1}
    assert set(shared) <= NAMES_OF_ORACLES, shared


def test_ratchet_lists_of_catalogue_names():
    """A name of the catalogue stands in the catalogue; a tuple of three beside it is a second truth."""
    from backprop.specification.layers import __all__ as kinds
    from theory.chapters.networks.costs import COSTS
    from theory.functions.activation_catalogue import NAMES

    words = [frozenset({*NAMES, "softmax"}), frozenset(COSTS), frozenset(kinds)]
    found = [f"{module_name(path)}:{line}" for path in ALL for names in words for line in lists_of(names, path)]
    assert len(found) <= LISTS_OF_CATALOGUE_NAMES, found


def run_python(code: str) -> str:
    """What a fresh interpreter prints."""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return result.stdout.strip()


def test_importing_backprop_loads_neither_sympy_nor_matplotlib_nor_numpy():
    code = "import sys, backprop; print([m for m in ('sympy', 'matplotlib', 'numpy') if m in sys.modules])"
    assert run_python(code) == "[]"


def test_importing_the_examiner_loads_neither_sympy_nor_theory():
    code = (
        "import sys, backprop.examiner.apart.generated; "
        "print([m for m in sys.modules if m == 'sympy' or m.startswith(('theory', 'backprop.codegen'))])"
    )
    assert run_python(code) == "[]"


def test_importing_theory_loads_no_numpy():
    assert run_python("import sys, theory.chapters.book; print('numpy' in sys.modules)") == "False"


def test_every_public_name_loads():
    import backprop

    for name in backprop.__all__:
        assert getattr(backprop, name) is not None
    for room, place in backprop.ROOMS.items():
        assert getattr(backprop, room).__name__ == place


def test_an_unknown_public_name_is_an_attribute_error():
    import backprop

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = backprop.nonsense
