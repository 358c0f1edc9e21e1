"""The parts of a scenario file as frozen values, each valid in itself. Pure.

`problems.py` says whether they fit together, and `schema.py` holds the whole.
"""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from mockbot.faults.union import Fault
from mockbot.measures.catalogue import MEASURES
from mockbot.measures.threshold import Threshold, parse_threshold
from mockbot.scenario.policies import Policy
from mockbot.units.frozen_model import Model, Whole
from mockbot.units.quantities import CountRamp, Duration, Rate, RateRamp, Share

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


class Provider(Model):
    """One chatbot service with its own capacity."""

    dialect: Literal["openai", "anthropic"] = "openai"
    slots: Whole = Field(40, ge=1, description="answers generated at the same time")
    queue: Queue = Queue()
    abandoned_work: Literal["continues", "leaves_queue", "stops"] = Field(
        "continues", description="what becomes of work whose client has disconnected"
    )
    answer: Answer = Answer()
    limits: Limits = Field(default_factory=dict, description="requests per API key, by tier")
    token_limits: Limits = Field(default_factory=dict, description="tokens per API key, prompt and answer, by tier")
    refusal_cost: Duration = Field(0.0, description="slot time that refusing a request takes from the others")
    retry_after: Duration | None = Field(None, description="Retry-After of a refusal for lack of capacity")


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


class StatusUpdate(Model):
    """What the status page shows from `at` on: an offset ("12m") or a phase with an offset ("blackout+12m")."""

    at: str
    state: Literal["investigating", "identified", "monitoring", "resolved", "scheduled", "in_progress", "completed"]
    impact: Literal["none", "minor", "major", "critical", "maintenance"] | None = None
    says: str = ""
    back_in: Duration | None = Field(None, description="announced time from then until the service is back")
    provider: Name | None = None


ThresholdText = Annotated[str, Field(pattern=r"^(<=|<|>=|>|==) *\S.*$", examples=[">= 99.5%", "<= 3m"])] | None


class Expectation(Model):
    """One or more measures that must hold in a scope: the whole run unless narrowed."""

    phase: Name | None = None
    group: Name | None = None
    tier: Name | None = None
    provider: Name | None = None

    answered: ThresholdText = Field(None, description="share of the prompts that were answered at all")
    availability: ThresholdText = Field(None, description="share of the prompts answered within the scenario's `slo`")
    user_uptime: ThresholdText = Field(None, description="share of users' time in which their last prompt was good")
    goodput: ThresholdText = Field(None, description="good answers per second")
    efficiency: ThresholdText = Field(None, description="goodput over the lesser of capacity and demand")
    attempts_per_prompt: ThresholdText = Field(None, description="requests made for a prompt, on average")
    amplification: ThresholdText = Field(None, description="requests sent over prompts issued in the same time")
    latency_p50: ThresholdText = Field(None, description="time to the whole answer; never answered counts as infinite")
    latency_p95: ThresholdText = None
    latency_p99: ThresholdText = None
    latency_p999: ThresholdText = None
    answered_p50: ThresholdText = Field(None, description="latency of the answered prompts alone")
    answered_p95: ThresholdText = None
    failed_p50: ThresholdText = Field(None, description="how long failed prompts took to fail")
    first_token_p50: ThresholdText = Field(None, description="time to the first token of what was answered")
    first_token_p95: ThresholdText = None
    time_to_detect: ThresholdText = Field(None, description="from the disturbance's start to a client's first failure")
    first_success: ThresholdText = Field(None, description="from its end to the first good answer to a later prompt")
    recovery_time: ThresholdText = Field(None, description="from its end until well for 30 s; infinite if never")
    affected_recovery: ThresholdText = Field(None, description="from its end until 95 % of its prompts were settled")
    wasted_work: ThresholdText = Field(None, description="share of slot time spent on answers to disconnected clients")
    overshoot: ThresholdText = Field(None, description="most requests in one second after its end, over the capacity")
    fairness: ThresholdText = Field(None, description="Jain's index of the groups' answered shares, 1/n to 1")
    apdex: ThresholdText = Field(None, description="satisfied within slo/4, tolerating within slo")
    burn_rate: ThresholdText = Field(None, description="error budget spent, as a multiple of what `objective` allows")
    budget_spent: ThresholdText = Field(None, description="share of 30 days' error budget that was spent; at most 100%")
    burn_1h: ThresholdText = Field(None, description="highest burn rate over both 1 hour and 5 minutes; pages at 14.4")
    burn_6h: ThresholdText = Field(None, description="the same for 6 hours and 30 minutes; pages at 6")
    burn_3d: ThresholdText = Field(None, description="the same for 3 days and 6 hours; a ticket at 1")
    time_to_page: ThresholdText = Field(None, description="from the disturbance's start until a paging alert fired")
    hysteresis: ThresholdText = Field(None, description="load at collapse minus load at recovery, over the capacity")
    failed_users: ThresholdText = Field(None, description="share of the users with a prompt that was never answered")
    longest_outage_p95: ThresholdText = Field(None, description="each user's longest time without a good answer")

    @field_validator(*MEASURES)
    @classmethod
    def _fits_its_measure(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is not None and info.field_name is not None:
            parse_threshold(info.field_name, text)
        return text

    def thresholds(self) -> tuple[tuple[str, Threshold], ...]:
        """The measures that it names, in the order of the language, each with its parsed threshold."""
        texts = ((measure, getattr(self, measure)) for measure in MEASURES)
        return tuple((measure, parse_threshold(measure, text)) for measure, text in texts if text is not None)


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
