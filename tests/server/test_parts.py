"""The small parts, by themselves: limits, settings, problems, logs, metrics, tokens."""

import io
import json
from pathlib import Path

import msgspec
import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from sayso.kernel import Conflict, Denied, Invalid, NotFound, TooMany, Unavailable
from sayso.server import problems
from sayso.server.idempotency import Answer, Slot
from sayso.server.limits import MINUTE, Limiter, TooFast, client_address, prefix_of
from sayso.server.logs import Log
from sayso.server.metrics import Metrics
from sayso.server.settings import load, remember
from tests.server.processes import sayso

SECRET = "alice@example.org"


def test_a_bucket_empties_and_fills_again_with_time() -> None:
    limiter = Limiter()
    for _ in range(3):
        limiter.take("site", 3, 0)
    with pytest.raises(TooFast) as refused:
        limiter.take("site", 3, 0)
    assert refused.value.retry_after == 20 + 1
    limiter.take("another", 3, 0)
    limiter.take("site", 3, MINUTE // 3)


@given(st.lists(st.integers(0, MINUTE), max_size=60), st.integers(1, 20))
def test_no_minute_sees_more_than_twice_the_rate(gaps: list[int], rate: int) -> None:
    limiter, at, taken = Limiter(), 0, []
    for gap in gaps:
        at += gap
        try:
            limiter.take("one", rate, at)
            taken.append(at)
        except TooFast:
            pass
    for start in taken:
        assert sum(start <= moment < start + MINUTE for moment in taken) <= 2 * rate


def test_addresses_count_by_their_network() -> None:
    assert prefix_of("203.0.113.7") == prefix_of("203.0.113.200") == "203.0.113.0/24"
    assert prefix_of("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert prefix_of("::ffff:203.0.113.7") == "203.0.113.0/24"
    assert prefix_of("nonsense") == "unknown"


def test_a_forwarded_address_counts_only_behind_a_trusted_proxy() -> None:
    assert client_address("198.51.100.1", "203.0.113.7", ()) == "198.51.100.1"
    assert client_address("10.0.0.1", "203.0.113.7", ["10.0.0.0/8"]) == "203.0.113.7"
    assert client_address("10.0.0.1", "1.1.1.1, 203.0.113.7, 10.0.0.2", ["10.0.0.0/8"]) == "203.0.113.7"


def test_settings_come_from_file_environment_and_command_the_later_winning(tmp_path: Path) -> None:
    remember(load(tmp_path, {}, public_url="https://file.example", origin="sayso.example"))
    settings = load(tmp_path, {"SAYSO_PORT": "9000", "SAYSO_DEMO": "true"}, port=9100)
    assert (settings.port, settings.demo, settings.public_url) == (9100, True, "https://file.example")
    above = load(tmp_path, {"SAYSO_PUBLIC_URL": "https://environment.example"})
    assert above.public_url == "https://environment.example"
    assert settings.log_origin == "sayso.example"
    assert (tmp_path / "sayso.toml").stat().st_mode & 0o777 == 0o600
    assert settings.key_folder == tmp_path.with_name(tmp_path.name + ".keys")


@pytest.mark.parametrize("environ", [{"SAYSO_PORT": "none"}, {"SAYSO_PORT": "70000"}, {"SAYSO_WORKERS": "0"}])
def test_a_wrong_setting_is_named_and_not_repeated(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        load(tmp_path, environ)
    assert "$.port" in refused.value.message or "$.workers" in refused.value.message
    assert "none" not in refused.value.message
    (tmp_path / "sayso.toml").write_text("nonsense = [")
    with pytest.raises(Invalid):
        load(tmp_path, {})


def test_a_data_folder_in_which_no_socket_can_lie_is_refused_by_every_command(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    with pytest.raises(Invalid, match="path of the data folder"):
        load(deep, {})
    done = sayso("init", "--data", deep)
    assert (done.returncode, "path of the data folder" in done.stderr, deep.exists()) == (2, True, False)


def test_settings_do_not_print_a_password() -> None:
    assert "hunter2" not in repr(load("/tmp", {}, database="postgresql://u:hunter2@h/d"))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("a", "m"), 400),
        (Denied("a", "m"), 403),
        (NotFound("a", "m"), 404),
        (Conflict("a", "m"), 409),
        (TooMany("a", "m", retry_after=7), 429),
        (Unavailable("a", "m", retry_after=7), 503),
        (RuntimeError(SECRET), 500),
        (KeyError(SECRET), 500),
    ],
)
def test_each_kind_has_its_status_and_what_is_not_ours_says_nothing(error: Exception, status: int) -> None:
    answered, headers, body = problems.respond(error)
    assert answered == json.loads(body)["status"] == status
    assert SECRET not in body.decode()
    assert headers.get("retry-after") == ("7" if status in (429, 503) else None)


def test_decoding_errors_lose_their_values_and_keep_their_places() -> None:
    class Body(msgspec.Struct, forbid_unknown_fields=True):
        kind: str
        size: int = 0

    for text in (f'{{"kind": 1, "{SECRET}": 2}}', f'{{"{SECRET}": 2}}', '{"kind": "x", "size": "y"}'):
        with pytest.raises(msgspec.ValidationError) as raised:
            msgspec.json.decode(text, type=Body)
        _, _, body = problems.respond(raised.value)
        assert SECRET not in body.decode()
    assert json.loads(body)["at"] == "size"


def test_logs_tell_where_it_failed_and_never_what_was_said() -> None:
    stream = io.StringIO()
    log = Log("info", stream)
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        log.error("unexpected", error, route="/v1/subjects/{subject}/consents")
    line = json.loads(stream.getvalue())
    assert (line["error"], line["level"]) == ("ValueError", "error")
    assert "test_parts.py" in line["where"]
    assert SECRET not in stream.getvalue()


def test_metrics_count_by_template_and_status_class() -> None:
    metrics = Metrics()
    metrics.request("/v1/subjects/{subject}/consents", "GET", 200, 0.002)
    metrics.request("/v1/subjects/{subject}/consents", "GET", 204, 5.0)
    metrics.gauge("sayso_units_waiting", "Waiting.", lambda: 3)
    text = metrics.exposition().decode()
    assert 'sayso_request_seconds_count{method="GET",route="/v1/subjects/{subject}/consents",status="2xx"} 2.0' in text
    assert "sayso_units_waiting 3.0" in text


def test_a_stored_answer_opens_only_with_its_own_key() -> None:
    place = Slot(b"secret", "key_1", "consents.record", "order-1", b"body")
    sealed = place.seal(Answer(201, b"answer"))
    assert place.open(sealed) == Answer(201, b"answer")
    other = Slot(b"secret", "key_1", "consents.record", "order-2", b"body")
    assert other.fingerprint != place.fingerprint
    with pytest.raises(InvalidTag):
        other.open(sealed)
