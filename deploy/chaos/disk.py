"""A small file system of its own under the gateway's data: it can be filled to the last octet, and freed again."""

import os
import subprocess
from pathlib import Path

OCTETS = 64 * 1024 * 1024
FILLER = "filler"
_BLOCK = 64 * 1024


class NoDisk(Exception):
    """This machine does not let us mount one; the text says what to do."""


class Disk:
    """A tmpfs on ``folder``. ``mount`` and ``unmount`` need root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mount(self) -> None:
        """Make it. NoDisk."""
        self.folder.mkdir(parents=True)
        options = f"size={OCTETS},mode=700,uid={os.geteuid()}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NoDisk(f"a disk that can be filled needs a mount, which was refused ({done.stderr.strip()}): be root")

    def unmount(self) -> None:
        """Remove it, whoever uses it still."""
        subprocess.run(["umount", "--lazy", str(self.folder)], capture_output=True, check=False)

    def fill(self) -> None:
        """Until the next octet is refused."""
        with (self.folder / FILLER).open("wb", buffering=0) as file:
            step = _BLOCK
            while step:
                try:
                    step = min(step, file.write(bytes(step)) or 0)
                except OSError:
                    step //= 2

    def free(self) -> None:
        """As it was before."""
        (self.folder / FILLER).unlink(missing_ok=True)
