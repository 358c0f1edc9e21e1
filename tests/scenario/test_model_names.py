"""Names of models with patterns in them."""

import pytest

from mockbot.scenario.model_names import ANY, listed, serves

OWN = ("gpt-4o", "gpt-4.1", "o3")


@pytest.mark.parametrize("model", ["ft:gpt-4o:acme::x", "openai/gpt-4o", "gpt-4o", "a[b]?c", "mockbot"])
def test_a_model_is_served_by_its_name_or_by_a_pattern(model: str) -> None:
    """`*` stands for any characters and nothing else for anything; the crowd's own model is always there."""
    served = serves(("ft:*", "*/gpt-4o", "gpt-4o", "a[b]?c"))

    assert served is not None
    assert served(model)


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4", "openai/gpt-4o/x", "abxc", "FT:x", "", "ft:" + "x" * 10**6])
def test_other_models_are_not(model: str) -> None:
    """Nor is a name that is longer than names are."""
    served = serves(("ft:*", "*/gpt-4o", "gpt-4o", "a[b]?c"))

    assert served is not None
    assert not served(model)


def test_the_list_has_the_names_of_the_file_and_the_providers_own_that_fit() -> None:
    """Without a restriction it is the provider's own."""
    assert listed(ANY, OWN) == OWN
    assert listed(("my-deployment", "gpt-*"), OWN) == ("my-deployment", "gpt-4o", "gpt-4.1")
