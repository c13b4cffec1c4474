"""What the pages of docs/ tell people to type."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The code of that language, without the indentation that it has within a list."""
    found = re.findall(rf"^( *)(?:\d+\. )?```{language}\n(.+?)^ *```", text, re.MULTILINE | re.DOTALL)
    return ["\n".join(line.removeprefix(indent) for line in code.splitlines()) for indent, code in found]


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


_QUESTIONS = re.findall(r"^\*\*(.+?)\*\*.*?^```sql\n(.+?)^```", page("sql.md").split("## Roles")[0], re.M | re.S)

#: The questions of docs/sql.md: title → query.
QUERIES = {title.strip(".?:"): query for title, query in _QUESTIONS}
