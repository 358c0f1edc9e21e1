"""A locustfile for a process that Locust says `init` to long after it told the master that it is ready."""

import gevent
from locust import events

from mockbot.load.locust_plugin import install
from mockbot.load.users import ChatUser


@events.init.add_listener  # type: ignore[untyped-decorator]
def dawdle(**_: object) -> None:
    """Listeners are called in the order in which they came."""
    gevent.sleep(2)


install(events)


class Chatter(ChatUser):
    """Nothing of its own."""
