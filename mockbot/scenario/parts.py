"""The parts of a scenario file as frozen values, each valid in itself. Pure.

`problems.py` says whether they fit together, and `schema.py` holds the whole.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, create_model, model_validator

from mockbot.dialects.families import FAMILIES
from mockbot.faults import Fault
from mockbot.measures.measure import Measure
from mockbot.measures.scope import Scope
from mockbot.measures.table import EXPECTED
from mockbot.measures.text import UNITS
from mockbot.measures.threshold import Threshold, parse_threshold
from mockbot.scenario.answer_specs import MOST_ANSWERS, OwnAnswer
from mockbot.scenario.model_names import ANY, Models
from mockbot.scenario.policies import Policy
from mockbot.units.frozen_model import Model, Whole
from mockbot.units.quantities import CountRamp, Duration, Rate, RateRamp, Share

if TYPE_CHECKING:
    DialectName = str
else:
    DialectName = Literal[tuple(FAMILIES)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
Limits = dict[Name, Annotated[Rate, Field(gt=0)]]
MeanCount = Annotated[float, Field(ge=1, le=10_000, strict=True, allow_inf_nan=False)]


class Retells(Model):
    """The real outage that a scenario retells, its source, and what is not known but assumed."""

    incident: str
    source: str
    assumed: tuple[str, ...] = ()


class Queue(Model):
    """Requests waiting for a slot; more than `limit` are refused, and one that waited longer than `max_wait` is too."""

    limit: Whole = Field(100, ge=0)
    order: Literal["fifo", "lifo"] = "fifo"
    max_wait: Duration | None = None
    first: tuple[Name, ...] = Field(
        (), description="tiers served before all others, in this order; a full queue drops others for them"
    )


class Tokens(Model):
    """Length of an answer: log-normal, given by its median and 95th percentile (equal: always that long)."""

    median: Whole = Field(60, ge=1)
    p95: Whole = Field(200, ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> "Tokens":
        if self.p95 < self.median:
            raise ValueError(f"p95 ({self.p95}) is less than the median ({self.median})")
        return self


class Answer(Model):
    """How an idle provider answers: `first_token` seconds, then `tokens` at `pace` tokens per second."""

    first_token: Duration = 0.3
    tokens: Tokens = Tokens()
    pace: Rate = Field(40.0, gt=0)
    slowdown_from: Whole | None = Field(
        None, ge=1, description="running answers from which the pace is divided by running / slowdown_from"
    )


MOST_REPLICAS = 64  # processes of one provider, on one machine
NO_LIMIT = 10_000  # slots of a provider whose answers are not made here and that gives no number


def _no_address(value: object) -> object:
    if value not in {None, "real"}:
        raise ValueError("is 'real' and nothing else: its address and its key come from the command line (--upstream)")
    return value


def _no_path(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("is true or false: the recording comes from the command line (--replay)")
    return value


class Provider(Model):
    """One chatbot service with its own capacity."""

    dialect: DialectName = "openai"
    upstream: Annotated[Literal["real"] | None, BeforeValidator(_no_address)] = Field(
        None, description="a real provider answers, whose address --upstream names; faults act on its answers"
    )
    replay: Annotated[bool, BeforeValidator(_no_path)] = Field(
        False, description="recorded answers are given again, from the file that --replay names"
    )
    slots: Whole = Field(
        40, ge=1, description="answers generated at the same time; an upstream has no limit unless this is given"
    )
    replicas: Whole = Field(
        1, ge=1, le=MOST_REPLICAS, description="processes behind its address, each with slots and a queue of its own"
    )
    queue: Queue = Queue()
    abandoned_work: Literal["continues", "leaves_queue", "stops"] = Field(
        "continues", description="what becomes of work whose client has disconnected"
    )
    answer: Answer = Answer()
    limits: Limits = Field(default_factory=dict, description="requests per API key, by tier")
    token_limits: Limits = Field(default_factory=dict, description="tokens per API key, prompt and answer, by tier")
    refusal_cost: Duration = Field(0.0, description="slot time that refusing a request takes from the others")
    retry_after: Duration | None = Field(None, description="Retry-After of a refusal for lack of capacity")
    models: Models = Field(ANY, description="the models that are served, * for any characters; others are a 404")
    answers: tuple[OwnAnswer, ...] = Field((), max_length=MOST_ANSWERS, description="the first that fits is given")

    @property
    def all_slots(self) -> int:
        """Of all its replicas."""
        return self.slots * self.replicas

    @property
    def makes_answers(self) -> bool:
        """Whether mockbot makes its answers up: it is no upstream and no replay."""
        return self.upstream is None and not self.replay

    @model_validator(mode="before")
    @classmethod
    def _unlimited(cls, data: object) -> object:
        if isinstance(data, dict) and "slots" not in data and (data.get("upstream") or data.get("replay") is True):
            return {**data, "slots": NO_LIMIT}
        return data


class Complaints(Model):
    """Users whose prompt was not answered and who say so in public: how many of them, and their mean delay."""

    share: Share = 0.05
    after: Duration = Field(120.0, gt=0, description="mean time from the failure to the complaint (exponential)")


class Group(Model):
    """Clients that share a policy, a tier and a behaviour. Closed (`users`, with think time) or open (`arrivals`)."""

    users: Share | None = Field(None, description="share of the phase's users")
    arrivals: Share | None = Field(None, description="share of the phase's arrivals")
    policy: Policy
    think: Duration = Field(20.0, description="mean pause between an answer and the next prompt (exponential)")
    patience: Duration = Field(60.0, gt=0, description="how long a user waits for one prompt, retries included")
    comes_back: Duration | None = Field(
        None, gt=0, description="mean time that a user stays away after a failed prompt (exponential); else as usual"
    )
    complains: Complaints | None = Field(None, description="who complains in public about a failed prompt")
    tier: Name = "free"
    uses: Name | None = Field(None, description="provider; the first one when not given")
    falls_over_to: Name | None = None
    stream: bool = True
    burst: MeanCount = Field(
        1.0, description="mean number that arrive at the same moment (batch Poisson, geometric sizes); 1: one by one"
    )
    session: MeanCount = Field(
        1.0, description="mean number of prompts of a user who arrives (geometric), `think` apart; 1: one only"
    )


class Phase(Model):
    """A stretch of the scenario. `users` and `arrivals` stay in force in later phases until they are given again."""

    name: Name
    lasts: Duration = Field(gt=0)
    users: CountRamp | None = None
    arrivals: RateRamp | None = None
    mix: dict[Name, Share] | None = Field(None, description="shares of the users for this phase and the later ones")
    faults: tuple[Fault, ...] = ()


ENDS = ("resolved", "completed")  # states of a status update after which its incident is over


class StatusUpdate(Model):
    """What the status page shows from `at` on: an offset ("12m") or a phase with an offset ("blackout+12m").

    `page` is how the page misleads until the next update: it stays green; it answers with an empty body; it has moved
    and redirects to a page of HTML; it links the incident to all components.
    """

    at: str
    state: Literal["investigating", "identified", "monitoring", "resolved", "scheduled", "in_progress", "completed"]
    impact: Literal["none", "minor", "major", "critical", "maintenance"] | None = None
    says: str = ""
    back_in: Duration | None = Field(None, description="announced time from then until the service is back")
    provider: Name | None = None
    page: Literal["as_written", "still_green", "empty", "moved", "linked"] = "as_written"
    typed: Duration = Field(0.0, description="entered so long afterwards, and dated `at`")

    @property
    def hidden(self) -> bool:
        """Whether nobody who reads the page now learns that anything is wrong."""
        return self.page in {"still_green", "empty", "moved"}


class ScopedExpectation(Model):
    """The scope of an expectation: the whole run unless narrowed. `Expectation` adds a field for each measure."""

    phase: Name | None = None
    group: Name | None = None
    tier: Name | None = None
    provider: Name | None = None

    @property
    def scope(self) -> Scope:
        """The part of the run that it is about."""
        return Scope(self.phase, self.group, self.tier, self.provider)

    def thresholds(self) -> tuple[tuple[Measure, str, Threshold], ...]:
        """The measures that it names, in the order of the table, each with its threshold as written and as parsed."""
        texts = ((measure, getattr(self, measure.name)) for measure in EXPECTED)
        return tuple((each, text, parse_threshold(each.name, text)) for each, text in texts if text is not None)


def _threshold_field(measure: Measure) -> tuple[object, object]:
    """The type and the default of a measure's field: text like ">= 99.5%" in its unit."""

    def fits(text: str) -> str:
        parse_threshold(measure.name, text)
        return text

    written = Field(pattern=r"^(<=|<|>=|>|==) *\S.*$", examples=[UNITS[measure.unit].example])
    return Annotated[str, written, AfterValidator(fits)] | None, Field(None, description=measure.text)


if TYPE_CHECKING:  # mypy knows no fields that are made at run time; nothing but `thresholds` reads them

    class Expectation(ScopedExpectation):
        """One or more measures that must hold in a scope: the whole run unless narrowed."""

else:
    Expectation = create_model(
        "Expectation",
        __base__=ScopedExpectation,
        __doc__="One or more measures that must hold in a scope: the whole run unless narrowed.",
        __module__=__name__,
        **{measure.name: _threshold_field(measure) for measure in EXPECTED},
    )


class ScenarioParts(Model):
    """All parts of a scenario, not yet checked as a whole."""

    name: Name
    title: str
    retells: Retells | None = None
    teaches: str = Field("", description="one sentence for `mockbot list`")
    cause: Literal["traffic surge", "maintenance", "unexpected failure"] | None = None
    seed: Whole = Field(1, ge=0)
    speed: float = Field(
        1.0, gt=0, le=1000, strict=True, allow_inf_nan=False, description="scenario seconds per second of a live run"
    )
    slo: Duration = Field(60.0, gt=0, description="a prompt is good if answered within this time of its intended start")
    objective: Share | None = Field(None, gt=0, lt=1, description="promised share of good prompts, like 99.9%")
    providers: dict[Name, Provider] = Field(min_length=1)
    crowd: dict[Name, Group] = Field(min_length=1)
    phases: tuple[Phase, ...] = Field(min_length=1)
    status_page: tuple[StatusUpdate, ...] = ()
    expect: tuple[Expectation, ...] = ()

    @property
    def first_provider(self) -> str:
        """The provider that faults and groups mean when they name none."""
        return next(iter(self.providers))

    @property
    def over_tls(self) -> bool:
        """Whether its providers are served over TLS, because a fault of the handshake needs it."""
        return any(fault.layer == "tls" for phase in self.phases for fault in phase.faults)
