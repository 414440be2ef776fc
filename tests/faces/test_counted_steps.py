"""What a person can do in how few steps, in every language, by keyboard alone and with no script."""

import re
from functools import cache

import pytest
from playwright.sync_api import Locator, Page

from sayso.server import pages
from sayso.server.pages.locales import LOCALES, translate

from .conftest import Visitor
from .person_samples import a_data_page, a_history_page, a_uses_page, uses
from .samples import a_brand, a_frame, a_preferences_page
from .site import Received

pytestmark = pytest.mark.browser

MOST_TABS = 200


@cache
def rendered(locale: str) -> dict[str, str]:
    """The pages of the preference centre by their address."""
    of = "contact.email"
    filtered = tuple(each for each in uses(locale) if each.category == of)
    door = pages.DoorPage(frame=a_frame(locale, path="/p/"), brand=a_brand())
    return {
        "/p/": pages.render_door(door),
        "/p/you": pages.render_preferences(a_preferences_page(locale)),
        "/p/you/history": pages.render_history(a_history_page(locale)),
        "/p/you/uses": pages.render_uses(a_uses_page(locale, of="")),
        f"/p/you/uses?of={of}": pages.render_uses(a_uses_page(locale, of=of, uses=filtered)),
        "/p/you/data": pages.render_data(a_data_page(locale, requests=())),
    }


class Person:
    """Somebody at the keyboard. `steps` counts what they press and type; finding the way there is not counted."""

    def __init__(self, visitor: Visitor, locale: str) -> None:
        self.locale = locale
        self.site = visitor.site
        self.site.pages = rendered(locale)
        # What a signed-in person sees of the door is the page behind it.
        self.signed_in = {"/p/": self.site.pages["/p/you"]}
        self._visitor = visitor
        self.page: Page
        self.steps = 0

    def opens(self, path: str, *, javascript: bool = False) -> None:
        self.page = self._visitor.opens(path, locale=self.locale, javascript=javascript, width=360)

    def says(self, text: str) -> str:
        return translate(self.locale, text)

    def presses(self, target: Locator) -> None:
        self._goes_to(target)
        if target.evaluate("each => each.localName === 'a' || !!each.form"):
            with self.page.expect_navigation():
                self.page.keyboard.press("Enter")
        else:
            self.page.keyboard.press("Enter")
        self.steps += 1

    def types(self, target: Locator, text: str) -> None:
        self._goes_to(target)
        self.page.keyboard.type(text)
        self.steps += 1

    def sent(self) -> Received:
        """What the form said, once it has arrived."""
        return self._visitor.sent(self.page)[0]

    def _goes_to(self, target: Locator) -> None:
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if target.evaluate("element => element === element.getRootNode().activeElement"):
                return
        raise AssertionError(f"the keyboard never came to {target}")


USUAL = ("en", "zh-CN", "ar")
"""The languages of every run: three writings. `make thorough` walks the others."""


@pytest.fixture(
    params=[each if each in USUAL else pytest.param(each, marks=pytest.mark.thorough) for each in LOCALES],
)
def person(request: pytest.FixtureRequest, visitor: Visitor) -> Person:
    return Person(visitor, request.param)


def test_everything_is_refused_in_one_step_where_the_question_is_asked(person: Person) -> None:
    person.opens("/demo/", javascript=True)
    question = person.page.get_by_role("region", name=person.says("Your say about your data"))
    person.presses(question.get_by_role("button", name=person.says("Refuse all"), exact=True))
    question.wait_for(state="detached")
    assert set(person.sent().json["choices"].values()) == {"refused"}
    assert person.steps == 1


@pytest.mark.parametrize("start", ["/u/default.AQoff", "/notices/default/web", "/privacy/shop"])
def test_everything_is_withdrawn_in_two_steps_from_a_page_that_knows_nobody(person: Person, start: str) -> None:
    """By somebody who is signed in: for them the door leads straight to the page behind it."""
    person.site.pages = person.site.pages | person.signed_in
    person.opens(start)
    way = person.says("All your choices, on your preference page")
    person.presses(person.page.get_by_role("main").get_by_role("link", name=way))
    person.presses(person.page.get_by_role("button", name=person.says("Withdraw everything")))
    assert person.sent().path == "/p/you/withdraw"
    assert person.steps == 2


@pytest.mark.parametrize("start", ["/p/you", "/p/you/history", "/p/you/uses", "/p/you/data"])
def test_everything_is_withdrawn_in_two_steps_from_any_page(person: Person, start: str) -> None:
    person.opens(start)
    if start != "/p/you":
        person.presses(person.page.get_by_role("link", name=person.says("Choices"), exact=True))
    person.presses(person.page.get_by_role("button", name=person.says("Withdraw everything")))
    assert person.sent().path == "/p/you/withdraw"
    assert person.steps <= 2


def test_everything_is_withdrawn_in_two_steps_from_a_mail(person: Person) -> None:
    person.opens("/p/#the-code", javascript=True)
    person.steps = 1  # the link in the mail
    person.presses(person.page.get_by_role("button", name=person.says("Say no to everything")))
    assert person.sent().path == "/p/session"
    assert person.sent().body == "code=the-code&withdraw=all"
    assert person.steps == 2


def test_who_used_my_e_mail_and_why_is_seen_in_three_steps(person: Person) -> None:
    person.opens("/p/you")
    person.presses(person.page.get_by_role("link", name=person.says("Who used my data"), exact=True))
    person.presses(person.page.get_by_role("link", name=person.says("your e-mail address"), exact=True))
    shown = person.page.get_by_role("main").get_by_role("list").filter(has_text=person.says("What for")).inner_text()
    assert person.says("Used %(what)s") % {"what": person.says("your e-mail address")} in shown
    assert person.says("you said yes to it") in shown
    assert person.says("your phone number") not in shown
    assert person.steps <= 3


def test_an_erasure_is_filed_in_four_steps(person: Person) -> None:
    person.opens("/p/you")
    page = person.page
    person.presses(page.get_by_role("link", name=person.says("My data"), exact=True))
    person.presses(page.locator("summary", has_text=person.says("I want my data erased")))
    person.types(page.get_by_role("main").get_by_role("textbox"), pages.erase_word(person.locale))
    person.presses(page.get_by_role("button", name=person.says("Erase my data")))
    assert person.sent().path == "/p/you/erasure"
    assert person.steps <= 4


def test_a_purpose_comes_less_often_with_one_press(person: Person) -> None:
    person.opens("/p/you")
    often = person.says("at most %(count)s a month") % {"count": "2"}
    person.presses(person.page.get_by_role("group").get_by_role("button", name=re.compile(re.escape(often))))
    assert person.sent().path == "/p/you/less"
    assert person.sent().body == "less=email%2F2%2Fmonth&csrf=form-token&version=4"
    assert person.steps == 1
