"""What the server itself writes to the log. Names only; who did it is the entry's actor."""

from audit import declare

TENANT_FOUNDED = declare("server.tenant.founded")
MANIFEST_APPLIED = declare(
    "server.manifest.applied", "version", "hash", "asked_again", "proposal", "restores", "forced"
)
MANIFEST_PROPOSED = declare("server.manifest.proposed", "proposal", "base", "hash", "restores", "forced")
MANIFEST_APPROVED = declare("server.manifest.approved", "proposal", "version", "hash")
MANIFEST_REJECTED = declare("server.manifest.rejected", "proposal", "hash")
MANIFEST_WITHDRAWN = declare("server.manifest.withdrawn", "proposal", "hash")
MANIFEST_ROLLED_BACK = declare("server.manifest.rolled_back", "version", "restores", "hash")
GLASS_BROKEN = declare("server.manifest.glass_broken", "version", "restores", "hash")
RULES_SIMULATED = declare("server.rules.simulated", "draft", "decisions", "same", "permitted", "denied", "undetermined")
KEY_CREATED = declare("server.key.created", "client", "roles")
KEY_REVOKED = declare("server.key.revoked", "client")
KEY_CONFIRMED = declare("server.key.confirmed", "client")
BACKUP_BEGUN = declare("server.backup.begun", "backup")
STORE_RESTORED = declare("server.store.restored", "backup", "extent", "people", "erased")
SIGNING_KEY_ROTATED = declare("server.signing_key.rotated", "use", "kid", "since")
CONSOLE_OPENED = declare("server.console.opened")
CHOICE_HANDED_OVER = declare("server.choice.handed_over", "source", "target")
WEBHOOK_CREATED = declare("server.webhook.created", "webhook", "client")
WEBHOOK_CHANGED = declare("server.webhook.changed", "webhook", "client")
WEBHOOK_DELETED = declare("server.webhook.deleted", "webhook", "client")
WEBHOOK_DISABLED = declare("server.webhook.disabled", "webhook", "client")
WEBHOOK_REDELIVERED = declare("server.webhook.redelivered", "webhook", "client", "messages")
PACKAGE_MADE = declare("rights.package.made", "request")
PACKAGE_FETCHED = declare("rights.package.fetched", "request")
"""Everything about a person left the house: by whom is the entry's actor."""
SYSTEM_CHECKED = declare("rights.system.checked", "system", "tried", "problems")
"""Somebody had a customer database looked at. `tried` is how many statements were run and taken back there."""
