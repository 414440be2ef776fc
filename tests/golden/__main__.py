"""`python -m tests.golden` makes the golden store of this release.

Until the release is out it is made anew whenever its tables change (revision 0001 is edited in place so long); after
that never again.
"""

import json
import lzma
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sayso import __version__
from tests.builders.served import Served

FOLDER = Path(__file__).parent
MANIFEST = """
categories: [contact.email]
purposes:
  news: {title: {en: News}, legal_basis: consent, categories: [contact.email]}
notices:
  web: {version: 1, purposes: [news], text: {en: "We write to you only if you say so."}}
collections:
  customers: {fields: {email: {type: email, category: contact.email, index: [exact]}}}
roles: {sender: []}
rules:
  - {id: R1, role: sender, action: use, category: contact.email, purpose: news, effect: allow, basis: consent}
  - {id: R2, role: sender, action: reveal, category: contact.email, purpose: news, effect: allow, basis: consent}
"""


def make(out: Path) -> None:
    """Lay a store, let two people say something, and keep it packed and as a backup."""
    with tempfile.TemporaryDirectory() as place, Served(Path(place)) as served:
        folder = Path(place)
        (folder / "manifest.yaml").write_text(MANIFEST)
        served.apply(folder / "manifest.yaml")
        told = {"admin": served.admin_key, "sender": served.key("sender", "sender")}
        with served.admin as admin:

            def post(path: str, body: Any) -> Any:
                answer = admin.post(path, json=body)
                assert answer.is_success, answer.text
                return answer.json()

            for name in ("ada", "cid"):
                choice = {"notice": "web", "notice_version": 1, "locale": "en", "choices": {"news": "granted"}}
                whose = {"identifier": {"type": "customer_id", "value": name}}
                told[name] = post("/v1/consents", {"subject": whose, "method": "api", **choice})["subject"]
            post(f"/v1/subjects/{told['cid']}/withdrawals", {"purposes": "all", "method": "api"})
            value = {"subject": told["ada"], "collection": "customers", "fields": {"email": "ada@example.org"}}
            told["token"] = post("/v1/vault/records", value)["tokens"]["email"]
        served.stop()
        shutil.rmtree(out, ignore_errors=True)
        served.at("backup", "--out", str(out / "backup"), "--key-tables", str(out / "tables"))
        # Closed well: nothing waits in a write-ahead file.
        (out / "store.db.xz").write_bytes(lzma.compress((served.data / "sayso.db").read_bytes()))
        shutil.copytree(folder / "data.keys", out / "keys")
        (out / "sayso.toml").write_bytes((served.data / "sayso.toml").read_bytes())
        (out / "told.json").write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    make(FOLDER / __version__)
