"""Where a run takes place: the scene that `mockbot run` has set up, or one of its own under a bare `locust`."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.journal import RUN, read_run
from mockbot.evidence.verdict import judge as judge_evidence
from mockbot.load.locust_options import Options
from mockbot.load.play import Part, Play
from mockbot.process.token_file import read_token
from mockbot.scenario.library import find
from mockbot.scenario.load import load_scenario
from mockbot.scenario.schema import Scenario
from mockbot.testbed.start import Addresses, attach_stage, open_stage


def check(options: Options) -> None:
    """Raises UsageError for what can be known to be wrong before anything starts."""
    if options.scenario:
        load_scenario(find(options.scenario))
    if options.scenario and options.host:
        raise UsageError(
            "--scenario brings its own service; leave --host away, or leave --scenario away to load that host"
        )


def open_play(options: Options, command: str) -> Play:
    """Everything in place, nothing begun. Raises UsageError or TestbedError, and leaves nothing behind then."""
    scenario = load_scenario(find(options.scenario))
    folder, speed = _folder(scenario, options), options.speed or scenario.speed
    with ExitStack() as stack:
        if options.stage is not None:
            addresses = Addresses.from_json(options.stage.read_text("utf-8"))
        elif options.elsewhere is not None:
            token = None if options.token_file is None else read_token(options.token_file)
            addresses = stack.enter_context(attach_stage(scenario, speed, replace(options.elsewhere, token=token)))
        else:
            addresses = stack.enter_context(open_stage(scenario, speed, folder / "logs"))
        play = Play(Part(scenario, addresses.speed, folder, command), addresses)
        play.stage = stack.pop_all()
    return play


def judge(folder: Path) -> ExitCode:
    """What `mockbot run` does at the end of a run: judge it, write the reports, print the verdict."""
    from mockbot.commands.run import conclude  # noqa: PLC0415 - a plain load test needs no templates and no charts

    return conclude(folder, Console())


def verdict(folder: Path) -> dict[str, Any]:
    """The judgement in words, for the web UI."""
    judgement = judge_evidence(read_run(folder))
    return {
        "verdict": judgement.verdict,
        "reasons": list(judgement.reasons),
        "expectations": [f"{result.result}: {result}" for result in judgement.expectations],
    }


def _folder(scenario: Scenario, options: Options) -> Path:
    """The one that was asked for; a later run from the same start form gets one beside it."""
    if options.stage is not None and options.out is not None and not (options.out / RUN).exists():
        return options.out  # whoever set the stage made it
    from mockbot.commands.run import make_run_folder  # noqa: PLC0415 - as above

    if options.out is None:
        return make_run_folder(scenario, None)
    folder, number = options.out, 1
    while (folder / RUN).exists():
        number += 1
        folder = options.out.with_name(f"{options.out.name}-{number}")
    return make_run_folder(scenario, folder)
