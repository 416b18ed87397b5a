"""The requirements of one of the project's extras, one a line: what pip is to install without the project."""

import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"

if __name__ == "__main__":
    extras = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]
    print(*extras[sys.argv[1]], sep="\n")
