import subprocess
import sys


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m firmware_profiles``."""
    return subprocess.run(
        [sys.executable, "-m", "firmware_profiles", *arguments], capture_output=True, text=True, check=False
    )


def test_check_says_that_all_profiles_are_sound() -> None:
    done = run("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("all profiles are sound\n")


def test_table_prints_markdown() -> None:
    assert run("table").stdout.startswith("| Maker | Model | Measures | Way | Driver | Status |\n| --- |")
