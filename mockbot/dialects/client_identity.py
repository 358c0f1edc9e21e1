"""How mockbot's own users name themselves to its service: a key `sk-<tier>-<user>`, and headers of each request.

The service reads the limits' tier from the key; every other key, and a request without one, is of tier FREE. A key that
mockbot did not hand out may be a real one, and nothing that is written or printed may contain it.
"""

import re
import shlex
from collections.abc import Sequence

FREE = "free"
PROMPT = "x-mockbot-prompt"  # the same in all attempts for one prompt
ATTEMPT = "x-mockbot-attempt"  # 0 for the first one
GROUP = "x-mockbot-group"
MASK = "***"

_TIER = r"sk-([a-z0-9][a-z0-9_]{0,23})-"  # short: of a real key with dashes it is the first part
_HANDED_OUT = re.compile(_TIER + r"\d{1,6}")
_NAME = r"(?:\b|_|-|api)(?:key|token|secret|password|authorization|on-phase)"
_OPTION = re.compile(rf"(?!--upstream-key)-.*{_NAME}", re.IGNORECASE)  # that one's value names a variable
_NAMED = re.compile(rf"({_NAME}['\"]?\s*[=:]\s*['\"]?(?:\w+\s+)?)[^\s'\"&#,]+", re.IGNORECASE)
_HOOK = re.compile(r"(--on-phase=).+", re.DOTALL)
_USER = re.compile(r"(\w://)[^/@\s]+(?=@)")  # and password, in a URL
_SHAPED = re.compile(r"\b(?:sk|pk|gsk|xai|hf|nvapi|pplx|AIza|ya29\.)[-_]?[\w-]{12,}")


def api_key(tier: str, user: str) -> str:
    """The key of a user."""
    return f"sk-{tier}-{user}"


def tier_of(key: str) -> str:
    """The tier that a key names."""
    found = re.match(_TIER + ".", key)
    return FREE if found is None else found[1]


def is_handed_out(key: str) -> bool:
    """Whether a key is one of those that mockbot gives to clients: with a number for the user, so no secret."""
    return _HANDED_OUT.fullmatch(key) is not None


def command_text(words: Sequence[str]) -> str:
    """A command line to be shown, with MASK for what looks like a key, or is the value of what is named like one.

    A hook is a secret as a whole: Slack's URL is one, and so is what a command gets to log in.
    """
    shown = []
    for before, word in zip(["", *words], words, strict=False):
        secret = _OPTION.fullmatch(before) and not word.startswith("-")
        for named in (_HOOK, _USER, _NAMED):
            word = named.sub(rf"\1{MASK}", word)  # noqa: PLW2901 - a step of three
        shown.append(MASK if secret else _SHAPED.sub(MASK, word))
    return shlex.join(shown)
