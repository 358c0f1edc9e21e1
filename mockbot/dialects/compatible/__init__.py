"""Providers that speak OpenAI's API at paths, with models and with errors of their own: a row each, a Family out."""

from mockbot.dialects.compatible.compatible_endpoints import ENDPOINTS
from mockbot.dialects.compatible.compatible_providers import PROVIDERS, Provider
from mockbot.dialects.family import Family, KeyPlace, ModelList
from mockbot.dialects.openai import models as openai_models
from mockbot.dialects.openai.error_bodies import HOPELESS


def _family(row: Provider) -> Family:
    first, *others = (f"{base}/models" for base in row.bases)
    return Family(
        name=row.name,
        dialects=tuple(ENDPOINTS[path](row, f"{base}/{path}") for base in row.bases for path in row.endpoints),
        # Without `stream_options`: not all of them take it (github.com/dnakov/anon-kode/issues/53).
        ask=lambda question, streamed: {**question, "stream": streamed},
        key_places=(KeyPlace("Authorization", "Bearer"),),
        headers={},
        retry_header="x-stainless-retry-count",
        environment=lambda url, key: {name: url + after for name, after in row.urls.items()} | {row.key: key},
        hosts=row.hosts,
        models_path=first,
        models=row.models,
        model_list=openai_models.listed,
        model=openai_models.one,
        further_lists=tuple(ModelList(path, openai_models.listed, openai_models.one) for path in others),
        hopeless=HOPELESS,
    )


COMPATIBLE = tuple(map(_family, PROVIDERS))
