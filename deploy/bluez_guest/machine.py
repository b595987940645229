"""Booting the guest for one command."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from contextlib import nullcontext
from pathlib import Path

from deploy.bluez_guest import places
from deploy.bluez_guest.errors import GuestFailed

MEMORY_MB = 1536
# With two, the kernel patches its own code on one while the other may still run what the emulator translated before:
# now and then it dies of it while it boots ("Oops: int3").
PROCESSORS = 1


def run(command: list[str], name: str, limit_s: float, output: Path | None = None) -> int:
    """Boot, run a command from the project's folder, power off; the command's exit code.

    What the command says goes to ``output``, or where ours goes. In the guest, /run/guest is the folder of this run
    (``places.RUNS / name``), emptied before. GuestFailed where the guest ends, or is ended after ``limit_s``, without
    an exit code.
    """
    folder = _empty_folder(name)
    (folder / "command.sh").write_text(script(command))
    try:
        with output.open("wb") if output else nullcontext() as file:
            subprocess.run(
                _qemu(folder),
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT if file else None,
                timeout=limit_s,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise GuestFailed(f"the guest was ended after {limit_s:g} s; see {folder}") from error
    exit_code = folder / "exit_code"
    if not exit_code.exists():
        raise GuestFailed(f"the guest ended without an exit code; see {folder / 'kernel.log'}")
    return int(exit_code.read_text())


def script(command: list[str]) -> str:
    """What the guest's shell runs: the command, in an environment of its own."""
    environment = {
        "PATH": places.search_path("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        "LD_LIBRARY_PATH": places.library_path(),
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
    exports = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    return "\n".join([*exports, f"cd {shlex.quote(str(places.PROJECT))}", f"exec {shlex.join(command)}", ""])


def _empty_folder(name: str) -> Path:
    folder = places.RUNS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _environment() -> dict[str, str]:
    return {**os.environ, "LD_LIBRARY_PATH": places.library_path()}


def _qemu(folder: Path) -> list[str]:
    program = shutil.which("qemu-system-x86_64", path=places.search_path(os.environ.get("PATH", "")))
    if program is None:
        raise GuestFailed("qemu-system-x86_64 is not where it was unpacked; remove .local/bluez_guest and try again")
    kernel = next((places.KERNEL / "boot").glob("vmlinuz-*"))
    # Not KVM, even where /dev/kvm opens: in a virtual machine it may stop in the kernel's first instructions.
    words = "console=ttyS0 quiet panic=-1 mitigations=off nokaslr"
    return [
        program,
        *("-L", str(places.PROGRAMS / "usr/share/qemu"), "-L", str(places.PROGRAMS / "usr/share/seabios")),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-accel", "tcg,thread=multi", "-cpu", "Nehalem"),
        *("-m", str(MEMORY_MB), "-smp", str(PROCESSORS)),
        *("-kernel", str(kernel), "-initrd", str(places.INITRAMFS), "-append", words),
        *("-serial", f"file:{folder / 'kernel.log'}"),
        *(
            "-device",
            "virtio-serial-pci",
            "-chardev",
            "stdio,id=output,signal=off",
            "-device",
            "virtconsole,chardev=output",
        ),
        *_share("host", "/", "readonly=on"),
        *_share("out", str(folder), "readonly=off"),
    ]


def _share(name: str, path: str, access: str) -> list[str]:
    export = f"local,id={name},path={path.replace(',', ',,')},security_model=none,multidevs=remap,{access}"
    return ["-fsdev", export, "-device", f"virtio-9p-pci,fsdev={name},mount_tag={name}"]
