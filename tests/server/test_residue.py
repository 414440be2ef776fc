"""What a busy day leaves behind where it may be read: no value of any person, in no file, line or figure."""

from pathlib import Path

from tests.server.processes import initialised, sayso, serving
from tests.server.worlds import MANIFEST

EMAIL, PHONE, CUSTOMER, DEVICE = "ada.byron@example.org", "+353851234567", "customer-31415", "d" * 12 + "abcdefghijkl"
VALUES = (EMAIL, "ADA.BYRON", PHONE, "851234567", CUSTOMER, DEVICE)


def test_no_clear_value_lies_in_files_logs_metrics_or_exports(data_dir: Path, tmp_path: Path) -> None:
    admin = initialised(data_dir)
    assert sayso("apply", MANIFEST, "--data", data_dir).returncode == 0
    out = tmp_path / "log"
    with serving(data_dir) as server, server.client(admin) as client:
        body = {"identifier": {"type": "customer_id", "value": CUSTOMER}, "create": True}
        subject = client.post("/v1/subjects/resolve", json=body).json()["subject"]
        for kind, value in (("email", EMAIL), ("device", DEVICE)):
            client.post("/v1/subjects/resolve", json={"identifier": {"type": kind, "value": value}, "create": True})
        record = {"subject": subject, "collection": "customers", "fields": {"email": EMAIL, "phone": PHONE}}
        tokens = client.post("/v1/vault/records", json=record).json()["tokens"]
        consent = {"subject": subject, "notice": "web", "notice_version": 1, "locale": "en"}
        consent |= {"choices": {"marketing.email": "granted"}, "evidence": {"page": EMAIL}}
        headers = {"idempotency-key": "one"}
        assert client.post("/v1/consents", json=consent, headers=headers).status_code == 201
        mailer = client.post("/v1/keys", json={"name": "mailer", "roles": ["marketing_sender"]}).json()["key"]
        with server.client(mailer) as other:
            reveal = {"items": [{"token": tokens["email"]}], "purpose": "marketing.email", "reason": "news"}
            assert other.post("/v1/vault/reveal", json=reveal).json()["results"][0]["value"] == EMAIL
        client.post(
            "/v1/vault/search",
            json={
                "collection": "customers",
                "all": [{"field": "email", "value": EMAIL}],
                "purpose": "dsar",
                "reason": "asked",
            },
        )
        for path in (f"/v1/{EMAIL}", f"/v1/subjects/{EMAIL}/consents", f"/v1/audit/entries?type={EMAIL}"):
            assert EMAIL not in client.get(path).text
        wrong = {"subject": subject, "collection": "customers", "fields": {EMAIL: PHONE}}
        assert EMAIL not in client.post("/v1/vault/records", json=wrong).text
        figures = client.get("/metrics").text
        assert "/v1/consents" in figures
        assert sayso("audit", "export", "--data", data_dir, "--out", out).returncode == 0
        texts = [figures, server.log.read_text()]
    files = [path for folder in (data_dir, out) for path in folder.rglob("*") if path.is_file()]
    content = [path.read_bytes().lower() for path in files] + [text.lower().encode() for text in texts]
    for value in VALUES:
        for part in content:
            assert value.lower().encode() not in part, value
