"""Clients in Python as people write them: `python python_clients.py NAME polite|hammering|gives_up`.

polite     asks one question until it is answered, and waits as long as each failure says
hammering  asks one question twelve times, at once after each failure
gives_up   asks five questions, each once
"""

import asyncio
import contextlib
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

QUESTIONS = (
    "What is the capital of France?",
    "Write a haiku about snow.",
    "Translate 'good morning' into Dutch.",
    "Why is the sky blue?",
    "Name a fruit that floats.",
)
TIMES = 12
KIND = sys.argv[2]
BASE, KEY = os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"]
URL, HEADERS = f"{BASE}/chat/completions", {"Authorization": f"Bearer {KEY}"}

Send = Callable[[str], object]  # one attempt; raises FailedError


class FailedError(Exception):
    """`wait`: what the answer said, in seconds."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.wait = float(headers.get("retry-after", headers.get("Retry-After", 0)))


def body(text: str) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}


def loop(send: Send) -> None:
    """A loop of one's own."""
    for text in QUESTIONS if KIND == "gives_up" else [QUESTIONS[0]] * TIMES:
        try:
            send(text)
        except FailedError as failed:
            time.sleep(failed.wait + 0.05 if KIND == "polite" else 0)
        else:
            return


def each(send: Send, *errors: type[Exception]) -> None:
    """Calls of something that retries by itself."""
    for text in QUESTIONS if KIND == "gives_up" else QUESTIONS[:1]:
        with contextlib.suppress(*errors):
            send(text)


# -- SDKs


def chat(client: Any) -> Send:
    """One call of the openai SDK."""
    import openai

    def send(text: str) -> None:
        try:
            client.chat.completions.create(**body(text))
        except openai.APIStatusError as error:
            raise FailedError(error.response.headers) from None

    return send


def messages(client: Any) -> Send:
    """One call of the anthropic SDK."""
    import anthropic

    def send(text: str) -> None:
        asked: Any = [{"role": "user", "content": text}]
        try:
            client.messages.create(model="claude-sonnet-5", max_tokens=20, messages=asked)
        except anthropic.APIStatusError as error:
            raise FailedError(error.response.headers) from None

    return send


def eager(client: type[Any]) -> Any:
    """The SDK, which waits as it is told; to hammer, its waits have to be taken out."""

    class Eager(client):  # type: ignore[misc]
        def _calculate_retry_timeout(self, *_: Any, **__: Any) -> float:
            return 0.0

    if KIND == "hammering":
        return Eager(max_retries=TIMES - 1)
    return client(max_retries=3 if KIND == "polite" else 0)


def openai_alone() -> None:
    import openai

    each(chat(eager(openai.OpenAI)), FailedError)


def anthropic_alone() -> None:
    import anthropic

    each(messages(eager(anthropic.Anthropic)), FailedError)


def openai_loop() -> None:
    import openai

    loop(chat(openai.OpenAI(max_retries=0)))


def openai_loop_of_sdk_retries() -> None:
    """The SDK retries once, and the loop does the rest."""
    import openai

    loop(chat(openai.OpenAI(max_retries=0 if KIND == "gives_up" else 1)))


def openai_new_client_each_time() -> None:
    import openai

    def send(text: str) -> None:
        chat(openai.OpenAI(max_retries=0))(text)

    loop(send)


def openai_async() -> None:
    import openai

    async def ask() -> None:
        async with openai.AsyncOpenAI(max_retries=0) as client:
            for text in QUESTIONS if KIND == "gives_up" else [QUESTIONS[0]] * TIMES:
                asked: Any = body(text)
                try:
                    await client.chat.completions.create(**asked)
                except openai.APIStatusError as error:
                    await asyncio.sleep(FailedError(error.response.headers).wait + 0.05 if KIND == "polite" else 0)
                else:
                    return

    asyncio.run(ask())


def anthropic_loop() -> None:
    import anthropic

    loop(messages(anthropic.Anthropic(max_retries=0)))


# -- libraries that retry


def openai_tenacity() -> None:
    import openai
    import tenacity

    def told(state: Any) -> float:
        return state.outcome.exception().wait + 0.05 if KIND == "polite" else 0.0

    tries = 1 if KIND == "gives_up" else TIMES
    retrying = tenacity.Retrying(stop=tenacity.stop_after_attempt(tries), wait=told, reraise=True)
    send = chat(openai.OpenAI(max_retries=0))
    each(lambda text: retrying(send, text), FailedError)


def openai_backoff() -> None:
    import backoff
    import openai

    send = chat(openai.OpenAI(max_retries=0))
    tries = 1 if KIND == "gives_up" else TIMES
    how: dict[str, Any] = {"wait_gen": backoff.constant, "interval": 0}
    if KIND == "polite":
        how = {"wait_gen": backoff.runtime, "value": lambda failed: failed.wait + 0.05}
    wrap = backoff.on_exception(exception=FailedError, jitter=None, max_tries=tries, **how)  # jitter may shorten a wait
    each(wrap(send), FailedError)


def openai_stamina() -> None:
    import openai
    import stamina

    def on(error: Exception) -> bool | float:
        return error.wait + 0.05 if isinstance(error, FailedError) and KIND == "polite" else True

    send = chat(openai.OpenAI(max_retries=0))
    tries = 1 if KIND == "gives_up" else TIMES
    wrap = stamina.retry(on=on, attempts=tries, wait_initial=0, wait_max=0, wait_jitter=0, timeout=60)
    each(wrap(send), FailedError)


def litellm_retries() -> None:
    import litellm

    how: Any = {
        "polite": {"max_retries": 3},  # which it hands to the openai SDK
        "hammering": {"max_retries": 0, "num_retries": TIMES, "retry_strategy": "constant_retry"},
        "gives_up": {"max_retries": 0},
    }[KIND]
    each(
        lambda text: litellm.completion(
            "openai/gpt-4o", body(text)["messages"], api_base=BASE, api_key=KEY, **how
        ),
        litellm.exceptions.ServiceUnavailableError,
    )  # fmt: skip


def langchain_with_retry() -> None:
    import openai
    from langchain_openai import ChatOpenAI

    model: Any = ChatOpenAI(model="gpt-4o", max_retries=0)
    if KIND == "polite":
        model = model.with_retry(stop_after_attempt=4, exponential_jitter_params={"initial": 1.2})
    if KIND == "hammering":
        model = model.with_retry(stop_after_attempt=TIMES, wait_exponential_jitter=False)
    each(model.invoke, openai.APIStatusError)


# -- plain HTTP


def requests_loop() -> None:
    """A connection for each request."""
    import requests

    def send(text: str) -> None:
        answer = requests.post(URL, json=body(text), headers=HEADERS, timeout=10)
        if not answer.ok:
            raise FailedError(answer.headers)

    loop(send)


def requests_adapter() -> None:
    import requests
    from requests.adapters import HTTPAdapter

    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=_retry()))
        each(
            lambda text: session.post(URL, json=body(text), headers=HEADERS, timeout=10), requests.RequestException
        )  # fmt: skip


def urllib3_retry() -> None:
    import urllib3

    pool = urllib3.PoolManager(retries=_retry())
    each(lambda text: pool.request("POST", URL, json=body(text), headers=HEADERS), urllib3.exceptions.HTTPError)


def _retry() -> Any:
    from urllib3.util import Retry

    tries = {"polite": 3, "hammering": TIMES - 1, "gives_up": 0}[KIND]
    return Retry(
        total=tries, status_forcelist=[503], allowed_methods=None, respect_retry_after_header=KIND == "polite",
    )  # fmt: skip


def httpx_loop() -> None:
    import httpx

    with httpx.Client(headers=HEADERS, trust_env=False) as client:
        loop(_httpx(client.post))


def httpx_timestamp() -> None:
    """A time in each prompt, and a connection for each request."""
    import httpx

    def send(text: str) -> None:
        now = datetime.now().astimezone().isoformat()
        _httpx(httpx.post)(f"It is {now} ({time.time()}). {text}")

    loop(send)


def httpx_nonce() -> None:
    """An id in each prompt, on one connection."""
    import httpx

    with httpx.Client(headers=HEADERS, trust_env=False) as client:
        loop(lambda text: _httpx(client.post)(f"[{uuid.uuid4()}] {text}"))


def httpx_new_words() -> None:
    """Other words, and a connection for each request: nobody can tell a retry from a new question."""
    import httpx

    words = iter(["well", "so", "now", "please", "then", "and", "again", "quickly", "yes", "come", "oh", "hm"])
    loop(lambda text: _httpx(httpx.post)(f"{next(words)}: {text}"))


def _httpx(post: Callable[..., Any]) -> Send:
    def send(text: str) -> None:
        answer = post(URL, json=body(text), headers=HEADERS)
        if not answer.is_success:
            raise FailedError(answer.headers)

    return send


def aiohttp_loop() -> None:
    import aiohttp

    async def ask() -> None:
        async with aiohttp.ClientSession(headers=HEADERS) as session:
            for text in QUESTIONS if KIND == "gives_up" else [QUESTIONS[0]] * TIMES:
                async with session.post(URL, json=body(text)) as answer:
                    await answer.read()
                    if answer.ok:
                        return
                    wait = FailedError(answer.headers).wait
                await asyncio.sleep(wait + 0.05 if KIND == "polite" else 0)

    asyncio.run(ask())


def urllib_loop() -> None:
    """The standard library: a connection for each request."""

    def send(text: str) -> None:
        headers = {**HEADERS, "Content-Type": "application/json"}
        request = urllib.request.Request(URL, json.dumps(body(text)).encode(), headers)  # noqa: S310 - our own service
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                answer.read()
        except urllib.error.HTTPError as error:
            raise FailedError(dict(error.headers)) from None

    loop(send)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
