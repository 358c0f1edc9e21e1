"""A streaming chat load: a plain load test of any OpenAI-compatible endpoint, or with --scenario a whole outage.

locust -f loadtests/chat.py --host http://127.0.0.1:8000 -u 10 -r 5 -t 20s --headless
locust -f loadtests/chat.py --scenario traffic-surge --headless
"""

from locust import events

from mockbot import ChatUser, install

install(events)


class Chatter(ChatUser):
    """Asks for a streamed answer, reads it to its end, thinks for a second, asks again."""
