"""Programs under test, as their own test suites would have them."""

import os
from collections.abc import Callable

import pytest
import requests

Ask = Callable[..., requests.Response]


@pytest.fixture
def ask() -> Ask:
    """A client that knows only its environment: one question, no retries."""

    def once(text: str = "hi", timeout: float = 10) -> requests.Response:
        url = f"{os.environ['OPENAI_BASE_URL']}/chat/completions"
        headers = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
        question = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}
        return requests.post(url, headers=headers, json=question, timeout=timeout)

    return once
