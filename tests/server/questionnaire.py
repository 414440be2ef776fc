"""A brand that asks people what they drink and how to reach them, and the calls by which it is told."""

from typing import Any

import httpx

from tests.server.worlds import World

MANIFEST = """
categories: [contact.email, contact.phone, contact.address]
purposes:
  marketing.email:
    title: {en: News by e-mail, zh-CN: 邮件资讯}
    categories: [contact.email]
    channels: [email, sms]
  marketing.calls: {title: {en: Calls}, categories: [contact.phone], channels: [phone, sms]}
  orders:
    title: {en: Your orders, zh-CN: 您的订单}
    description: {en: We tell you when your tea is on its way.}
    legal_basis: contract
    categories: [contact.email]
    channels: [email, sms]
notices:
  web: {version: 1, purposes: [marketing.email, marketing.calls], text: {en: "Say so."}}
preferences:
  topics:
    type: multi
    title: {en: What you drink, zh-CN: 您喝什么茶}
    gives: {en: "So we write about green tea, not black."}
    purpose: marketing.email
    options: {green: {en: Green, zh-CN: 绿茶}, black: {en: Black}, white: {en: White}}
    most: 2
  cups: {type: number, title: {en: Cups a day}, purpose: orders, min: 0, max: 40, whole: true}
  brewing: {type: choice, title: {en: Brewing}, purpose: orders, options: {pot: {en: Pot}, cup: {en: Cup}}}
  samples: {type: boolean, title: {en: Samples}, purpose: orders}
  since: {type: date, title: {en: Drinking since}, purpose: orders, earliest: "1900-01-01", latest: "2030-01-01"}
  wish: {type: text, title: {en: Your wish}, purpose: orders, longest: 20}
  allergy: {type: text, title: {en: Allergies}, purpose: orders, sensitive: true}
roles: {sender: [], picker: []}
rules:
  - {id: R1, role: sender, action: use, category: contact.email, purpose: marketing, effect: allow, basis: consent}
  - {id: R2, role: sender, action: use, category: contact.email, purpose: orders, effect: allow, basis: contract}
"""

NIGHT = {"from": "21:00", "until": "08:00", "zone": "Europe/Dublin"}


async def prefer(world: World, subject: str, values: dict[str, Any], **more: Any) -> httpx.Response:
    headers = {"if-match": more.pop("if_match")} if "if_match" in more else {}
    path = f"/v1/subjects/{subject}/preferences"
    return await world.admin.put(path, json={"values": values, **more}, headers=headers)


async def preferences(world: World, subject: str, **query: Any) -> dict[str, Any]:
    found = await world.admin.get(f"/v1/subjects/{subject}/preferences", params=query)
    assert found.status_code == 200, found.text
    assert found.headers["etag"] == f'"{found.json()["version"]}"'
    told: dict[str, Any] = found.json()
    return told
