"""Front-end libraries: from npm's folder to where the console serves them. ``python -m cloud.console.assets`` copies.

None of them is part of this repository and none is loaded from elsewhere at run time.
"""

import shutil
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
VENDOR: Final = STATIC / "vendor"
NODE_MODULES: Final = HERE / "node_modules"

FILES: Final = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE": "htmx.org/LICENSE",
    "uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
    "uPlot.LICENSE": "uplot/LICENSE",
}


class AssetsMissing(Exception):
    """The console cannot serve its pages; the message says which command brings what is missing."""


def copy(node_modules: Path = NODE_MODULES, vendor: Path = VENDOR) -> None:
    """Copy the needed files; AssetsMissing when npm has not installed them."""
    absent = [source for source in FILES.values() if not (node_modules / source).is_file()]
    if absent:
        raise AssetsMissing(f"{', '.join(absent)} not installed; run: npm ci --prefix cloud/console")
    vendor.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        shutil.copyfile(node_modules / source, vendor / name)


def check(vendor: Path = VENDOR) -> None:
    """AssetsMissing unless every file is in its place."""
    absent = [name for name in FILES if not (vendor / name).is_file()]
    if absent:
        raise AssetsMissing(
            f"the console's assets are missing ({', '.join(absent)}); run: python -m deploy.bootstrap python assets"
        )


if __name__ == "__main__":
    try:
        copy()
    except AssetsMissing as error:
        sys.exit(str(error))
