"""`python -m deploy.chaos`: a home and a cloud under faults drawn at random. `make chaos` calls it.

Standard output gets one JSON line with the result, standard error the progress. Exit code 0: every reading is there
once, of the right patient, at the right time, with one case for each episode. 1: not so, and what is wrong is said.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from httpx import HTTPError

from deploy.chaos import cast, clock, records
from deploy.chaos.disk import NoDisk
from deploy.chaos.judge import Verdict, judge
from deploy.chaos.kinds import SENTENCES
from deploy.chaos.plan import Plan, Step, draw
from deploy.chaos.rounds import Rounds
from deploy.chaos.settled import NotSettled
from deploy.chaos.stage import raised, remove
from deploy.chaos.truth import Found, Truth
from deploy.demo.processes import NotReady
from deploy.demo.watch import NotSignedIn
from deploy.services.errors import ServiceFailed, ServicesUnavailable, WrongSetting

SHOWN = 40
STOPPED_BY = (NotSettled, NotReady, NotSignedIn, HTTPError, ServiceFailed)
"""What ends a run before its end; what had become true until then is judged all the same."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a plan, or say something about it; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faults", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the plan is drawn from it (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="the kinds of faults, each with a sentence")
    parser.add_argument("--plan", action="store_true", help="the plan as JSON lines, without running it")
    parser.add_argument("--keep", action="store_true", help="keep the logs, whatever comes of it")
    options = parser.parse_args(arguments)
    if options.list:
        for kind, sentence in SENTENCES.items():
            print(f"{kind:20} {sentence}")
        return 0
    plan = draw(options.faults, options.seed)
    if options.plan:
        _print_plan(plan)
        return 0
    try:
        return asyncio.run(_run(plan, keep=options.keep))
    except asyncio.CancelledError:
        say("stopped before its end")
        return 1
    except (NotReady, NotSignedIn, HTTPError, ServicesUnavailable, ServiceFailed, WrongSetting, NoDisk) as error:
        say(f"the run could not be made: {error}")
        return 1


def say(text: str) -> None:
    """One line of progress."""
    print(text, file=sys.stderr, flush=True)


def _print_plan(plan: Plan) -> None:
    for past in plan.history:
        print(json.dumps({"age_s": round(past.age_s, 1), "measure": asdict(past.measure)}))
    for number, steps in enumerate(plan.rounds):
        for step in steps:
            print(json.dumps({"round": number, **_spelt(step)}))


def _spelt(step: Step) -> dict[str, object]:
    return {"at_s": round(step.at_s, 3), type(step.what).__name__.lower(): asdict(step.what)}


async def _run(plan: Plan, *, keep: bool) -> int:
    this = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, lambda: this.cancel() if this else None)
    began = clock.monotonic()
    truth = Truth()
    problem = ""
    async with raised(say) as stage:
        say(f"everything runs after {clock.monotonic() - began:.1f} s; logs: {stage.folder}")
        try:
            await Rounds(plan, stage, truth, say).run()
        except* STOPPED_BY as group:
            problem = str(_first(group))
        household = stage.household
        found = await asyncio.to_thread(records.found, stage.admin_url, household.devices, household.patients)
        fell = {name: part.fell for name, part in stage.parts.items() if part.fell}
    verdict = judge(truth, found, {device.name: device.resolution_s for device in cast.DEVICES})
    if problem:
        verdict.wrong.insert(0, problem)
    print(json.dumps(_result(plan, verdict, fell, clock.monotonic() - began)), flush=True)
    for sentence in verdict.wrong[:SHOWN]:
        say(sentence)
    if len(verdict.wrong) > SHOWN:
        say(f"... and {len(verdict.wrong) - SHOWN} more")
    if verdict.wrong or keep:
        _write_evidence(stage.folder, truth, found)
        say(f"what was made, what was found, and what each process said is in {stage.folder}")
    else:
        remove(stage.folder)
    return 1 if verdict.wrong else 0


def _first(error: BaseException) -> BaseException:
    """The first of those that ended it."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _write_evidence(folder: Path, truth: Truth, found: Found) -> None:
    """Both sides, whole; the people and their readings are made up."""
    for name, side in (("made", truth), ("found", found)):
        (folder / f"{name}.json").write_text(json.dumps(asdict(side), default=str, indent=1))


def _result(plan: Plan, verdict: Verdict, fell: dict[str, int], seconds: float) -> dict[str, object]:
    """The one line. ``quarantined``: by reason, because the gateway's clock was wrong. ``fell``: processes that ended
    by themselves, and how often."""
    counts = asdict(verdict)
    del counts["wrong"]
    return {"faults": plan.faults, **counts, "fell": fell, "seed": plan.seed, "seconds": round(seconds, 1)}


if __name__ == "__main__":
    sys.exit(main())
