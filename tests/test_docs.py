"""The documents say what the program does."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_tables_are_those_of_the_yaml() -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from make_registers import pages  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    stale = [path.name for path, text in pages().items() if path.read_text() != text]
    assert stale == [], "run: make docs"


def test_the_site_in_the_readme_is_the_example() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    example = (ROOT / "examples" / "site.yaml").read_text()
    assert shown == "".join(line for line in example.splitlines(keepends=True) if not line.startswith("#"))


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/alarms.md",
        "docs/architecture.md",
        "docs/configuration.md",
        "docs/peers.md",
        "docs/screens.md",
        "CHANGELOG.md",
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []
