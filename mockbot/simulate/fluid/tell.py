"""`mockbot simulate --engine fluid`: a scenario in, a judged run folder out; marked as simulated by a fluid.

There are no requests one by one: no journal, and nothing that `mockbot report` could judge again. The reports, the
counters by second (`seconds.csv`) and how it was made (`fluid.json`) are what it leaves.
"""

import csv
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.console import Console

from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.verdict import Judgement, judge_counted
from mockbot.report.terminal import print_summary
from mockbot.runs.folder import RunFolder
from mockbot.runs.judge import write_reports
from mockbot.scenario.arrivals import loop_of
from mockbot.scenario.schema import Scenario
from mockbot.simulate.engines import why_not_fluid
from mockbot.simulate.fluid.count import count, evidence_of, info_of
from mockbot.simulate.fluid.run import Fluid

Watch = Callable[[float, float], None]


def play_fluid(
    scenario: Scenario, watch: Watch, command: str = "", scaled: str = ""
) -> tuple[Fluid, RunEvidence, Judgement]:
    """Play it out and judge. Raises UsageError for what a fluid cannot express."""
    found = why_not_fluid(scenario)
    if found:
        raise UsageError(f"--engine fluid: {found}")
    run, interrupted = Fluid(scenario), False
    try:
        run.to_end(watch)
    except KeyboardInterrupt:
        interrupted = True
    info = info_of(scenario, run, loop=loop_of(scenario), command=command, scaled=scaled, interrupted=interrupted)
    evidence = evidence_of(scenario, run, info)
    return run, evidence, judge_counted(evidence, count(scenario, run))


def tell_fluid(
    folder: RunFolder, console: Console, run: Fluid, evidence: RunEvidence, judgement: Judgement
) -> ExitCode:  # fmt: skip
    """Write the reports, and say what came out."""
    summary = write_reports(folder, evidence, judgement)
    (folder.path / "fluid.json").write_text(json.dumps(asdict(evidence.info), indent=1), "utf-8")
    write_seconds(folder.path / "seconds.csv", run)
    print_summary(console, summary)
    console.print("simulated (fluid): the limit of many users; chance, and what one user lives through, are not in it")
    console.print(f"run folder: {folder.path}", highlight=False, soft_wrap=True)
    return ExitCode.INTERRUPTED if evidence.info.ended == "interrupted" else ExitCode.of(judgement.verdict)


def write_seconds(path: Path, run: Fluid) -> None:
    """Masses by second: of each group issued, sent, answered, given_up; of each provider what it saw."""
    names, columns = ["second"], []
    for plan, made in zip(run.plans, run.shapes, strict=True):
        for g, name in enumerate(plan.groups):
            names += [f"{name}.{what}" for what in ("issued", "sent", "answered", "given_up")]
            columns.append(made.flow.crowd[:, g])
        seen = ("offered", "admitted", "refused", "failed", "finished", "abandoned", "running", "queued", "slots")
        names += [f"{plan.provider}.{what}" for what in seen]
        columns.append(made.flow.seen)
    table = np.concatenate(columns, axis=1)[: int(run.now)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([second, *(round(x, 4) for x in row)] for second, row in enumerate(table.tolist()))
