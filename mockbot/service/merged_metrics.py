"""What Prometheus reads of several replicas as one provider's: texts in, their sum out. Pure.

Every figure of `metrics_endpoint` is a count of something, so that sums mean the same; `mockbot_up` is how many are up.
"""

from collections.abc import Iterable


def merged_metrics(texts: Iterable[str]) -> bytes:
    """In the order of the first text; series that only a later one has come at the end of their family."""
    families: dict[str, tuple[list[str], dict[str, float]]] = {}
    for text in texts:
        comments, series = list[str](), dict[str, float]()
        for line in text.splitlines():
            if line.startswith("# "):
                name = line.split(" ", 3)[2]
                comments, series = families.setdefault(name, ([], {}))
                if line not in comments:
                    comments.append(line)
            elif line:
                key, _, value = line.rpartition(" ")
                series[key] = series.get(key, 0.0) + float(value)
    lines = [
        line
        for comments, series in families.values()
        for line in (*comments, *(f"{key} {value!r}" for key, value in series.items()))
    ]
    return "".join(f"{line}\n" for line in lines).encode()
