"""The same crowd with another policy: `--compare backoff`, or `--compare "{name: backoff, attempts: 4}"`. Pure."""

from collections.abc import Callable

from pydantic import TypeAdapter, ValidationError

from mockbot.errors import UsageError
from mockbot.scenario.document import DocumentError, document_of, read_tree
from mockbot.scenario.policies import POLICY_NAMES, Policy
from mockbot.scenario.schema import Scenario
from mockbot.units.quantities import IN_A_FILE

_POLICY: TypeAdapter[Policy] = TypeAdapter(Policy)


def policy_of(text: str) -> Policy:
    """Read a policy as a scenario file has it. Raises UsageError."""
    try:
        return _POLICY.validate_python(document_of(read_tree(text)).data, context=IN_A_FILE)
    except (DocumentError, ValidationError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.diagnostics[0].message
        known = ", ".join(POLICY_NAMES)
        raise UsageError(f"--compare {text}: not a policy ({why}); there is {known}") from None


def with_policies(scenario: Scenario, change: Callable[[Policy], Policy]) -> Scenario:
    """Every group with its policy changed; providers, patience and think time stay."""
    crowd = {name: group.model_copy(update={"policy": change(group.policy)}) for name, group in scenario.crowd.items()}
    return scenario.model_copy(update={"crowd": crowd})
