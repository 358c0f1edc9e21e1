"""How mockbot's own users name themselves to its service: a key `sk-<tier>-<user>`, and headers of each request.

The service reads the limits' tier from the key; every other key, and a request without one, is of tier FREE.
"""

FREE = "free"
PROMPT = "x-mockbot-prompt"  # the same in all attempts for one prompt
ATTEMPT = "x-mockbot-attempt"  # 0 for the first one
GROUP = "x-mockbot-group"


def api_key(tier: str, user: str) -> str:
    """The key of a user."""
    return f"sk-{tier}-{user}"


def tier_of(key: str) -> str:
    """The tier that a key names."""
    parts = key.split("-", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "sk" and parts[1] else FREE
