"""Turn pydantic's errors about a Document into messages: where, what was found, what to write instead. Pure.

In: a ValidationError and the Document it is about. Out: one Diagnostic for each place, in the order of the file.
"""

import re
from difflib import get_close_matches
from itertools import groupby

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mockbot.faults import KINDS
from mockbot.faults.base import FaultBase, ServiceFault, WireFault
from mockbot.scenario.document import Diagnostic, Document, Path, Value
from mockbot.scenario.location import Located, locate
from mockbot.scenario.policies import POLICY_NAMES, custom_policy_names
from mockbot.scenario.problems import Problem, nearest
from mockbot.scenario.schema import Scenario

_ELSEWHERE = {"failover", "fallback", "fallover"}  # taken for a policy, but a key of the group
_NAME_RULE = "is not a name; use small letters, digits, '-' and '_'"
_MISSING = " is missing"
_THRESHOLD_RULE = "is not a threshold; write it like '>= 99%' or '<= 3m'"
_SCOPE_KEYS = frozenset(key for base in (FaultBase, ServiceFault, WireFault) for key in base.model_fields)
_RAMPS = "what can ramp: a phase's users and arrivals; a fault's share; capacity, shed's admit, slow's first_token"
_KINDS_OF_VALUE = {
    "bool": "true or false",
    "dict": "a mapping of names to values",
    "float": "a number",
    "int": "a whole number",
    "literal": "a word",
    "model": "a mapping of keys to values",
    "string": "text",
    "tuple": "a list, '- ' before each entry",
}
_LIMITS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def diagnose(error: ValidationError, document: Document, root: type[BaseModel] = Scenario) -> tuple[Diagnostic, ...]:
    """One Diagnostic for each place: what is missing joined by "and", alternatives by "or". `root`: what it is."""
    errors = error.errors(include_url=False)
    real = (each for each in errors if not _is_mistyped(each, errors) and not _is_emptied(each, errors))
    found = sorted((_diagnostic(each, document, root) for each in real), key=_order)
    diagnostics = []
    for _, group in groupby(found, key=_order):
        first, *others = group
        messages = dict.fromkeys([first.message, *(other.message for other in others)])
        word = " and " if all(message.endswith(_MISSING) for message in messages) else ", or "
        diagnostics.append(Diagnostic(first.place, first.path, word.join(messages)))
    return tuple(diagnostics)


def diagnostic_of(problem: Problem, document: Document) -> Diagnostic:
    """A problem with the place that it is about."""
    return (_at_key if problem.at_key else _at_value)(document, problem.path, problem.message)


def _is_mistyped(missing: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """A key that is missing because it is there with a typo, which is an error of its own."""
    if missing["type"] != "missing":
        return False
    *parent, key = missing["loc"]
    extra = (each["loc"] for each in errors if each["type"] == "extra_forbidden")
    return bool(get_close_matches(str(key), [str(loc[-1]) for loc in extra if [*loc[:-1]] == parent], n=1))


def _is_emptied(short: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """A list that pydantic calls too short because its entries are wrong, each of which is an error of its own."""
    where = short["loc"]
    return short["type"] == "too_short" and any(
        each is not short and each["loc"][: len(where)] == where for each in errors
    )


def _order(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    place = diagnostic.place
    return place.file, place.line, place.column, ".".join(map(str, diagnostic.path))


def _diagnostic(details: ErrorDetails, document: Document, root: type[BaseModel]) -> Diagnostic:
    location, kind = details["loc"], details["type"]
    if kind in {"inconsistent", "wrong_key"}:  # from problems.py, which has the path as the user wrote it
        return diagnostic_of(Problem(location, details["msg"], kind == "wrong_key"), document)
    here = locate(location, document.data, root)
    word = str(location[-1]) if location else ""
    match kind:
        case "extra_forbidden":
            known = locate(location[:-1], document.data, root).keys
            return _at_key(document, here.path, f"{word!r} is no key here{nearest(word, known)}")
        case "union_tag_not_found" | "union_tag_invalid":
            return (_no_fault if here.path[-2:-1] == ("faults",) else _no_member)(here, document)
        case "string_pattern_mismatch" if "[key]" in location:
            return _at_key(document, here.path, f"{here.path[-1]!r} {_NAME_RULE}")
        case "missing":
            return _at_value(document, here.path, f"{word!r}{_MISSING}")
    return _at_value(document, here.path, _message(details, here.value))


def _at_key(document: Document, path: Path, message: str) -> Diagnostic:
    return Diagnostic(document.keys.get(path) or _at_value(document, path, message).place, path, message)


def _at_value(document: Document, path: Path, message: str) -> Diagnostic:
    """Where the value begins; when nothing is written there, where its nearest container begins."""
    written = path
    while written not in document.values:
        written = written[:-1]
    return Diagnostic(document.values[written], path, message)


def _message(details: ErrorDetails, value: Value) -> str:
    context, kind = details.get("ctx", {}), details["type"]
    if isinstance(value, str) and "->" in value and (kind != "value_error" or f"{value!r} is no" in details["msg"]):
        return f"{value!r} is a ramp, which this value cannot be; {_RAMPS}"
    match kind:
        case "value_error":
            return details["msg"].removeprefix("Value error, ")
        case "string_pattern_mismatch":
            is_threshold = "<=" in str(context.get("pattern"))
            return f"{_shown(value)} {_THRESHOLD_RULE if is_threshold else _NAME_RULE}"
        case "literal_error" if context.get("expected") == "True":
            return f"{_shown(value)} should be true; leave the entry out if it should not happen"
        case "literal_error":
            choices = [choice.strip("'") for choice in re.split(", | or ", str(context.get("expected")))]
            suggestion = nearest(str(value), choices) if get_close_matches(str(value), choices) else ""
            return f"{_shown(value)} is not one of {', '.join(choices)}{suggestion}"
        case "too_short":
            return "is empty; it needs at least one entry"
        case _ if kind in _LIMITS:
            key, words = _LIMITS[kind]
            return f"{_shown(value)} should be {words} {context.get(key):g}"
    wanted = _KINDS_OF_VALUE.get(kind.partition("_")[0])
    return f"{_shown(value)} should be {wanted or details['msg'][:1].lower() + details['msg'][1:]}"


def _shown(value: Value) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str() if len(value) > 60:
            return f"{value[:57]!r}..."
    return repr(value)


def _no_fault(here: Located, document: Document) -> Diagnostic:
    """An entry of `faults` whose kind is missing, unknown or ambiguous."""
    path, value = here.path, here.value
    if not isinstance(value, dict):
        return _at_value(document, path, f"{_shown(value)} should be a mapping like {{latency: 300ms}}")
    kinds = [key for key in value if key in KINDS]
    if kinds:
        return _at_key(document, (*path, kinds[1]), f"says {' and '.join(map(repr, kinds))}; write one fault an entry")
    strange = next((key for key in value if key not in _SCOPE_KEYS), None)
    if strange is not None:
        return _at_key(document, (*path, strange), f"{strange!r} is not a fault{nearest(strange, KINDS)}")
    return _at_value(document, path, f"says no fault; the faults are {', '.join(KINDS)}")


def _no_member(here: Located, document: Document) -> Diagnostic:
    """A `policy`, `budget` or `breaker` whose name is none of the known ones."""
    what, path, name = str(here.path[-1]), here.path, here.value
    known = (*POLICY_NAMES, *sorted(custom_policy_names())) if what == "policy" else tuple(here.models)
    if isinstance(name, dict):
        if "name" not in name:
            return _at_value(document, path, f"'name' is missing; the first word says which {what} it is")
        path, name = (*path, "name"), name["name"]
    if not isinstance(name, str):
        return _at_value(document, path, f"{_shown(name)} should be the name of a {what}{nearest('', known)}")
    elsewhere = what == "policy" and re.sub("[^a-z]", "", name.lower()) in _ELSEWHERE
    hint = "; write 'falls_over_to: PROVIDER' beside the policy" if elsewhere else nearest(name, known)
    return _at_value(document, path, f"{name!r} is not a {what}{hint}")
