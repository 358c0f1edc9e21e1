"""What an external client is judged by besides measures of a scope: counts of its anti-patterns, and its exit code.

`mockbot.evidence.antipatterns` finds them. Pure.
"""

from mockbot.measures.measure import Measure

_COUNTED = {
    "exit_code": "Exit code of the client's command.",
    "ignores_retry_after": "Retries before the Retry-After was over.",
    "retries_what_cannot_succeed": "Requests that were repeated although they can only fail.",
    "retries_without_end": "Prompts with more than ten attempts.",
    "does_not_back_off": "Prompts whose waits did not grow after each failure.",
    "takes_broken_answers": "Incomplete or broken answers that were taken for good ones.",
    "hangs": "Attempts that waited more than a minute without a token.",
    "never_retries": "Prompts that were given up at the first failure, when all were.",
}
MEASURES = tuple(Measure("count", "low", one_client=True, name=name, text=text) for name, text in _COUNTED.items())
