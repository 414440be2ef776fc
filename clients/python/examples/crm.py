"""A screen of a CRM: each field is asked for and shown as far as it may be seen; the mailing list is a filter in SQL.

SAYSO_URL=https://say.example SAYSO_KEY=sk_… python crm.py
"""

import os

from sqlalchemy import Column, Connection, MetaData, String, Table, create_engine, insert, select

from sayso_client import Decision, Evaluation, Identifier, Sayso, masking
from sayso_client.sqlalchemy import fill, permitted, permitted_people, shrink

METADATA = MetaData()
CUSTOMERS = Table(
    "customers",
    METADATA,
    Column("number", String, primary_key=True),
    Column("subject", String, nullable=False),
    Column("name", String, nullable=False),
    Column("phone", String, nullable=False),
    Column("birthday", String, nullable=False),
)
PERMITTED = permitted_people(METADATA)

ROWS = [
    ("c-1", "Ada", "+441632960011", "1984-11-21"),
    ("c-2", "Bo", "+441632960022", "1991-02-03"),
    ("c-3", "Cai", "+441632960033", "1977-07-07"),
]
FIELDS = {
    "name": ("contact.name", "text"),
    "phone": ("contact.phone", "phone"),
    "birthday": ("person.birthday", "date"),
}


def card(say: Sayso, row: dict[str, str]) -> str:
    """A customer as this screen may show them: one call for all fields, each with its own answer."""
    asked = [question(say, category, row["subject"]) for category, _ in FIELDS.values()]
    answers = zip(FIELDS.items(), say.evaluations(asked), strict=True)
    return "  ".join(f"{name}: {seen(permit, row[name], kind)}" for (name, (_, kind)), permit in answers)


def seen(permit: Decision, value: str, kind: str) -> str:
    """A value behind its answer."""
    return permit.show(value, kind) if permit else f"({permit.reason})"


def question(say: Sayso, category: str, subject: str) -> Evaluation:
    """May I read this of them, to help them?"""
    return say.question("read", category, subject, "support")


def mailing_list(say: Sayso, connection: Connection) -> list[str]:
    """Who may be written to now. The database filters; the answers behind the filter are Sayso's."""
    plan = say.plan("use", "contact.email", "marketing.email")
    fill(connection, PERMITTED, say, plan, connection.execute(select(CUSTOMERS.c.subject)).scalars())
    shrink(connection, PERMITTED, say)
    wanted = (
        select(CUSTOMERS.c.name).where(permitted(plan, CUSTOMERS.c.subject, PERMITTED)).order_by(CUSTOMERS.c.number)
    )
    return list(connection.execute(wanted).scalars())


def main() -> None:
    engine = create_engine("sqlite://")
    url, key = os.environ["SAYSO_URL"], os.environ["SAYSO_KEY"]
    # A screen may take a moment: rather late than "unreachable".
    client = Sayso(url, key, name="crm", handlers=masking(), timeout=30, decide_within=10)
    with client as say, engine.begin() as connection:
        METADATA.create_all(connection)
        for number, name, phone, birthday in ROWS:
            subject = say.resolve(Identifier("customer_id", number)).subject
            row = {"number": number, "subject": subject, "name": name, "phone": phone, "birthday": birthday}
            connection.execute(insert(CUSTOMERS), row)
            print(number, card(say, row))
        print("may be written to:", ", ".join(mailing_list(say, connection)))


if __name__ == "__main__":
    main()
