"""The one table of measures agrees with everything that names one."""

import pytest

from mockbot.evidence.antipatterns import ANTIPATTERNS
from mockbot.evidence.formulas import REGISTRY
from mockbot.measures.catalogue import CATALOGUE, MEASURES
from mockbot.measures.text import format_in_unit
from mockbot.scenario.schema import Expectation


def test_every_formula_and_antipattern_has_an_entry_and_every_entry_has_one() -> None:
    """A missing entry cannot pass for a duration."""
    assert {*REGISTRY, *ANTIPATTERNS, "exit_code"} == {*CATALOGUE}


def test_the_language_offers_the_measures_in_the_order_of_the_table() -> None:
    """Scope keys aside."""
    assert [key for key in Expectation.model_fields if key in CATALOGUE] == [*MEASURES]


def test_an_unknown_measure_is_an_error() -> None:
    """It used to be printed as a duration."""
    with pytest.raises(KeyError, match="no_such_measure"):
        format_in_unit("no_such_measure", 1.0)
