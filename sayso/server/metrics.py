"""Numbers for Prometheus: plain integers counted in the event loop, exposed by a collector of our own.

A label is a route template, a method or a status class: never a path, an id or a tenant's person.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.core import Metric

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the latency buckets, in seconds."""


class _Series:
    __slots__ = ("buckets", "count", "total")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.count = 0
        self.total = 0.0


class Metrics:
    """Counts of one process. `gauges` are asked only when somebody reads them."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str, int], _Series] = {}
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """One answered request. `route` is a template such as `/v1/subjects/{subject}/consents`."""
        key = (route, method, status // 100)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series()
        series.count += 1
        series.total += seconds
        for place, bound in enumerate(BOUNDS):
            if seconds <= bound:
                series.buckets[place] += 1
                return
        series.buckets[-1] += 1

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A figure read on demand, such as the length of a queue."""
        self._gauges[name] = (text, read)

    def exposition(self) -> bytes:
        """All figures in Prometheus' text format."""
        from prometheus_client import CollectorRegistry, generate_latest

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> "Iterator[Metric]":
        """The figures as Prometheus' library wants them."""
        from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily

        family = HistogramMetricFamily(
            "sayso_request_seconds", "Answered requests.", labels=["route", "method", "status"]
        )
        for (route, method, status), series in self._series.items():
            running = 0
            buckets: list[tuple[str, float]] = []
            for bound, count in zip((*BOUNDS, "+Inf"), series.buckets, strict=True):
                running += count
                buckets.append((str(bound), running))
            family.add_metric([route, method, f"{status}xx"], buckets, sum_value=series.total)
        yield family
        for name, (text, read) in self._gauges.items():
            gauge = GaugeMetricFamily(name, text)
            gauge.add_metric([], read())
            yield gauge
