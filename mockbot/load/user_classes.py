"""The groups of a load plan in, one Locust user class per group out; and the plan of a test without a scenario."""

from locust.env import Environment

from mockbot.errors import UsageError
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan
from mockbot.load.locust_options import Options
from mockbot.load.users import ChatUser

ChatClasses = list[type[ChatUser]]


def chat_users(environment: Environment) -> ChatClasses:
    """The locustfile's classes that are measured. Raises UsageError when there is none."""
    users = [user for user in environment.user_classes if issubclass(user, ChatUser)]
    if not users:
        raise UsageError("the locustfile has no class that inherits mockbot.load.users.ChatUser")
    return users


def classes_of(bases: ChatClasses, plan: LoadPlan, generator: LoadGenerator | None) -> ChatClasses:
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


def plain_plan(bases: ChatClasses, options: Options) -> LoadPlan:
    """A plain load test: the locustfile's own groups against one host. Raises UsageError without a host."""
    host = options.host or next((base.host for base in bases if base.host), None)
    if host is None:
        raise UsageError("name a host with --host, or a scenario with --scenario")
    url = host.rstrip("/").removesuffix("/v1")
    return LoadPlan(groups={base.group_name: base.spec for base in bases}, endpoints={"main": Endpoint(url)})


def prepare_plain(bases: ChatClasses, generator: LoadGenerator, options: Options) -> None:
    """Set what the locustfile's own classes need for a plain load test."""
    for base in bases:
        base.generator, base.api_key, base.model = generator, options.api_key, options.model
