"""What rights requests write into the log. Nothing of a person stands in `res`: a request's id names nobody."""

from audit import declare

OPENED = declare("rights.request.opened", "request", "kind", "law", "due_on")
VERIFIED = declare("rights.request.verified", "request", "kind", "method")
EXTENDED = declare("rights.request.extended", "request", "kind", "until")
REFUSED = declare("rights.request.refused", "request", "kind", "reason")
FULFILLED = declare("rights.request.fulfilled", "request", "kind", "law")
ERASED = declare("rights.erasure.completed", "request", "law", "certificate")
"""`certificate` is the SHA-256 of the certificate's statement, in hex: the log answers for its content."""
