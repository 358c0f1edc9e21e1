"""Play systems times faults, interleaved, and write one table: `python compare_systems.py --out DIR`.

A cell is a `mockbot run` of 49 s with open arrivals, a new seed in each round; DIR keeps its run folder. What is there
is not played again, so that the program can be stopped and repeated; more rounds make the intervals (of 95 %) narrower.
The run of a machine that was too busy is no answer: it is played again, and then the program refuses (exit code 3).
Systems that are not installed are left out, by name. With `--page FILE` the table is a page in Markdown.
"""

import argparse
import json
import math
import os
import platform
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
AFTER = 8  # seconds that the fault goes on, so that a detour that begins at its phase's end meets it, too
TRIES = 3  # of a cell on a busy machine
TOO_BUSY = {"machine", "generator lag", "testbed"}  # checks of a run that the machine fails, and not the system
FULL, SELDOM = 0.97, 0.2  # of the CPU; the share of the seconds in which it may be
WELL = 0.8  # share of the prompts in calm that must be answered in full; the outage may meet the last ones
SCENARIO = """\
name: {name}
title: "One of two providers: {fault}"
providers:
  main: &quick
    slots: 1000
    answer: {{first_token: 200ms, tokens: {{median: 20, p95: 30}}, pace: 100/s}}
  other: *quick
crowd:
  people: {{arrivals: 100%, policy: {{name: once, timeout: 20s}}, patience: 20s}}
phases:
  - {{name: calm, lasts: 6s, arrivals: {rate:g}/s}}
  - {{name: outage, lasts: {seconds:g}s, faults: [{{{fault}, lasts: {lasts:g}s}}]}}
  - {{name: after, lasts: {after}s}}
expect:
  - {{answered: ">= 99%"}}
"""
FAULTS = {
    "status-503": "http_error: 503",
    "status-429": "rate_limited: {retry_after: 3s}",
    "status-429-bare": "http_error: 429",
    "half-503": "http_error: 503, share: 50%",
    "refused": "down: true",
    "hang": "stall: nothing",
    "slow-first-token": "slow: {first_token: 5s}",
    "cut-reset": "cut: reset",
    "cut-closed": "cut: closed",
    "cut-clean": "cut: clean",
    "stall-within": "stall: {sends: nothing, after_tokens: 3}",
    "error-event": "error_event: server_error",
    "reset-at-once": "reset_peer: 0s",
    "malformed-event": "malformed_event: 3",
    "context-length": "http_error: {status: 400, code: context_length_exceeded}",
    "content-filter": "http_error: {status: 400, code: content_policy_violation}",
}
COLUMNS = {  # of the prompts in the outage: how each ended
    "in full": ("whole",),
    "short, said to be all": ("laundered",),
    "silently short": ("silently_short",),
    "clean error": ("refused",),
    "broken": ("broken",),
    "nothing": ("failed",),
    "other": ("spliced", "stale", "crossed", "canned", "unrecognised", "blank"),
}
VERSIONS = {  # what a system says of itself
    "mockbot": [sys.executable, "-m", "mockbot", "--version"],
    "litellm-proxy": ["litellm", "--version"],
    "nginx": ["nginx", "-v"],
    "haproxy": ["haproxy", "-v"],
    "portkey": ["node", "-p", "require('./node_modules/@portkey-ai/gateway/package.json').version"],
    "openai-sdk-app": [sys.executable, "-c", "import openai; print(openai.__version__)"],
}


@dataclass
class Cell:
    """All rounds of one system in one fault. `detours`: requests -> prompts whose first request failed."""

    kinds: Counter[str] = field(default_factory=Counter)
    detours: Counter[int] = field(default_factory=Counter)
    calm: list[float] = field(default_factory=list)  # seconds to each answer
    outage: list[float] = field(default_factory=list)

    def add(self, folder: Path) -> None:
        """One run."""
        summary = json.loads((folder / "summary.json").read_text("utf-8"))
        rows = {row["phase"]: row for row in summary["system"]["phases"]}
        self.kinds.update(rows["outage"]["kinds"])
        self.detours.update({int(requests): n for requests, n in rows["outage"]["detours"].items()})
        for phase in summary["phases"]:
            took = {"calm": self.calm, "outage": self.outage}.get(phase["name"], [])
            for line in (folder / "journal.jsonl").read_text("utf-8").splitlines():
                it = json.loads(line)
                if it.get("settled") == "answered" and phase["start"] <= it["intended"] < phase["end"]:
                    took.append(it["end"] - it["intended"])

    def row(self) -> list[str]:
        """Its figures, each with its interval."""
        prompts = self.kinds.total()
        shares = [share(sum(self.kinds[kind] for kind in kinds), prompts) for kinds in COLUMNS.values()]
        return [str(prompts), *shares, mean(self.detours), self._lost()]

    def _lost(self) -> str:
        """Seconds that the median answer took longer than in calm. The interval is that of its order statistics."""
        if not self.calm or len(self.outage) < 6:
            return "-"
        times, base = sorted(self.outage), sorted(self.calm)[len(self.calm) // 2]
        half, n = 0.98 * math.sqrt(len(times)), len(times)  # 1.96 * sqrt(n / 4)
        places = (n // 2, max(0, round(n / 2 - half)), min(n - 1, round(n / 2 + half)))
        middle, low, high = (round(times[place] - base, 2) + 0.0 for place in places)  # + 0.0: no minus before a zero
        return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def share(part: int, whole: int) -> str:
    """In percent, with Wilson's interval (E. B. Wilson, JASA 22, 1927)."""
    if not whole:
        return "-"
    p, z = part / whole, 1.96
    middle, scale = p + z * z / (2 * whole), 1 + z * z / whole
    half = z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    low, high = max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
    return f"{100 * p:.0f} ({100 * low:.0f} to {100 * high:.0f})" if part else "0"


def mean(counts: Mapping[int, int]) -> str:
    """Requests per prompt, with the normal interval of a mean."""
    n = sum(counts.values())
    if n < 2:
        return "-"
    average = sum(requests * times for requests, times in counts.items()) / n
    spread = math.sqrt(sum(times * (requests - average) ** 2 for requests, times in counts.items()) / (n - 1))
    return f"{average:.2f} ± {1.96 * spread / math.sqrt(n):.2f}"


def scenario_of(fault: str, seconds: float, rate: float) -> str:
    """The file that a cell plays."""
    return SCENARIO.format(
        name=fault, fault=FAULTS[fault], seconds=seconds, rate=rate, lasts=seconds + AFTER, after=AFTER
    )


def cells(options: argparse.Namespace) -> Iterator[tuple[int, str, str]]:
    """Interleaved, so that what the machine does meanwhile hits all systems; another one begins in every round."""
    for number in range(options.rounds):
        for fault in options.faults:
            for turn in range(len(options.systems)):
                yield number + 1, fault, options.systems[(turn + number) % len(options.systems)]


def played(out: Path, fault: str, system: str, number: int) -> tuple[Path | None, str]:
    """The run folder of a cell, valid; or None, and why there is none. Exits with 3 on a machine that is too busy."""
    folder = out / fault / Path(system).stem / str(number)
    why = ""
    for _ in range(TRIES):
        if not (folder / "summary.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            command = [sys.executable, "-m", "mockbot", "run", str(out / f"{fault}.yaml"), "--system", system]
            command += ["--set", f"seed={number}", "--out", str(folder)]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode not in {0, 1, 3}:
                return None, (ran.stderr.strip() or "it was interrupted").splitlines()[0].removeprefix("mockbot: ")
        summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
        failed = {guard["name"]: guard["says"] for guard in summary["guards"] if not guard["ok"]} or starved(folder)
        if not failed:
            return folder, ""
        shutil.rmtree(folder)
        why = "; ".join(failed.values())
        if TOO_BUSY.isdisjoint(failed):
            return None, why
        say(f"{fault}, {system}, round {number}: no answer, because {why}")
    sys.exit(say(f"{TRIES} times no answer on this machine: {why}. Let nothing else run, and repeat the command", 3))


def starved(folder: Path) -> dict[str, str]:
    """Why a run that is valid, because its users were on time, says more of the machine than of the system."""
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    calm = next(row["kinds"] for row in summary["system"]["phases"] if row["phase"] == "calm")
    samples = [json.loads(line)["machine_cpu"] for line in (folder / "health.jsonl").read_text("utf-8").splitlines()]
    whole, full = calm.get("whole", 0) / sum(calm.values()), sum(cpu >= FULL for cpu in samples) / len(samples)
    if whole >= WELL and full <= SELDOM:
        return {}
    return {"machine": f"the CPU was full in {full:.0%} of the seconds, and {whole:.0%} in calm were answered in full"}


def say(text: str, code: int = 0) -> int:
    """A line for whoever waits; hands back the exit code."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - it is a program
    return code


def version_of(system: str) -> str:
    """Empty where nothing says it."""
    if shutil.which(VERSIONS.get(system, [""])[0]) is None:
        return ""
    told = subprocess.run(VERSIONS[system], capture_output=True, text=True, check=False)
    return (told.stdout or told.stderr).strip().splitlines()[0]


PAGE = """\
# Gateways and applications in outages of one of two providers

`mockbot run` with {rate:g} new users a second in 6 s of calm and {seconds:g} s of outage. A user asks once and waits
20 s. The figures are of the prompts that began in the outage; the provider fails for 8 s longer. In parentheses and
after ±: intervals of 95 %. Machine: {machine}. Written by

    python loadtests/systems/compare_systems.py --out DIR --page docs/systems.md \\
        --rounds {rounds} --seconds {seconds:g} --rate {rate:g} --systems {systems} \\
        --faults {faults}

*In full* to *other* are percent of the prompts. *Short, said to be all*: cut short, and presented as complete. *Clean
error*: a status of 400 or more. *Requests per detour*: to providers, for a prompt whose first request failed. *Seconds
lost*: the median answer, against the one in calm. `loadtests/systems/` says how each system is configured and
installed; the configuration decides as much as the product does.

{notes}

## The scenarios of Failover Bench

[Failover Bench](https://github.com/failoverbench/failoverbench) asks a gateway once in each of 16 scenarios. These are
ours, by the names of `--faults`; each holds for every request of the outage.

| theirs | ours |
| --- | --- |
| S01 429 with Retry-After, once | `status-429`; the finding `ignores_retry_after` |
| S02 429 without Retry-After | `status-429-bare` |
| S03 500 once, then healthy | `half-503`: a second try succeeds half of the time. A fault does not count tries |
| S04 503 | `status-503`; the finding `retry_multiplication` |
| S05 reset before headers, once | `reset-at-once` |
| S06 no response | `hang`; the finding `hangs_past_client_timeout` |
| S07 first token after 20 s | `slow-first-token`, 5 s, because the user waits 20 s |
| S08 stream cut | `cut-clean`, `cut-closed`, `cut-reset`; the finding `launders_truncation` |
| S09 stream stalls | `stall-within` |
| S10 malformed chunk | `malformed-event` |
| S11 all of the stream but `[DONE]` | none: a clean cut leaves `finish_reason` out, too |
| S12 context length exceeded | `context-length` |
| S13 content filter | `content-filter` |
| S14 the fallback rejects an assistant's prefill | none: no fault depends on what a request contains |
| S15 60 s of 503, then healthy | `mockbot run unexpected-failure --length 5m`; the finding `never_fails_back` |
| S16 fail-over accounting | none: `model` and `usage` of an answer are not judged. Its text says who wrote it |
"""


def page(table: Mapping[tuple[str, str], Cell], left_out: Mapping[str, str], options: argparse.Namespace) -> str:
    """All of it in Markdown."""
    notes = [f"- {name}: {text}" for name in ("mockbot", *options.systems) if (text := version_of(name))]
    notes += [f"- {name} is left out: {why}" for name, why in left_out.items()]
    text = PAGE.format(
        rate=options.rate, seconds=options.seconds, notes="\n".join(notes), rounds=options.rounds,
        systems=" ".join(options.systems), faults=" ".join(options.faults),
        machine=f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
    )  # fmt: skip
    head = ["system", "prompts", *COLUMNS, "requests per detour", "seconds lost"]
    for fault in options.faults:
        rows = [[system, *table[fault, system].row()] for system in options.systems if (fault, system) in table]
        lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
        text += "\n".join(["", f"## `{{{FAULTS[fault]}}}`", "", *lines, ""])
    return text


def _two_providers() -> Iterator[str]:
    """The bundled systems that ask no provider but those of SCENARIO."""
    for path in sorted(HERE.glob("*.yaml")):
        if {*re.findall(r"\{(\w+)\.(?:url|key)\}", path.read_text("utf-8"))} <= {"main", "other"}:
            yield path.stem


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="the run folders, and what was played already")
    add("--systems", nargs="+", default=[*_two_providers()], metavar="NAME|FILE")
    add("--faults", nargs="+", default=[*FAULTS], choices=[*FAULTS], metavar="FAULT", help=", ".join(FAULTS))
    add("--rounds", type=int, default=1, help="runs of each cell (1)")
    add("--seconds", type=float, default=35.0, help="length of the outage (35)")
    add("--rate", type=float, default=6.0, help="users that arrive in a second (6)")
    add("--page", type=Path, metavar="FILE", help="where the table goes; default: the terminal")
    return parser.parse_args(arguments)


def main() -> int:
    """Play what is missing, and write the table."""
    options = options_of()
    options.out.mkdir(parents=True, exist_ok=True)
    for fault in options.faults:
        text = scenario_of(fault, options.seconds, options.rate)
        file = options.out / f"{fault}.yaml"
        if file.exists() and file.read_text("utf-8") != text:
            return say(f"{options.out} was begun with other options or another version; name another --out", 2)
        file.write_text(text, "utf-8")
    table: dict[tuple[str, str], Cell] = {}
    left_out: dict[str, str] = {}
    every = list(cells(options))
    for place, (number, fault, system) in enumerate(every, 1):
        folder, why = played(options.out, fault, system, number)
        say(f"{place} of {len(every)}: {fault}, {system}, round {number}: {why or folder}")
        if folder is not None:
            table.setdefault((fault, system), Cell()).add(folder)
        else:
            left_out[f"{system} in {fault}"] = why
    text = page(table, left_out, options)
    if options.page is None:
        print(text)  # noqa: T201
    else:
        options.page.write_text(text, "utf-8")
    return 0 if table else 3


if __name__ == "__main__":
    sys.exit(main())
