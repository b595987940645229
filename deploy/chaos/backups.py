"""Backups of the gateway's data, made while it runs, and put back while it does not."""

import shutil
import sqlite3
from collections import deque
from contextlib import closing
from pathlib import Path

from deploy.chaos.disk import FILLER
from deploy.chaos.plan import BACKUPS

# SQLite's own files beside a database are in the copy that it makes itself.
_NOT_COPIED = ("-wal", "-shm", "-journal")


class Backups:
    """The newest few; ``data`` is the gateway's folder. OSError and sqlite3.Error where the disk refuses."""

    def __init__(self, data: Path, folder: Path) -> None:
        self._data = data
        self._folder = folder
        self._made = 0
        self._kept: deque[Path] = deque(maxlen=BACKUPS)

    def make(self) -> None:
        """Copy everything: SQLite's own way for databases, so that it is one moment's state."""
        self._made += 1
        target = self._folder / str(self._made)
        target.mkdir(parents=True)
        for file in self._data.iterdir():
            if file.suffix == ".sqlite":
                _copy_database(file, target / file.name)
            elif file.is_file() and file.name != FILLER and not file.name.endswith(_NOT_COPIED):
                shutil.copy2(file, target / file.name)
            elif file.is_dir():
                shutil.copytree(file, target / file.name)
        if len(self._kept) == BACKUPS:
            shutil.rmtree(self._kept[0])
        self._kept.append(target)

    def put_back(self, back: int) -> None:
        """The newest but ``back - 1``, or the oldest there is, in the place of everything."""
        chosen = self._kept[max(0, len(self._kept) - back)]
        for file in self._data.iterdir():
            if file.is_dir():
                shutil.rmtree(file)
            elif file.name != FILLER:
                file.unlink()
        shutil.copytree(chosen, self._data, dirs_exist_ok=True)


def _copy_database(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as original,
        closing(sqlite3.connect(target)) as copy,
    ):
        original.backup(copy)
    target.chmod(0o600)
