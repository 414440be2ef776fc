"""What a person can do in how few steps, in every language, by keyboard alone and with no script."""

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


class Person:
    """Somebody at the keyboard. `steps` counts what they press and type; finding the way there is not counted."""

    def __init__(self, visitor: Visitor, locale: str) -> None:
        self.locale = locale
        self.site = visitor.site
        of = "contact.email"
        filtered = tuple(each for each in uses(locale) if each.category == of)
        door = pages.DoorPage(frame=a_frame(locale, path="/p/"), brand=a_brand())
        self.site.pages = {
            "/p/": pages.render_door(door),
            "/p/you": pages.render_preferences(a_preferences_page(locale)),
            "/p/you/history": pages.render_history(a_history_page(locale)),
            "/p/you/uses": pages.render_uses(a_uses_page(locale, of="")),
            f"/p/you/uses?of={of}": pages.render_uses(a_uses_page(locale, of=of, uses=filtered)),
            "/p/you/data": pages.render_data(a_data_page(locale, requests=())),
        }
        self._visitor = visitor
        self.page: Page
        self.steps = 0

    def opens(self, path: str, *, javascript: bool = False) -> None:
        self.page = self._visitor.opens(path, javascript=javascript, width=360)

    def says(self, text: str) -> str:
        return translate(self.locale, text)

    def presses(self, target: Locator) -> None:
        self._goes_to(target)
        self.page.keyboard.press("Enter")
        self.page.wait_for_load_state()
        self.steps += 1

    def types(self, target: Locator, text: str) -> None:
        self._goes_to(target)
        self.page.keyboard.type(text)
        self.steps += 1

    def sent(self) -> Received:
        """What the last form said, once it has arrived."""
        for _ in range(100):
            if self.site.received:
                return self.site.received[-1]
            self.page.wait_for_timeout(50)
        raise AssertionError("no form arrived")

    def _goes_to(self, target: Locator) -> None:
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"the keyboard never came to {target}")


@pytest.fixture(params=list(LOCALES))
def person(request: pytest.FixtureRequest, visitor: Visitor) -> Person:
    return Person(visitor, request.param)


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
    shown = person.page.locator(".timeline").inner_text()
    assert person.says("Used %(what)s") % {"what": person.says("your e-mail address")} in shown
    assert person.says("you said yes to it") in shown
    assert person.says("your phone number") not in shown
    assert person.steps <= 3


def test_an_erasure_is_filed_in_four_steps(person: Person) -> None:
    person.opens("/p/you")
    page = person.page
    person.presses(page.get_by_role("link", name=person.says("My data"), exact=True))
    person.presses(page.locator("summary", has_text=person.says("I want my data erased")))
    person.types(page.locator("input[name=confirm]"), pages.erase_word(person.locale))
    person.presses(page.get_by_role("button", name=person.says("Erase my data")))
    assert person.sent().path == "/p/you/erasure"
    assert person.steps <= 4


def test_a_purpose_comes_less_often_with_one_press(person: Person) -> None:
    person.opens("/p/you")
    person.presses(person.page.locator("button[name=less]").first)
    assert person.sent().path == "/p/you/less"
    assert person.sent().body == "less=email%2F2%2Fmonth&csrf=form-token&version=4"
    assert person.steps == 1
