"""chat.py's crowd, and beside it small groups that run the official SDKs. Needs the extra `sdk`, and real time.

A scenario's group named `openai-sdk` runs openai-python, one named `anthropic-sdk` anthropic-python; all others run
the fast client.

    locust -f loadtests/sdk.py --scenario my-outage.yaml --speed 1 --headless
    locust -f loadtests/sdk.py --host http://127.0.0.1:8000 -u 5 -t 20s --headless OpenAI
"""

from locust import events

from mockbot import AnthropicSdk, ChatUser, OpenAISdk, install

install(events)


class Chatter(ChatUser):
    """The fast client, which carries the load."""


class OpenAI(OpenAISdk):
    """openai-python, with its own retries and waits."""

    group_name = "openai-sdk"


class Anthropic(AnthropicSdk):
    """anthropic-python, with its own retries and waits."""

    group_name = "anthropic-sdk"
