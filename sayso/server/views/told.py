"""What the preference page shows of how a person may be reached and what they told, and what its forms say."""

from collections.abc import Callable
from typing import Any

from consent import (
    Catalogue,
    Preference,
    Preferences,
    Questionnaire,
    SubjectState,
    UnfitPreference,
    asked_in,
)
from sayso.kernel import add_duration, iso, parse_instant
from sayso.server.brand.texts import worded
from sayso.server.manifests.configuration import Configuration
from sayso.server.pages import Cell, Channel, Hours, Question, Reaching

Form = dict[str, list[str]]
ReadForm = Callable[[Questionnaire, Preferences, Form, int], dict[str, Any]]
"""Reads a form against what stands, at an instant: what a change would say."""

PAUSES = ("P30D", "P90D")
"""How long the page offers to pause."""


def reaching(configuration: Configuration, told: Preferences, state: SubjectState, locale: str) -> Reaching | None:
    """Channels, quiet hours and pause; None for a brand that names no channel."""
    asked, catalogue = configuration.questionnaire, configuration.catalogue
    if not asked.named:
        return None
    texts = asked_in(asked, catalogue, locale).channels.values()
    locked = tuple(dict.fromkeys(purpose for channel in texts for purpose in channel.locked))
    offered = dict.fromkeys(purpose for channel in texts for purpose in channel.purposes)
    titles = {purpose: _title(catalogue, purpose, locale) for purpose in (*offered, *locked)}
    caps = told.values.get("frequency", {})
    return Reaching(
        channels=tuple(
            Channel(
                name=channel,
                cells=tuple(_cell(asked, told, state, channel, *named) for named in titles.items()),
                cap=f"{caps[channel]['most']}/{caps[channel]['per']}" if channel in caps else "",
            )
            for channel in asked.channels
        ),
        locked=tuple((titles[purpose], _reason(catalogue, purpose, locale)) for purpose in locked),
        hours=_hours(told.values.get("quiet_hours")),
        pause_until=parse_instant(told.values["pause_until"]) if "pause_until" in told.values else None,
    )


def questions(configuration: Configuration, told: Preferences, locale: str, unfit: str = "") -> tuple[Question, ...]:
    """The brand's questions with the answers that stand. `unfit` is the one whose answer was refused just now."""
    asked = configuration.questionnaire
    found = []
    for name, each in asked.preferences.items():
        answer = told.values.get(name)
        origin = told.provenance.get(name)
        known = origin is not None and name in told.values
        found.append(
            Question(
                name=name,
                type=each.type,
                title=worded(each.title, locale, name),
                description=worded(each.description, locale, ""),
                gives=worded(each.gives, locale, ""),
                purpose=_title(configuration.catalogue, each.purpose, locale),
                sensitive=each.sensitive,
                options=tuple(
                    (code, worded(title, locale, code), _chosen(code, answer)) for code, title in each.options.items()
                ),
                most=each.most,
                value=_shown(answer),
                low=each.earliest or _bound(each.min),
                high=each.latest or _bound(each.max),
                whole=each.whole,
                longest=each.longest,
                answered=known,
                how=origin.how if origin is not None and known else "declared",  # type: ignore[arg-type]
                told_at=parse_instant(origin.at) if origin is not None and known else None,
                source=(origin.source or "") if origin is not None and known else "",
                unfit=name == unfit,
            )
        )
    return tuple(found)


def reach_said(asked: Questionnaire, told: Preferences, form: Form, at: int) -> dict[str, Any]:
    """What the form about channels says that does not stand already, as a change takes it."""
    said: dict[str, Any] = {}
    stood = told.values.get("channels", {})
    channels: dict[str, Any] = {}
    shown, on = [each.partition("/") for each in form.get("shown", [])], set(form.get("on", []))
    for channel in dict.fromkeys(channel for channel, _, _ in shown):
        cells = {purpose: f"{channel}/{purpose}" in on for named, _, purpose in shown if named == channel}
        changed = {purpose: wanted for purpose, wanted in cells.items() if wanted != _on(stood.get(channel), purpose)}
        if changed:
            # With the last tick gone the channel itself is off, for whatever purpose may come.
            channels[channel] = changed if any(cells.values()) else False
    if channels:
        said["channels"] = channels
    caps = {name.partition(".")[2]: values[0] for name, values in form.items() if name.startswith("often.")}
    frequency = {
        channel: _cap(channel, code)
        for channel, code in caps.items()
        if _cap(channel, code) != told.values.get("frequency", {}).get(channel)
    }
    if frequency:
        said["frequency"] = frequency
    hours = _hours(told.values.get("quiet_hours"))
    wanted = _posted_hours(form, hours)
    if wanted != hours:
        said["quiet_hours"] = (
            {"from": wanted.start, "until": wanted.end, "zone": wanted.zone, "days": list(wanted.days)}
            if wanted.on
            else None
        )
    pause = _first(form, "pause")
    if pause in PAUSES:
        said["pause_until"] = iso(add_duration(at, pause))
    elif pause == "none" and "pause_until" in told.values:
        said["pause_until"] = None
    return said


def less_said(_asked: Questionnaire, told: Preferences, form: Form, at: int) -> dict[str, Any]:
    """What one press on "less instead of never" says: `email/1/month` caps a channel, `P30D` is a pause."""
    wanted = _first(form, "less")
    if wanted in PAUSES:
        return {"pause_until": iso(add_duration(at, wanted))}
    channel, _, code = wanted.partition("/")
    cap = _cap(channel, code)
    return {"frequency": {channel: cap}} if cap and cap != told.values.get("frequency", {}).get(channel) else {}


def answers_said(asked: Questionnaire, told: Preferences, form: Form, _at: int) -> dict[str, Any]:
    """What the form of questions says that does not stand already. Raises `UnfitPreference`."""
    said: dict[str, Any] = {}
    for name in form.get("asked", []):
        preference = asked.preferences.get(name)
        if preference is None:
            continue
        answer = _answer(preference, form.get(f"q.{name}", []))
        if answer != told.values.get(name):
            said[name] = answer
    return said


def _title(catalogue: Catalogue, purpose: str, locale: str) -> str:
    found = catalogue.purposes.get(purpose)
    return worded(found.title, locale, purpose) if found is not None else purpose


def _reason(catalogue: Catalogue, purpose: str, locale: str) -> str:
    """Why messages for a purpose cannot be switched off: its justification, else what it is for."""
    found = catalogue.purposes[purpose]
    return worded(found.justification or found.description, locale, "")


def _cell(asked: Questionnaire, told: Preferences, state: SubjectState, channel: str, purpose: str, title: str) -> Cell:
    way = asked.channels[channel]
    if purpose in way.locked:
        return Cell(purpose=purpose, title=title, state="locked")
    if purpose not in way.offered:
        return Cell(purpose=purpose, title=title, state="none")
    standing = state.purposes.get(purpose)
    counts = standing is not None and (standing.status == "granted" or standing.legal_basis != "consent")
    on = _on(told.values.get("channels", {}).get(channel), purpose)
    return Cell(purpose=purpose, title=title, state="on" if on else "off", counts=counts)


def _on(channel: bool | dict[str, bool] | None, purpose: str) -> bool:
    if channel is None or isinstance(channel, bool):
        return channel is not False
    return channel.get(purpose, True)


def _hours(told: Any) -> Hours:
    """Of several quiet times, which only a merge of two people leaves, the first."""
    first = told[0] if isinstance(told, list) else told
    if first is None:
        return Hours()
    return Hours(on=True, start=first["from"], end=first["until"], days=tuple(first["days"]), zone=first["zone"])


def _posted_hours(form: Form, stood: Hours) -> Hours:
    if "quiet" not in form:
        # Without hours to end, what stands beside the switch says nothing.
        return Hours() if stood.on else stood
    return Hours(
        on=True,
        start=_first(form, "from")[:5],
        end=_first(form, "until")[:5],
        days=tuple(form.get("days", [])),
        zone=_first(form, "zone"),
    )


def _cap(channel: str, code: str) -> dict[str, Any] | None:
    if not code:
        return None
    most, _, per = code.partition("/")
    if not most.isdecimal() or len(most) > 4:
        raise UnfitPreference(f"frequency.{channel}", "a number of messages and a period")
    return {"most": int(most), "per": per}


def _answer(asked: Preference, posted: list[str]) -> Any:
    """The answer that a form's values mean; None for none."""
    values = [value for value in posted if value.strip()]
    if not values:
        return None
    match asked.type:
        case "multi":
            return asked.checked(values)
        case "boolean":
            return asked.checked({"yes": True, "no": False}.get(values[0]))
        case "number":
            return asked.checked(_number(asked, values[0].strip()))
        case _:
            return asked.checked(values[0])


def _number(asked: Preference, text: str) -> int | float:
    try:
        return int(text) if text.lstrip("-").isdecimal() and len(text) < 18 else float(text)
    except ValueError:
        raise UnfitPreference(asked.name, "a number") from None


def _chosen(code: str, answer: Any) -> bool:
    return code in answer if isinstance(answer, list) else code == answer


def _shown(answer: Any) -> str:
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return "" if answer is None or isinstance(answer, list) else str(answer)


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _first(form: Form, name: str) -> str:
    return form.get(name, [""])[0]
