"""A mailer: who may have this letter by e-mail, who has left since, and what bounced counts towards nobody's limit.

    SAYSO_URL=https://say.example SAYSO_KEY=sk_… python mailer.py letters.json

`letters.json` is a list of `{"customer": "c-1", "token": "tok_…"}`: a mailer holds tokens, not addresses.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from sayso_client import AsyncSayso, AudienceQuestion, Identifier

Send = Callable[[str], Awaitable[bool]]

PURPOSE = "marketing.email"
BATCH = 2


async def campaign(say: AsyncSayso, letters: list[dict[str, str]], send: Send) -> None:
    """Send a letter to each who may have it. `send` takes an address and says whether it was taken."""
    people = {(await say.resolve(Identifier("customer_id", each["customer"]))).subject: each for each in letters}
    audience = await say.audience(
        AudienceQuestion(
            action="use", category="contact.email", purpose=PURPOSE, channel="email", subjects=tuple(people)
        )
    )
    print("asked:", ", ".join(f"{count} {reason}" for reason, count in sorted(audience.counts.items())))
    waiting, unsent, cursor = list(audience.permitted), [], None
    while waiting:
        # A list ages. Whoever left since it was answered is taken off before the next letters go.
        left = await say.revoked(audience.audience, cursor)
        cursor = left.cursor
        unsent += [each for each in waiting if each in left.revoked]
        waiting = [each for each in waiting if each not in left.revoked]
        now, waiting = waiting[:BATCH], waiting[BATCH:]
        if not now:
            break
        opened = await say.reveal([people[each]["token"] for each in now], PURPOSE, "the letter of this month")
        for subject, result in zip(now, opened, strict=True):
            sent = result.value is not None and await send(result.value)
            print(people[subject]["customer"], "sent" if sent else "not sent")
            if not sent:
                unsent.append(subject)
    if unsent:
        # Nothing reached them, so it counts towards no limit of theirs.
        print("given back:", await say.unused(audience.entry, unsent))


async def send(address: str) -> bool:
    """Stands for your mail server: it takes everything but what bounces."""
    return not address.startswith("gone@")


async def main() -> None:
    letters = json.loads(await asyncio.to_thread(Path(sys.argv[1]).read_text, "utf-8"))
    async with AsyncSayso(os.environ["SAYSO_URL"], os.environ["SAYSO_KEY"], name="mailer", timeout=60) as say:
        await campaign(say, letters, send)


if __name__ == "__main__":
    asyncio.run(main())
