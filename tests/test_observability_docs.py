"""What docs/observability.md names is what is exported."""

import re
from pathlib import Path

from mockbot.observability import semantic_names as names

PAGE = (Path(__file__).parents[1] / "docs" / "observability.md").read_text("utf-8")


def test_every_attribute_and_metric_is_on_the_page() -> None:
    """And no other."""
    written = {
        value for name, value in vars(names).items() if name.isupper() and isinstance(value, str) and "." in value
    }
    about = {names.SERVICE, names.NAMESPACE, names.INSTANCE, names.VERSION}

    named = set(re.findall(r"`((?:gen_ai|mockbot|error|http)\.[a-z_.]+)`", PAGE))

    assert named - {"mockbot.speed"} == written - about
