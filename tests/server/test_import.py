"""Existing tables come into the vault by a command that can be interrupted, and that repeats nobody's values."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from sayso.kernel import Invalid
from sayso.server.cli.importing import Mark, Plan, _begun, _keep, _mark_of, _plan, import_
from sayso.server.cli.sheets import opened
from tests.server.processes import initialised, sayso
from tests.server.worlds import MANIFEST


def table(path: Path, count: int = 12) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["customer", "email", "Mobile", "colour"])
        for number in range(count):
            mobile = "call me" if number == 3 else f"+86138001380{number:02}"
            writer.writerow([f"c-{number}" if number != 5 else "", f"p{number}@example.org", mobile, "red"])
    return path


def run(data: Path, file: Path, *more: str, code: int = 0) -> dict[str, int]:
    words = ["--data", str(data), "--collection", "customers", "--id-column", "customer", "--json"]
    done = CliRunner().invoke(import_, [*words, "--column", "phone=Mobile", *more, str(file)])
    assert done.exit_code == code, done.output
    result: dict[str, int] = json.loads(done.stdout)
    return result


def test_a_table_is_stored_with_tokens_out_and_wrong_rows_by_number(data: Path, tmp_path: Path) -> None:
    file, tokens = table(tmp_path / "customers.csv"), tmp_path / "tokens.csv"
    dry = run(data, file, "--dry-run", code=1)
    assert dry == {"rows": 12, "stored": 10, "wrong": 2, "dry_run": True}
    assert run(data, file, "--tokens", str(tokens), code=1) == dry | {"dry_run": False}
    rows = list(csv.DictReader(tokens.read_text().splitlines()))
    assert len({row["email"] for row in rows}) == 10
    assert all(row["email"].startswith("tok_") and row["phone"].startswith("tok_") for row in rows)
    errors = (tmp_path / "customers.csv.errors.csv").read_text()
    assert errors.splitlines() == ["row,problem,field", "4,invalid-value,phone", "6,no-identifier,customer"]
    assert tokens.stat().st_mode & 0o077 == 0
    assert not (tmp_path / "customers.csv.progress").exists()
    # The same table from another file: the same people, the same values, the same tokens.
    again = tmp_path / "again.csv"
    parquet.write_table(arrow_csv.read_csv(file), tmp_path / "customers.parquet")
    assert run(data, tmp_path / "customers.parquet", "--tokens", str(again), code=1)["stored"] == 10
    assert again.read_text() == tokens.read_text()


def test_an_import_goes_on_where_it_stopped_and_only_with_the_same_file(data: Path, tmp_path: Path) -> None:
    file, tokens = table(tmp_path / "customers.csv"), tmp_path / "tokens.csv"
    plan = Plan("customers", "customer_id", "customer", {"email": "email", "Mobile": "phone"}, "any")
    mark = _begun(file, plan, restart=False)
    mark.rows, mark.stored = 7, 7
    _keep(file, mark)
    tokens.write_text("row,email,phone\n")
    assert run(data, file, "--tokens", str(tokens)) == {"rows": 12, "stored": 12, "wrong": 0, "dry_run": False}
    assert [row["row"] for row in csv.DictReader(tokens.read_text().splitlines())] == ["8", "9", "10", "11", "12"]
    assert not _mark_of(file).exists()
    _keep(file, Mark("another", "plan", 7, 7, 0))
    with pytest.raises(Invalid, match="--restart"):
        _begun(file, plan, restart=False)
    assert _begun(file, plan, restart=True).rows == 0


@pytest.mark.parametrize(
    ("content", "columns", "said"),
    [
        (b"\xff\xfe\x00", (), "no CSV in UTF-8"),
        (b"customer,email,email,Mobile\n", (), "each once"),
        (b"customr,email,Mobile\n", (), "Did you mean 'customr'"),
        (b"customer,email,Mobile\n", ("emial=email",), "Did you mean 'email'"),
        (b"customer,Email,Mobile\n", (), "says which is which"),
    ],
)
def test_what_cannot_be_read_is_said_before_anything_is_stored(
    tmp_path: Path, content: bytes, columns: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(content)
    declared = {"email": {"type": "email"}, "phone": {"type": "phone"}}
    with pytest.raises(Invalid) as caught, opened(file) as read:
        _plan(read, declared, "customers", "customer_id", "customer", columns, "any")
    assert said in caught.value.message


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("import") / "data"
    initialised(folder)
    assert sayso("apply", str(MANIFEST), "--data", folder).returncode == 0
    return folder
