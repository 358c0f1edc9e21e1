"""What a question is, and the one way in which it is answered: a Question and a Setting in, an Answer out.

A question is declared: what is asked, why it makes no sense in a file (if so), its experiments as variants of the file,
what is measured of each, its law, and its sentence. Nothing but variants of the file is simulated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mockbot.scenario.schema import Group, Scenario
from mockbot.simulate.explain.answer import Answer, Change, Figure, Key, Law, Measure
from mockbot.simulate.explain.experiment import Experiments, RunResult, Take
from mockbot.simulate.explain.setting import Setting

AS_WRITTEN = "as written"


class Variant(NamedTuple):
    """A variant of the file, and how it differs, in words that follow its name."""

    scenario: Scenario
    differs: str


class Measured(NamedTuple):
    """What is taken of every run of a variant; of all variants, or of one only."""

    what: str
    measure: Measure
    take: Take
    only: str | None = None


class Figures(dict[str, Figure]):
    """By `variant: what`. A figure of which no seed could tell anything is not there."""

    def text(self, variant: str, what: str) -> str:
        """With its interval; "unknown" when it is not there."""
        found = self.get(f"{variant}: {what}")
        return "unknown" if found is None else str(found)

    def change(self, variant: str, other: str, what: str) -> Change:
        """Of the first against the second."""
        one, two = self.get(f"{variant}: {what}"), self.get(f"{other}: {what}")
        return "same" if one is None or two is None else one.against(two)


@dataclass(frozen=True, slots=True)
class Question:
    """`senseless` says why the question makes no sense here, and nothing when it does."""

    key: Key
    asks: str
    senseless: Callable[[Setting], str]
    variants: Callable[[Setting], Mapping[str, Variant]]  # besides the file as written
    measures: Callable[[Setting], tuple[Measured, ...]]
    law: Callable[[Setting], Law]
    sentence: Callable[[Setting, Figures, Law], str]
    recovery: bool = False  # the recovery times of its variants are measured

    def answer(self, setting: Setting | str, experiments: Experiments, live: RunResult | None) -> Answer:
        """`setting`: or why there is none. Simulates every variant that is not simulated yet."""
        why = setting if isinstance(setting, str) else self.senseless(setting)
        if why or isinstance(setting, str):
            return Answer(self.key, self.asks, f"It makes no sense here: {why}.", makes_sense=False)
        too_large = f"a run has more than {experiments.most:,} records (attempts, prompts, and seconds of providers)"
        if (as_written := experiments.runs(setting.scenario)) is None:
            text = f"It is not answered: {too_large}; fewer users (--users) or a shorter file have less."
            return Answer(self.key, self.asks, text, makes_sense=False)
        law, variants, found, same = self.law(setting), dict(self.variants(setting)), Figures(), set[str]()
        for name, variant in {AS_WRITTEN: Variant(setting.scenario, ""), **variants}.items():
            runs = experiments.runs(variant.scenario, recovery=self.recovery)
            if runs is None:
                variants[name] = variant._replace(differs=f"{variant.differs}; not simulated: {too_large}")
                continue
            if name != AS_WRITTEN and runs[0] is as_written[0]:
                same.add(name)
            for what, measure, take, only in self.measures(setting):
                values, title = tuple(map(take, runs)), f"{name}: {what}"
                seen = take(live) if live is not None and name == AS_WRITTEN else None
                if only in {None, name} and any(value is not None for value in values):
                    found[title] = Figure(title, measure, values, law.expects.get(title), seen)
        if not found:
            text = "It makes no sense here: in the time that it is about, nobody asks anything in any run."
            return Answer(self.key, self.asks, text, makes_sense=False)
        text = self.sentence(setting, found, law)
        shown = tuple(figure for title, figure in found.items() if title.split(": ", 1)[0] not in same)
        differs = (
            f"{name}: {variant.differs}{', as in the file' * (name in same)}." for name, variant in variants.items()
        )
        notes = (*differs, experiments.sampled) if experiments.sampled else (*differs,)
        return Answer(self.key, self.asks, text, shown, law, notes)


def with_groups(scenario: Scenario, groups: Mapping[str, Group]) -> Scenario:
    """The file with these groups changed; what it expects of them stays out of it."""
    return scenario.model_copy(update={"crowd": {**scenario.crowd, **groups}, "expect": ()})
