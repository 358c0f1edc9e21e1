"""Print one sentence for each private name of Locust that mockbot uses and this release does not have as it was."""

import inspect
import json
from collections.abc import Callable
from importlib.metadata import version

import locust.main
import locust.runners
import locust.stats
from locust import LoadTestShape, User, argument_parser, web
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerNode, WorkerNodes, WorkerRunner

PRIVATE = "mockbot/load/locust_private.py"


class Waiting(User):
    """A user class for the dispatcher."""


def dispatcher() -> UsersDispatcher:
    """Locust's own, with one worker."""
    return UsersDispatcher([WorkerNode("a")], [Waiting])


def ours(method: str) -> Callable[[], bool]:
    """Whether this method is still there to be overridden."""
    return lambda: callable(getattr(UsersDispatcher, method))


def kept(attribute: str, kind: type) -> Callable[[], bool]:
    """Whether a dispatcher keeps this attribute, of this type."""
    return lambda: isinstance(getattr(dispatcher(), attribute), kind)


def yields_what_was_placed() -> bool:
    """`next(dispatcher)` gives a copy of what `_dispatcher` yields: worker -> class -> users."""
    made = dispatcher()
    made.new_dispatch(2, 100)
    return next(made) == {"a": {"Waiting": 2}} and made.get_current_user_count() == 2


def source_names(function: object, *names: str) -> Callable[[], bool]:
    """Whether the function still reads these names."""
    return lambda: all(name in inspect.getsource(function) for name in names)  # type: ignore[arg-type]


def nodes_by_state() -> bool:
    """`clients` sorts worker nodes, which have ids, by their state."""
    nodes = WorkerNodes()
    nodes["a"] = WorkerNode("a")
    lists = (nodes.ready, nodes.spawning, nodes.running, nodes.missing)
    return [len(each) for each in lists] == [1, 0, 0, 0] and [node.id for node in nodes.all] == ["a"]


USES: tuple[tuple[str, str, Callable[[], bool]], ...] = (
    *(
        (f"UsersDispatcher.{name}", f"{PRIVATE}: ExactDispatcher overrides it", ours(name))
        for name in ("new_dispatch", "_prepare_rebalance", "_dispatcher")
    ),
    *(
        (f"UsersDispatcher().{name}", f"{PRIVATE}: ExactDispatcher reads or sets it", kept(name, kind))
        for name, kind in (
            ("_worker_nodes", list),
            ("_users_on_workers", dict),
            ("_rebalance", bool),
            ("_current_user_count", int),
            ("_original_user_classes", list),
            ("_dispatch_in_progress", bool),
        )
    ),
    (
        "the parameters of UsersDispatcher.new_dispatch",
        f"{PRIVATE}: ExactDispatcher.new_dispatch has the same",
        lambda: (
            list(inspect.signature(UsersDispatcher.new_dispatch).parameters)
            == ["self", "target_user_count", "spawn_rate", "user_classes"]
        ),
    ),
    ("what iterating a UsersDispatcher yields", f"{PRIVATE}: ExactDispatcher yields the same", yields_what_was_placed),
    (
        "the rebalancing of a dispatcher when a worker comes or goes",
        f"{PRIVATE}: ExactDispatcher._prepare_rebalance is called there",
        lambda: all(
            "_prepare_rebalance" in inspect.getsource(method)
            for method in (UsersDispatcher.add_worker, UsersDispatcher.remove_worker)
        ),
    ),
    (
        "runners.WORKER_REPORT_INTERVAL, read anew at each report",
        f"{PRIVATE}: tune() sets it",
        source_names(WorkerRunner.stats_reporter, "WORKER_REPORT_INTERVAL"),
    ),
    (
        "runners.MASTER_HEARTBEAT_TIMEOUT, read anew at each check",
        f"{PRIVATE}: tune() sets it",
        source_names(WorkerRunner.heartbeat_timeout_checker, "MASTER_HEARTBEAT_TIMEOUT"),
    ),
    (
        "MasterRunner.handle_message, to which every message of a worker goes",
        f"{PRIVATE}: filter_messages() stands before it",
        source_names(MasterRunner.client_listener, "self.handle_message(client_id, msg)"),
    ),
    (
        "WorkerRunner.connect_to_master, which counts its attempts and repeats itself",
        f"{PRIVATE}: before_connecting() stands before it",
        source_names(WorkerRunner.connect_to_master, "self.retry += 1", "self.connect_to_master()"),
    ),
    (
        "the option expect_workers, until which a headless master waits",
        "mockbot/load/locust_plugin.py sets it to 0: the worker gate counts",
        source_names(locust.main.main, "< options.expect_workers"),
    ),
    (
        "stats.HISTORY_STATS_INTERVAL_SEC, read anew at each point",
        f"{PRIVATE}: tune() sets it",
        source_names(locust.stats.stats_history, "HISTORY_STATS_INTERVAL_SEC"),
    ),
    (
        "argument_parser.default_args_dict, called by workers without arguments",
        f"{PRIVATE}: tune() caches it",
        lambda: (
            not inspect.signature(argument_parser.default_args_dict).parameters
            and "argument_parser.default_args_dict()" in inspect.getsource(locust.runners)
        ),
    ),
    (
        "Environment.dispatcher_class, from which runners make their dispatcher",
        "mockbot/load/plugin.py sets it",
        lambda: (
            hasattr(Environment(), "dispatcher_class")
            and "environment.dispatcher_class(" in inspect.getsource(LocalRunner)
            and "environment.dispatcher_class(" in inspect.getsource(MasterRunner)
        ),
    ),
    (
        "Environment.shape_class and LoadTestShape.runner",
        f"{PRIVATE}: use_shape() sets both",
        lambda: hasattr(Environment(), "shape_class") and "runner" in LoadTestShape.__annotations__,
    ),
    ("runners.WorkerNodes by state", f"{PRIVATE}: present_workers() and others read it", nodes_by_state),
    (
        "WorkerRunner.client_id and .worker_index",
        "mockbot/load/roles.py and the worker's side of batches read them",
        source_names(WorkerRunner, "self.client_id = ", "self.worker_index = "),
    ),
    (
        "custom options in the master's message of a change of users",
        "mockbot/load/roles.py ships a worker's set-up in them",
        source_names(MasterRunner.start, "parsed_options"),
    ),
    (
        "WebUI's endpoints `index`, `request_stats` and `/swarm`",
        f"{PRIVATE}: INDEX, REQUEST_STATS, START_PATH",
        source_names(web.WebUI.__init__, "def index()", "def request_stats()", '"/swarm"'),
    ),
    (
        "WebUI.auth_required_if_enabled and .template_args",
        "mockbot/load/web_ui/ uses them",
        lambda: callable(web.WebUI.auth_required_if_enabled) and "template_args" in web.WebUI.__annotations__,
    ),
)


def moved(check: Callable[[], bool]) -> bool:
    """Whether what is checked is gone or different."""
    try:
        return not check()
    except (AttributeError, TypeError, ValueError, KeyError, OSError):
        return True


if __name__ == "__main__":
    broken = [f"locust {version('locust')} has moved {what} ({where})" for what, where, check in USES if moved(check)]
    print(json.dumps(broken))  # noqa: T201
