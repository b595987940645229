"""Making the guest's parts, once: packages, kernel, initramfs."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from deploy.bluez_guest import initramfs, packages, places
from deploy.bluez_guest.errors import GuestFailed

INIT = Path(__file__).with_name("init.sh")


def prepare(say: Callable[[str], None]) -> None:
    """Fetch and build what is missing; nothing to do, and no network needed, the second time. GuestFailed."""
    places.GUEST.mkdir(parents=True, exist_ok=True)
    with places.LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if places.STAMP.exists() and places.STAMP.read_text() == _made_from():
            return
        packages.refresh(say)
        for root, wanted in ((places.KERNEL, [packages.kernel()]), (places.PROGRAMS, packages.missing())):
            shutil.rmtree(root, ignore_errors=True)
            packages.unpack(wanted, root, say)
        say("making the initramfs")
        initramfs.write(places.INITRAMFS, busybox=_busybox(), init=INIT, modules=_modules())
        places.STAMP.write_text(_made_from())


def _made_from() -> str:
    sources = [INIT.with_name(name) for name in ("init.sh", "initramfs.py", "packages.py")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()


def _busybox() -> Path:
    found = shutil.which("busybox", path=places.search_path("/usr/bin:/bin"))
    if found is None:
        raise GuestFailed("there is no busybox in the package busybox-static")
    return Path(found)


def _modules() -> Path:
    for root in ("lib", "usr/lib"):
        for found in (places.KERNEL / root / "modules").glob("*"):
            return found
    raise GuestFailed("the kernel package has no modules")
