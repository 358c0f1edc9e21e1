"""Locust options in, a LiveRun on its testbed out: that of `mockbot run`, or one that a bare `locust` starts itself."""

from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, count
from typing import Any

from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.verdict import judge as judge_evidence
from mockbot.load.live_run import LiveRun
from mockbot.load.locust_options import Options
from mockbot.process.token_file import read_token
from mockbot.report.plain_console import PlainConsole
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import read_run
from mockbot.scenario.library import find
from mockbot.scenario.load import load_scenario
from mockbot.scenario.schema import Scenario
from mockbot.scenario.transforms import without_system
from mockbot.testbed.start import Addresses, attach_testbed, open_testbed


def check(options: Options) -> None:
    """Raises UsageError for what can be known to be wrong before anything starts."""
    if options.scenario:
        load_scenario(find(options.scenario))
    if options.scenario and options.host:
        raise UsageError("--scenario has its own service; leave --host away, or --scenario to load that host")


def open_run(options: Options, command: str) -> LiveRun:
    """A run with its testbed up. Raises UsageError or TestbedError, and then leaves nothing running."""
    scenario = load_scenario(find(options.scenario))
    if options.system is None:
        without_system(scenario, "the crowd asks the providers")
    folder, speed = _free_folder(scenario, options), options.speed or scenario.speed
    with ExitStack() as stack:
        if options.testbed is not None:
            addresses = Addresses.from_json(options.testbed.read_text("utf-8"))
        elif options.elsewhere is not None:
            token = None if options.token_file is None else read_token(options.token_file)
            addresses = stack.enter_context(attach_testbed(scenario, speed, replace(options.elsewhere, token=token)))
        else:
            addresses = stack.enter_context(open_testbed(scenario, speed, folder.logs))
        run = LiveRun(scenario, addresses, folder, command, options.system, traced=options.traced)
        run.testbed = stack.pop_all()
    return run


def judge(folder: RunFolder) -> ExitCode:
    """What `mockbot run` does at the end of a run: judge it, write the reports, print the verdict."""
    from mockbot.runs.judge import conclude  # noqa: PLC0415 - a plain load test needs no templates and no charts

    return conclude(folder, PlainConsole())


def verdict(folder: RunFolder) -> dict[str, Any]:
    """The judgement as text, for the web UI."""
    judgement = judge_evidence(read_run(folder))
    return {
        "verdict": judgement.verdict,
        "reasons": list(judgement.reasons),
        "expectations": [f"{result.result}: {result}" for result in judgement.expectations],
    }


def _free_folder(scenario: Scenario, options: Options) -> RunFolder:
    """The one that was asked for; a later run from the same start form gets `name-2` and so on beside it."""
    if options.out is None:
        return RunFolder.create(scenario, None)
    folder = RunFolder(options.out)
    if options.testbed is not None and not folder.has_begun:
        return folder  # `mockbot run` made it when it started the testbed
    numbered = (RunFolder(options.out.with_name(f"{options.out.name}-{number}")) for number in count(2))
    free = next(each for each in chain([folder], numbered) if not each.holds_a_run)
    return RunFolder.create(scenario, free.path)
