"""Install a plugin's package as pip would leave it: its files and its entry points on the search path."""

from __future__ import annotations

import importlib
import sys
import tomllib
from pathlib import Path
from shutil import copy


def install(folder: Path) -> None:
    """Put the package of a folder where Python finds it; the page's folder goes away with it."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    name, version = project["project"]["name"], project["project"]["version"]
    site = Path("site-packages").absolute()
    described = site / f"{name.replace('-', '_')}-{version}.dist-info"
    described.mkdir(parents=True)
    for file in project["tool"]["hatch"]["build"]["include"]:
        (site / file).parent.mkdir(exist_ok=True)
        copy(folder / file, site / file)
    (described / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    groups = project["project"]["entry-points"].items()
    lines = [
        f"[{group}]\n" + "".join(f"{word} = {module}\n" for word, module in points.items()) for group, points in groups
    ]
    (described / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    sys.path.append(str(site))
    importlib.invalidate_caches()
