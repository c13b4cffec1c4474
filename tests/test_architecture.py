"""House rules that import contracts cannot say (those are in pyproject.toml, checked by ``make imports``)."""

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [path for package in ("monitor", "web", "migrations") for path in sorted((ROOT / package).rglob("*.py"))]


def imported_from(path: Path, package: str) -> Iterator[str]:
    """The names that a file imports from a package, or the package's own modules imported whole."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == package)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sql_is_written_in_the_store_alone(path: Path) -> None:
    home = path.relative_to(ROOT).parts[:2]
    if home == ("monitor", "store") or home[0] == "migrations":
        return
    # Elsewhere an engine or a connection is handed on, and failures of the database are told apart.
    assert set(imported_from(path, "sqlalchemy")) <= {"Engine", "Connection", "DBAPIError", "DataError"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_environment_is_read_in_config_alone(path: Path) -> None:
    if path == ROOT / "monitor" / "config.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = attributes | set(imported_from(path, "os"))
    assert names & {"environ", "environb", "getenv", "putenv"} == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled(path: Path) -> None:
    for package in ("pickle", "joblib", "dill", "shelve", "marshal"):
        assert list(imported_from(path, package)) == []


@pytest.mark.parametrize("module", ["web", "monitor.cli", "monitor.store.engine", "monitor.store.status"])
def test_what_serves_pages_and_answers_questions_loads_no_torch(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"there is no package {module} yet")
    script = f"import sys, {module}; print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"
