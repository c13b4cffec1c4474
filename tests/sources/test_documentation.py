"""docs/sources.md says of each provider what is mapped; here it is held to the mapping tables."""

from pathlib import Path

from monitor.events import CANONICAL_COLUMNS
from monitor.sources import PROVIDERS, REGISTRY

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sources.md"


def overview() -> str:
    """Which columns each provider fills."""
    lines = [f"| format | {' | '.join(PROVIDERS)} |", f"| --- |{' :-: |' * len(PROVIDERS)}"]
    for column in CANONICAL_COLUMNS:
        marks = ("●" if column in provider.columns else "" for provider in PROVIDERS.values())
        lines.append(f"| `{column}` | {' | '.join(marks)} |")
    return "\n".join(lines)


def mapping(name: str) -> str:
    """Where each column of a provider comes from, the first that says something."""
    rows = (
        f"| `{column}` | {', '.join(f'`{path}`' for path in PROVIDERS[name].columns[column].paths)} |"
        for column in CANONICAL_COLUMNS
        if column in PROVIDERS[name].columns
    )
    return "\n".join(["| column | from |", "| --- | --- |", *rows])


def test_the_page_shows_the_mapping_tables() -> None:
    page = PAGE.read_text()
    assert overview() in page, f"the overview should be:\n{overview()}"
    for name, provider in PROVIDERS.items():
        section = f"### {name}\n\n{provider.title}"
        assert section in page
        assert mapping(name) in page, f"the table of {name} should be:\n{mapping(name)}"


def test_the_page_names_every_format() -> None:
    page = PAGE.read_text()
    assert [name for name in REGISTRY if f"`{name}`" not in page] == []
    assert page.count("\n### ") == len(PROVIDERS)
