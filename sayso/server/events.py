"""What the server itself writes to the log. Names only; who did it is the entry's actor."""

from audit import declare

TENANT_FOUNDED = declare("server.tenant.founded")
MANIFEST_APPLIED = declare("server.manifest.applied", "version", "hash", "asked_again")
KEY_CREATED = declare("server.key.created", "client", "roles")
KEY_REVOKED = declare("server.key.revoked", "client")
SIGNING_KEY_ROTATED = declare("server.signing_key.rotated", "use", "kid", "since")
CONSOLE_OPENED = declare("server.console.opened")
LINK_ISSUED = declare("server.link.issued")
CHOICE_HANDED_OVER = declare("server.choice.handed_over", "source", "target")
LINK_USED = declare("server.link.used")
WEBHOOK_CREATED = declare("server.webhook.created", "webhook", "client")
WEBHOOK_CHANGED = declare("server.webhook.changed", "webhook", "client")
WEBHOOK_DELETED = declare("server.webhook.deleted", "webhook", "client")
WEBHOOK_DISABLED = declare("server.webhook.disabled", "webhook", "client")
WEBHOOK_REDELIVERED = declare("server.webhook.redelivered", "webhook", "client", "messages")
