"""A locustfile that connects Locust to mockbot and nothing else: `mockbot run` loads it before the user's own file."""

from locust import events

from mockbot.load.locust_plugin import install

install(events)
