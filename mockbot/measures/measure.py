"""One entry of the table of measures: all that is known about a measure, and its formula. Pure.

`@Measure(unit, better, ...)` above a formula makes the entry: the function's name is the measure's, and its docstring
the sentence for people. `prompts.py` has examples.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from mockbot.measures.counter_protocols import Counters
from mockbot.measures.scope import Selector
from mockbot.measures.values import Undefined, Value

Unit = Literal["share", "duration", "rate", "number", "count"]
# column: of the page's table by phase; narrow: also of those of terminal and GitHub; tile: of the page, for the whole
# run; seeds: row of the table over several seeds; compare: tested by `mockbot compare`, which leaves prompts out, so
# that the formula may read only what prompts tell: not `sent`, `good_done`, `up`, `down` and no counters of providers.
Place = Literal["column", "narrow", "tile", "seeds", "compare"]
Formula = Callable[[Counters], Value]

NO_PROMPTS = "nothing was asked in this scope"
# Selectors under which a measure is undefined, with the reason.
WHOLE_RUN: Mapping[Selector, str] = {"phase": "is about the whole run and not about one phase"}
OF_PROMPTS: Mapping[Selector, str] = {"provider": "a prompt may visit several providers"}
_GROUPS = "a provider does not tell its clients' groups apart"
OF_PROVIDERS: Mapping[Selector, str] = {"group": _GROUPS, "tier": _GROUPS}


@dataclass(frozen=True, slots=True)
class Measure:
    """`text`: one sentence for people. A share is 0..1, a duration scenario seconds, a rate per scenario second.

    A scenario's `expect` may name it when it has a `better` direction. `one_client`: it means something for a single
    client too; the others need a crowd, or belong to the provider. `provider_side`: it comes from the service's
    journal, and needs no number of prompts. `heading`: of its column. `sentence`: before its value, in the terminal's
    sentence about outages. `accuracy`: relative, of a value that is not exact; a threshold within it is met.
    """

    unit: Unit
    better: Literal["low", "high"] | None
    undefined: Mapping[Selector, str] = field(default_factory=dict)
    one_client: bool = False
    provider_side: bool = False
    accuracy: float = 0.0
    shown: tuple[Place, ...] = ()
    heading: str = ""
    sentence: str = ""
    name: str = ""
    text: str = ""
    formula: Formula = lambda _: Undefined("has no formula")

    def __call__(self, formula: Formula) -> "Measure":
        """The entry with this formula, whose name and docstring become those of the measure."""
        return replace(self, name=formula.__name__, text=" ".join((formula.__doc__ or "").split()), formula=formula)

    def value(self, counted: Counters) -> Value:
        """Its value in the scope of the counters."""
        for selector, why in self.undefined.items():
            if getattr(counted.scope, selector) is not None:
                return Undefined(why)
        return self.formula(counted)
