"""One real client, in an environment of its own: asks each server once, and tells its attempts and what it slept.

    python python_clients.py NAME < {"case": {"url": ..., "timeout": seconds, "stream": bool}, ...}
    > {"version": ..., "case": {"attempts": 3, "waits": [[1, 0.45], [2, 0.9]]}, ...}     [after attempt, seconds]

Nothing of the client is changed but `time.sleep` and `asyncio.sleep`, in which it waits between attempts: they note the
seconds and return, and `time.monotonic` is that much later. An attempt is a connection, as every answer closes its own.
"""

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from types import FrameType
from typing import Any

os.environ |= {
    "NO_PROXY": "*", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true", "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}  # fmt: skip
real_connect, real_monotonic, real_pause = socket.socket.connect, time.monotonic, asyncio.sleep
ports: set[int] = set()
waits: list[tuple[int, float]] = []
attempts = 0
slept = 0.0


def connect(self: socket.socket, address: Any) -> None:
    """As the real one; counted when it goes to a server of ours."""
    global attempts  # noqa: PLW0603 - a program of one run
    attempts += isinstance(address, tuple) and address[1] in ports
    real_connect(self, address)


def sleep(seconds: float) -> None:
    """Note what was asked for."""
    global slept  # noqa: PLW0603 - as above
    if RETRYING & set(_callers()):
        waits.append((attempts, seconds))
        slept += seconds


async def pause(seconds: float, result: Any = None) -> Any:
    """The same; other tasks, as those that log, sleep as ever."""
    if RETRYING & set(_callers()):
        sleep(seconds)
        return await real_pause(0, result)
    return await real_pause(seconds, result)


def _callers() -> list[str]:
    frame: FrameType | None = sys._getframe(2)
    names = list[str]()
    while frame is not None:
        names.append(frame.f_code.co_filename.replace(os.sep, "/").rsplit("site-packages/", 1)[-1])
        frame = frame.f_back
    return names


# The files of the clients that wait between attempts.
RETRYING = {
    "openai/_base_client.py", "anthropic/_base_client.py", "tenacity/nap.py", "litellm/router.py",
    "litellm/router_rust/core.py",
    "botocore/endpoint.py", "botocore/retries/standard.py", "botocore/retryhandler.py",
}  # fmt: skip
ASK: Any = [{"role": "user", "content": "?"}]


def openai(url: str, timeout: float, stream: bool) -> Any:
    import openai

    return _create(openai.OpenAI(base_url=f"{url}/v1", api_key="k", timeout=timeout), stream)


def azure(url: str, timeout: float, stream: bool) -> Any:
    import openai

    return _create(
        openai.AzureOpenAI(azure_endpoint=url, api_version="2024-10-21", api_key="k", timeout=timeout), stream
    )


def _create(client: Any, stream: bool) -> Any:
    return client.chat.completions.create(model="m", messages=ASK, stream=stream)


def anthropic(url: str, timeout: float, stream: bool) -> Any:
    import anthropic

    client = anthropic.Anthropic(base_url=url, api_key="k", timeout=timeout)
    return client.messages.create(model="m", max_tokens=9, messages=ASK, stream=stream)


def litellm(url: str, timeout: float, stream: bool, **more: Any) -> Any:
    import litellm

    return litellm.completion(
        "openai/m", ASK, api_base=f"{url}/v1", api_key="k", timeout=timeout, stream=stream, **more
    )


def router(url: str, timeout: float, stream: bool, deployments: int = 1) -> Any:
    from litellm import Router

    one = {"model": "openai/m", "api_base": f"{url}/v1", "api_key": "k", "timeout": timeout}
    models = [
        {"model_name": "m", "litellm_params": one, "model_info": {"id": str(number)}} for number in range(deployments)
    ]
    return Router(model_list=models).completion("m", ASK, stream=stream)


def langchain_openai(url: str, timeout: float, stream: bool, wrap: Callable[[Any], Any] = lambda model: model) -> Any:
    from langchain_openai import ChatOpenAI

    model = wrap(ChatOpenAI(model="m", base_url=f"{url}/v1", api_key="k", timeout=timeout))
    return model.stream("?") if stream else model.invoke("?")


def langchain_anthropic(url: str, timeout: float, stream: bool) -> Any:
    from langchain_anthropic import ChatAnthropic

    model = ChatAnthropic(model="m", base_url=url, api_key="k", timeout=timeout, max_tokens=9)
    return model.stream("?") if stream else model.invoke("?")


def llama_index(url: str, timeout: float, stream: bool) -> Any:
    from llama_index.llms.openai import OpenAI

    model = OpenAI(model="gpt-4o-mini", api_base=f"{url}/v1", api_key="k", timeout=timeout)
    return model.stream_complete("?") if stream else model.complete("?")


def google(url: str, timeout: float, stream: bool, retry: bool = False) -> Any:
    from google import genai

    options = genai.types.HttpOptions(base_url=url, timeout=int(timeout * 1000))
    if retry:
        options.retry_options = genai.types.HttpRetryOptions()
    client = genai.Client(api_key="k", http_options=options)
    if not stream:
        return client.models.generate_content(model="m", contents="?")
    return [*client.models.generate_content_stream(model="m", contents="?")]


def boto(url: str, timeout: float, stream: bool, mode: str | None = None) -> Any:
    import boto3
    from botocore.config import Config

    how = Config(read_timeout=timeout, connect_timeout=timeout, **({"retries": {"mode": mode}} if mode else {}))
    client = boto3.client("bedrock-runtime", endpoint_url=url, config=how)
    ask: dict[str, Any] = {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "?"}]}]}
    return client.converse_stream(**ask)["stream"] if stream else client.converse(**ask)


CLIENTS: dict[str, tuple[str, Callable[..., Any]]] = {
    "openai-python": ("openai", openai),
    "azure-openai": ("openai", azure),
    "anthropic-python": ("anthropic", anthropic),
    "litellm": ("litellm", litellm),
    "litellm-num-retries": ("litellm", partial(litellm, num_retries=2)),
    "litellm-router": ("litellm", router),
    "litellm-router-pair": ("litellm", partial(router, deployments=2)),
    "langchain-openai": ("langchain-openai", langchain_openai),
    "langchain-with-retry": ("langchain-core", partial(langchain_openai, wrap=lambda model: model.with_retry())),
    "langchain-anthropic": ("langchain-anthropic", langchain_anthropic),
    "llama-index": ("llama-index-llms-openai", llama_index),
    "google-genai": ("google-genai", google),
    "google-genai-retrying": ("google-genai", partial(google, retry=True)),
    "boto3": ("boto3", boto),
    "boto3-legacy": ("boto3", partial(boto, mode="legacy")),
    "boto3-standard": ("boto3", partial(boto, mode="standard")),
    "boto3-adaptive": ("boto3", partial(boto, mode="adaptive")),
}


def main(name: str) -> None:
    """Ask every server in turn."""
    global attempts
    package, ask = CLIENTS[name]
    told: dict[str, Any] = {"version": version(package)}
    for case, how in json.load(sys.stdin).items():
        ports.clear()
        ports.add(int(how["url"].rsplit(":", 1)[1]))
        attempts, error = 0, ""
        waits.clear()
        try:
            answer = ask(how["url"], how["timeout"], how["stream"])
            _ = [*answer] if how["stream"] else answer
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"[:200]
        told[case] = {"attempts": attempts, "waits": list(waits), "error": error}
    os.write(1, json.dumps(told).encode())
    os._exit(0)  # threads that log might keep it


if __name__ == "__main__":
    # Before any client is imported: some keep the function that they found.
    socket.socket.connect = connect  # type: ignore[method-assign, assignment]
    time.sleep, asyncio.sleep = sleep, pause  # type: ignore[assignment]
    time.monotonic = lambda: real_monotonic() + slept
    sys.stdout = sys.stderr  # what a library prints is not the answer
    main(sys.argv[1])
