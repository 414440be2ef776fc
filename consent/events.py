"""What the registry says to the log. Purposes and choices are facts about a person: they go into the sealed detail."""

from audit import declare

RECORDED = declare("consent.choice.recorded", "notice", "notice_version", "method")
WITHDRAWN = declare("consent.choice.withdrawn", "method")
OBJECTED = declare("consent.objection.recorded", "method")
RECONSIDERED = declare("consent.objection.withdrawn", "method")

PERSON_CREATED = declare("consent.person.created", "kind")
PERSON_FORGOTTEN = declare("consent.person.forgotten", "suppressed", "records")
RELATION_RECORDED = declare("consent.relation.recorded", "kind")
JURISDICTION_RECORDED = declare("consent.jurisdiction.recorded", "source")
RESTRICTED = declare("consent.restriction.placed")
UNRESTRICTED = declare("consent.restriction.lifted")
HELD = declare("consent.hold.placed")
UNHELD = declare("consent.hold.lifted")

HISTORY_READ = declare("consent.history.read")
LINK_CREATED = declare("consent.link.created")
LINK_REDEEMED = declare("consent.link.redeemed")

PURPOSE_PUBLISHED = declare("consent.purpose.published", "purpose", "version")
NOTICE_PUBLISHED = declare("consent.notice.published", "notice", "version", "hash")
