"""Real clients, each a declared value that follows its source to the letter (read and measured, November 2026)."""

from mockbot.clients.failures import Exactly, Retried
from mockbot.clients.reactions import Loop
from mockbot.clients.waits import Exponential

# openai-python 3.x `_calculate_retry_timeout`: min(0.5 * 2^n, 8) * (1 - 0.25 * random()); `_should_retry`.
OPENAI = Loop(
    attempts=3,
    wait=Exponential(0.5, 8.0, low=0.75),
    retried=Retried(heeds_header=True),
    obeys=Exactly(at_most=120.0, beyond="stop"),
)
