"""The groups of a load plan in, one Locust user class per group out; and the plan of a test without a scenario."""

from collections.abc import Sequence
from typing import TypeVar, cast

from locust import HttpUser, User
from locust.env import Environment

from mockbot.errors import UsageError
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan
from mockbot.load.locust_options import Options
from mockbot.load.measured_user import MeasuredUser
from mockbot.load.plain_users import PlainUser
from mockbot.load.users import ChatUser

MeasuredClasses = list[type[MeasuredUser]]
Base = TypeVar("Base", bound=MeasuredUser)


def measured_users(environment: Environment, *, system: bool) -> MeasuredClasses:
    """The locustfile's classes that are measured: ChatUsers, and at a system HttpUsers. UsageError without any."""
    users = [each for user in environment.user_classes if (each := measured(user, system=system)) is not None]
    if not users:
        raise UsageError(
            f"no user of the locustfile is measured; inherit mockbot.ChatUser{' or HttpUser' if system else ''}"
        )
    return users


def measured(user: type[User], *, system: bool) -> type[MeasuredUser] | None:
    """The class itself, an HttpUser with what measures it, or None for what cannot be measured."""
    if issubclass(user, MeasuredUser):
        return user
    if not system or not issubclass(user, HttpUser):
        return None
    own: dict[str, object] = {"abstract": False, "group_name": getattr(user, "group_name", PlainUser.group_name)}
    if user.wait_time is User.wait_time:  # none: a user that never pauses is no user
        own["wait_time"] = PlainUser.think
    return cast("type[PlainUser]", type(user.__name__, (PlainUser, user), own))


def classes_of(bases: Sequence[type[Base]], plan: LoadPlan, generator: LoadGenerator | None) -> list[type[Base]]:
    """A class for each group: the locustfile's with that group_name, else its first one without a clock of its own.

    A master has no generator, because its users run on its workers.
    """
    by_group = {base.group_name: base for base in reversed(bases)}
    common = next((base for base in bases if not base.own_clock), bases[0])
    # Locust tells classes apart by name, and its tables and messages to workers carry it: the group's name.
    shared: dict[str, object] = {} if generator is None else {"generator": generator}
    if plan.system is not None:
        shared["model"] = plan.system.model
    return [
        type(
            name,
            (by_group.get(name, common),),
            {"group_name": name, "spec": group, "host": plan.endpoints[plan.provider_of(name)].url, **shared},
        )
        for name, group in plan.groups.items()
    ]


def plain_plan(bases: MeasuredClasses, options: Options) -> LoadPlan:
    """A plain load test: the locustfile's own groups against one host. Raises UsageError without a host."""
    host = options.host or next((base.host for base in bases if base.host), None)
    if host is None:
        raise UsageError("name a host with --host, or a scenario with --scenario")
    url = host.rstrip("/").removesuffix("/v1")
    return LoadPlan(groups={base.group_name: base.spec for base in bases}, endpoints={"main": Endpoint(url)})


def prepare_plain(bases: MeasuredClasses, generator: LoadGenerator, options: Options) -> None:
    """Set what the locustfile's own classes need for a plain load test."""
    for base in bases:
        base.generator = generator
        if issubclass(base, ChatUser):
            base.api_key, base.model = options.api_key, options.model
