"""Asks for so many seconds, each time with a key that is not mockbot's in another place of the request."""

import os
import sys
import time

import requests

CANARY = "CANARY" + "REALSECRET0123456789"  # in two parts: whoever looks for the whole does not find this file
KEYS = [f"sk-proj-{CANARY}", f"sk-ant-api03-{CANARY}-AA", CANARY, f"sk-plus-{CANARY}"]
HEADERS = [
    ("Authorization", "Bearer "),
    ("authorization", "bearer "),
    ("Authorization", "Basic "),
    ("Authorization", ""),
    ("Authorization", "Key "),
    ("x-api-key", ""),
    ("api-key", ""),
    ("x-goog-api-key", ""),
    ("Ocp-Apim-Subscription-Key", ""),
    ("xi-api-key", ""),
]
PARAMETERS = ["key", "api_key", "api-key", "apikey", "access_token", "subscription-key"]
PLACES: list[tuple[dict[str, str], dict[str, str]]] = [
    ({name: scheme + key}, {}) for name, scheme in HEADERS for key in KEYS
]
PLACES += [({}, {name: key}) for name in PARAMETERS for key in KEYS]


def ask(url: str, seconds: float = 0.0) -> None:
    """Every place once, and again until the time is over. `url` ends with /v1."""
    begun, first = time.monotonic(), True
    question = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
    while first or time.monotonic() - begun < seconds:
        first = False
        for headers, parameters in PLACES:
            for path in ("chat/completions", "messages", "nowhere"):
                try:
                    requests.post(f"{url}/{path}", json=question, headers=headers, params=parameters, timeout=5)
                except requests.RequestException:
                    continue


if __name__ == "__main__":
    ask(os.environ["OPENAI_BASE_URL"], float(sys.argv[1]))
