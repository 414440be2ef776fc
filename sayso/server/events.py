"""What the server itself writes to the log. Names only; who did it is the entry's actor."""

from audit import declare

TENANT_FOUNDED = declare("server.tenant.founded")
MANIFEST_APPLIED = declare("server.manifest.applied", "version", "hash")
KEY_CREATED = declare("server.key.created", "client", "roles")
KEY_REVOKED = declare("server.key.revoked", "client")
CONSOLE_OPENED = declare("server.console.opened")
LINK_ISSUED = declare("server.link.issued")
LINK_USED = declare("server.link.used")
