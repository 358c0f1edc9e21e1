"""Real clients, each a declared value that follows its source to the letter (read and measured, November 2026).

Attempts against an endless 503, as measured: openai 3, litellm with num_retries=2 5, its Router 3 (6 with a fallback
group), langchain with_retry 9, LlamaIndex 12, google-genai 1 (5 with retry options).

What is not modelled: SDK timeouts are per wait for the socket, ours are per attempt; 5 s for connecting is part of it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mockbot.clients.failures import ANYTHING, EVERY_OUTCOME, Exactly, Retried
from mockbot.clients.reactions import Loop
from mockbot.clients.route import When
from mockbot.clients.waits import AT_ONCE, Exponential
from mockbot.scenario.policies import PresetName


@dataclass(frozen=True, slots=True)
class Preset:
    """`client`: the version it equals, by test. `loops`, innermost first; `timeout` of one attempt; `falls_over` if the
    group has a second provider.
    """

    client: str
    loops: tuple[Loop, ...]
    timeout: float = 600.0
    falls_over: When = "exhausted"


# openai-python 3.x and 2.x, `_calculate_retry_timeout`: min(0.5 * 2^n, 8) * (1 - 0.25 * random()); Retry-After is
# honoured if 0 < x <= 120, and a longer one stops all retries (`_should_retry`), x-should-retry or not.
OPENAI = Loop(
    attempts=3,
    wait=Exponential(0.5, 8.0, low=0.75),
    retried=Retried(heeds_header=True),
    obeys=Exactly(at_most=120.0, beyond="stop"),
)

# Retry-After longer than a minute is ignored: openai-python 1.109, anthropic-python 0.60.
SDK_OF_2024 = replace(OPENAI, obeys=Exactly(at_most=60.0))

# anthropic-python 2.x waits as long as Retry-After asks, up to what time.sleep can (2^32 ms).
ANTHROPIC = replace(OPENAI, obeys=Exactly(at_most=4_294_967.0, beyond="capped"))

# openai-node, client.js, `retryRequest`: uncapped, and 0 is "at once"; @anthropic-ai/sdk takes its own wait for 0.
NODE = replace(OPENAI, obeys=Exactly(zero=True))
ANTHROPIC_NODE = replace(OPENAI, obeys=Exactly())

# vercel/ai, packages/ai/src/util/retry-with-exponential-backoff.ts: 2 s x 2^n, Retry-After in [0, 60) s. Its timeout is
# that of the runtime (undici: 300 s to the headers).
VERCEL = Loop(3, Exponential(2.0), Retried(), Exactly(at_most=math.nextafter(60.0, 0.0), zero=True))

# litellm/utils.py, `client`, and litellm/main.py, `completion_with_retries`, for completion(num_retries=2): the SDK's 3
# attempts, then two calls with its retries switched off, without a wait, after any status: 400, 401 and 404, too.
# completion(max_retries=2), which is the default, is the SDK's own loop.
LITELLM_AGAIN = Loop(attempts=3, wait=AT_ONCE, retried=Retried(frozenset(range(400, 500))))
LITELLM_FIRST = replace(OPENAI, later=1)

# litellm.Router, `_calculate_retry_after`: min(max(0.5 * 2^n, retry_after_min), 8) + U(0, 0.75); it sleeps once more
# before it raises. With two healthy deployments there is no wait at all.
ROUTER = Loop(
    attempts=3,
    wait=Exponential(0.5, 8.0, plus=0.75),
    retried=Retried(),
    obeys=Exactly(at_most=60.0, plus=0.75),
    sleeps_last=True,
)
ROUTER_PAIR = Loop(attempts=3, wait=AT_ONCE)

# langchain-core `.with_retry()`: tenacity wait_exponential_jitter(initial=1, jitter=1), any exception. A stream that
# just ends, and an empty answer, raise none.
LANGCHAIN = Loop(
    attempts=3,
    wait=Exponential(1.0, plus=1.0),
    retried=replace(ANYTHING, late=EVERY_OUTCOME - {"truncated", "blank"}),
)

# llama-index-llms-openai 0.8: max_retries=3 for the SDK (4 attempts) and for tenacity around it (3 calls):
# wait_random_exponential(min=1, max=20) = U(1, min(20, 2^n)), stop_after_delay(60), Retry-After of a 429 up to 120 s.
LLAMA_INNER = replace(OPENAI, attempts=4)
LLAMA_OUTER = Loop(
    attempts=3,
    wait=Exponential(1.0, 20.0, low=0.0, floor=1.0),
    retried=Retried(statuses=frozenset({429})),
    obeys=Exactly(at_most=120.0, beyond="capped", zero=True, statuses=frozenset({429})),
    stop_after=60.0,
)

# google-genai 3.x without `retry_options`: one attempt, no timeout. With HttpRetryOptions(): tenacity
# wait_exponential_jitter(initial=1, max=60, jitter=1), six statuses, timeouts and refused connections, but none that is
# reset or closed; Retry-After never read.
GOOGLE = Loop(attempts=1, wait=AT_ONCE)
GOOGLE_RETRYING = Loop(
    attempts=5,
    wait=Exponential(1.0, 60.0, plus=1.0),
    retried=Retried(
        frozenset({408, 429, 500, 502, 503, 504}),
        server_errors=False,
        unanswered=frozenset({"refused", "tls_error", "timeout"}),
    ),
)

# botocore/retries/standard.py, `ExponentialBackoff`: U(0, 1) x min(scale * 2^n, 20), scale 1 s when throttled,
# else 50 ms; `_TRANSIENT_STATUS_CODES`. Retry-After is never read. It is the default mode, too. Adaptive adds a token
# bucket that slows a client down after a 429, and all modes but legacy a quota of retries for each client: neither is
# modelled. A 429 is one that Bedrock sends, with x-amzn-errortype: ThrottlingException.
BOTO = Loop(
    attempts=3,
    wait=Exponential(0.05, 20.0, low=0.0),
    retried=Retried(frozenset({429, 500, 502, 503, 504}), server_errors=False),
    limited=Exponential(1.0, 20.0, low=0.0),
)

# botocore/retryhandler.py, `delay_exponential`, with data/_retry.json: U(0, 1) x 2^n.
BOTO_LEGACY = replace(
    BOTO,
    attempts=5,
    wait=Exponential(1.0, low=0.0),
    limited=None,
    retried=Retried(frozenset({429, 500, 502, 503, 504, 509}), server_errors=False),
)

PRESETS: Mapping[PresetName, Preset] = {
    "openai-python": Preset("openai 3.57.0", (OPENAI,)),
    "openai-python-1": Preset("openai 1.109.1", (SDK_OF_2024,)),
    "azure-openai": Preset("openai 3.57.0", (OPENAI,)),
    "anthropic-python": Preset("anthropic 2.14.0", (ANTHROPIC,)),
    "anthropic-python-0": Preset("anthropic 0.60.0", (SDK_OF_2024,)),
    "openai-node": Preset("openai (npm) 6.49.0", (NODE,)),
    "anthropic-node": Preset("@anthropic-ai/sdk 1.14.0", (ANTHROPIC_NODE,)),
    "vercel-ai": Preset("ai 6.0.326", (VERCEL,), timeout=300.0),
    "litellm": Preset("litellm 1.108.7", (OPENAI,)),
    "litellm-num-retries": Preset("litellm 1.108.7", (LITELLM_FIRST, LITELLM_AGAIN)),
    "litellm-router": Preset("litellm 1.108.7", (ROUTER,)),
    "litellm-router-pair": Preset("litellm 1.108.7", (ROUTER_PAIR,), falls_over="balance"),
    "langchain-openai": Preset("langchain-openai 1.7.4", (OPENAI,)),
    "langchain-anthropic": Preset("langchain-anthropic 1.7.10", (ANTHROPIC,)),
    "langchain-with-retry": Preset("langchain-core 1.8.3", (OPENAI, LANGCHAIN)),
    "llama-index": Preset("llama-index-llms-openai 0.8.3", (LLAMA_INNER, LLAMA_OUTER), timeout=60.0),
    "google-genai": Preset("google-genai 3.6.1", (GOOGLE,), timeout=math.inf),
    "google-genai-retrying": Preset("google-genai 3.6.1", (GOOGLE_RETRYING,), timeout=math.inf),
    "boto3": Preset("boto3 1.44.8", (BOTO,), timeout=60.0),
    "boto3-legacy": Preset("boto3 1.44.8", (BOTO_LEGACY,), timeout=60.0),
    "boto3-standard": Preset("boto3 1.44.8", (BOTO,), timeout=60.0),
    "boto3-adaptive": Preset("boto3 1.44.8", (BOTO,), timeout=60.0),
}
