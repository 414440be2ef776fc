"""What the registry says to the log. Purposes and choices are facts about a person: they go into the sealed detail."""

from audit import declare

RECORDED = declare("consent.choice.recorded", "notice", "notice_version", "method")
WITHDRAWN = declare("consent.choice.withdrawn", "method")
OBJECTED = declare("consent.objection.recorded", "method")
UNDONE = declare("consent.choice.undone", "method")
RECONSIDERED = declare("consent.objection.withdrawn", "method")
EXPIRED = declare("consent.choice.expired")

CONFIRMED = declare("consent.choice.confirmed", "method")
CONFIRMATION_ISSUED = declare("consent.confirmation.issued")

DIRECTED = declare("consent.directive.given", "kind", "method")

PERSON_CREATED = declare("consent.person.created", "kind")
PERSON_CHANGED = declare("consent.person.changed")
PERSON_UNSURE = declare("consent.person.unsure", "people", "digest")
PERSON_SIGNED_IN = declare("consent.person.signed_in", "client")
PERSON_MERGED = declare("consent.person.merged", "kind", "proof")
PERSON_JOINED = declare("consent.person.joined", "kind", "proof")
PERSON_SPLIT = declare("consent.person.split", "kind")
IDENTIFIER_LINKED = declare("consent.identifier.linked", "kind", "proof")
IDENTIFIER_UNLINKED = declare("consent.identifier.unlinked", "kind")
CODE_SENT = declare("consent.code.sent", "kind", "purpose")
SUPPRESSION_LIFTED = declare("consent.suppression.lifted", "proof")
PERSON_FORGOTTEN = declare("consent.person.forgotten", "suppressed", "records")
PROOF_ENDED = declare("consent.proof.ended", "term")
SUPPRESSION_ENDED = declare("consent.suppression.ended", "count")
RELATION_RECORDED = declare("consent.relation.recorded", "kind")
JURISDICTION_RECORDED = declare("consent.jurisdiction.recorded", "source")
RELATION_ENDED = declare("consent.relation.ended", "kind")
JURISDICTION_REMOVED = declare("consent.jurisdiction.removed")
AGE_RECORDED = declare("consent.age.recorded", "source")
GUARDIAN_RECORDED = declare("consent.guardian.recorded", "source", "verified_by")
GUARDIAN_REMOVED = declare("consent.guardian.removed")
RESTRICTED = declare("consent.restriction.placed")
UNRESTRICTED = declare("consent.restriction.lifted")
HELD = declare("consent.hold.placed")
UNHELD = declare("consent.hold.lifted")

PREFERENCES_CHANGED = declare("consent.preferences.changed", "method")
PREFERENCES_ENDED = declare("consent.preferences.ended", "count")

HISTORY_READ = declare("consent.history.read")
LINK_CREATED = declare("consent.link.created")
LINK_REDEEMED = declare("consent.link.redeemed")

PURPOSE_PUBLISHED = declare("consent.purpose.published", "purpose", "version", "revision", "because")
NOTICE_STAGED = declare("consent.notice.staged", "notice", "version", "hash", "stage")
NOTICE_PUBLISHED = declare("consent.notice.published", "notice", "version", "hash", "material")

READINGS = frozenset({HISTORY_READ, LINK_CREATED, LINK_REDEEMED, CODE_SENT, CONFIRMATION_ISSUED, PERSON_SIGNED_IN})
"""What changes nothing about a person though an entry is about them."""
