"""chat.py plus small groups that use the official SDKs. Needs the extra `sdk`, and real time (--speed 1).

A scenario's group named `openai-sdk` uses openai-python, one named `anthropic-sdk` anthropic-python; all others use
the fast client.

    locust -f loadtests/sdk.py --scenario my-outage.yaml --speed 1 --headless
    locust -f loadtests/sdk.py --host http://127.0.0.1:8000 -u 5 -t 20s --headless OpenAI
"""

from locust import events

from mockbot import AnthropicSdk, ChatUser, OpenAISdk, install

install(events)


class Chatter(ChatUser):
    """The fast client, for all other groups."""


class OpenAI(OpenAISdk):
    """openai-python, with its own retries and waits."""

    group_name = "openai-sdk"


class Anthropic(AnthropicSdk):
    """anthropic-python, with its own retries and waits."""

    group_name = "anthropic-sdk"
