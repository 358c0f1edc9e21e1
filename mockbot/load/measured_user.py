"""What every measured user is to a run, however it asks: its group, its identity, and how Locust removes it."""

from typing import ClassVar

from locust import User

from mockbot.load.collector import UserIdentity
from mockbot.load.load_generator import LoadGenerator
from mockbot.scenario.schema import Group


class MeasuredUser(User):
    """Subclasses hold their greenlet in `generator.asking` while a prompt runs, and raise StopUser once `leaving`."""

    abstract = True
    group_name: ClassVar[str] = "users"
    spec: ClassVar[Group] = Group(users="100%", policy="once", think="1s")
    own_clock: ClassVar[bool] = False  # True: its client waits in wall time, so that time cannot be compressed
    generator: ClassVar[LoadGenerator]  # set when a run starts
    identity: UserIdentity
    leaving = False

    def stop(self, force: bool = False) -> bool:  # noqa: ARG002 - Locust's two ways lose or delay a prompt
        """Locust removes this user: at once while it thinks, after its prompt is settled while it asks.

        A user that asks leaves Locust's group now, so that Locust's counts are exact, and ends after the prompt.
        """
        # Locust's own stop kills the prompt (force), or waits for it and delays every other change of users meanwhile.
        # A late event loop may wake a user that thinks before it delivers the kill: then it must not begin a prompt.
        self.leaving = True
        if self.greenlet not in self.generator.asking or self.generator.closing:
            return bool(super().stop(force=True))
        self.group.discard(self.greenlet)
        return True
