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
    """`loops`, innermost first; `timeout` of one attempt; `falls_over` if the group has a second provider."""

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

# openai-node 6, @anthropic-ai/sdk 1: uncapped, and 0 is "at once".
NODE = replace(OPENAI, obeys=Exactly(zero=True))

# vercel/ai, packages/ai/src/util/retry-with-exponential-backoff.ts: 2 s x 2^n, Retry-After in [0, 60) s. Its timeout is
# that of the runtime (undici: 300 s to the headers).
VERCEL = Loop(3, Exponential(2.0), Retried(), Exactly(at_most=math.nextafter(60.0, 0.0), zero=True))

# litellm.completion(num_retries=2): the SDK's 3 attempts, then two calls with its retries switched off, without a wait.
LITELLM_AGAIN = Loop(attempts=3, wait=AT_ONCE)
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
    obeys=Exactly(at_most=120.0, beyond="capped", statuses=frozenset({429})),
    stop_after=60.0,
)

# google-genai 3.x without `retry_options`: one attempt, no timeout. With HttpRetryOptions(): tenacity
# wait_exponential_jitter(initial=1, max=60, jitter=1), five statuses and transport errors, Retry-After never read.
GOOGLE = Loop(attempts=1, wait=AT_ONCE)
GOOGLE_RETRYING = Loop(
    attempts=5,
    wait=Exponential(1.0, 60.0, plus=1.0),
    retried=Retried(frozenset({408, 429, 500, 502, 503, 504}), server_errors=False),
)

PRESETS: Mapping[PresetName, Preset] = {
    "openai-python": Preset((OPENAI,)),
    "openai-python-1": Preset((SDK_OF_2024,)),
    "anthropic-python": Preset((ANTHROPIC,)),
    "anthropic-python-0": Preset((SDK_OF_2024,)),
    "openai-node": Preset((NODE,)),
    "vercel-ai": Preset((VERCEL,), timeout=300.0),
    "litellm": Preset((OPENAI,)),
    "litellm-num-retries": Preset((LITELLM_FIRST, LITELLM_AGAIN)),
    "litellm-router": Preset((ROUTER,)),
    "litellm-router-pair": Preset((ROUTER_PAIR,), falls_over="balance"),
    "langchain-with-retry": Preset((OPENAI, LANGCHAIN)),
    "llama-index": Preset((LLAMA_INNER, LLAMA_OUTER), timeout=60.0),
    "google-genai": Preset((GOOGLE,), timeout=math.inf),
    "google-genai-retrying": Preset((GOOGLE_RETRYING,), timeout=math.inf),
}
