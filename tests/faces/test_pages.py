"""What the pages say, asserted on their HTML."""

import re
from html.parser import HTMLParser
from typing import get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.server import pages
from sayso.server.pages import (
    ConsoleLogin,
    EntryFilter,
    Flash,
    Frame,
    PurposeCard,
    erase_word,
    safe_back,
    say,
    theme_of,
)

from .console_samples import an_entries_page, some_details
from .person_samples import a_data_page, a_history_page
from .sample_pages import Sample, all_pages
from .samples import AT, ENTRY, SUBJECT, a_frame, a_preferences_page, a_shop_page, purposes, records

PAGES = all_pages()
NAMES = [sample.name for sample in PAGES]


class Outline(HTMLParser):
    """The parts of a page that tests ask for: texts, ids, fields of forms, handlers and styles written into tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.inline: list[str] = []
        self.texts: list[str] = []
        self.headings: list[int] = []
        self.forms: list[dict[str, str | None]] = []
        self._quiet = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids += [found] if (found := named.get("id")) else []
        for name in ("for", "aria-labelledby", "aria-describedby"):
            self.references += (named.get(name) or "").split()
        self.inline += [f"{tag} {name}" for name in named if name.startswith("on") or name == "style"]
        if tag == "form":
            self.forms.append(named)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in ("script", "style"):
            self._quiet += 1
            if "src" not in named:
                self.inline.append(f"{tag} without src")

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._quiet and data.strip():
            self.texts.append(" ".join(data.split()))


@pytest.mark.parametrize("sample", PAGES, ids=NAMES)
def test_a_page_is_sound(sample: Sample) -> None:
    outline = Outline(sample.html)
    assert sample.html.startswith('<!doctype html>\n<html lang="en" dir="ltr">')
    assert len(outline.ids) == len(set(outline.ids)), "an id stands twice"
    assert set(outline.references) <= set(outline.ids), "a label points at nothing"
    assert outline.inline == [], "the policy forbids inline script and style"
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(below - above <= 1 for above, below in zip(outline.headings, outline.headings[1:], strict=False)), (
        "a heading level is skipped"
    )


@pytest.mark.parametrize("sample", PAGES, ids=NAMES)
def test_every_form_that_changes_something_is_a_post_and_carries_the_token(sample: Sample) -> None:
    for form in Outline(sample.html).forms:
        if form.get("role") != "search":
            assert form["method"] == "post"
    steps = r"(?:changes|rights|holds)/\w+/\w+"
    kept = rf"/p/you/\w+(?:/key)?|/console/(?:leave|people|uses|rollbacks|holds|{steps})"
    sessions = re.findall(rf'action="({kept})".*?</form>', sample.html, re.S)
    assert sample.html.count('name="csrf" value="form-token"') == len(sessions)


def test_three_sentences_tell_the_truth() -> None:
    html = pages.render_preferences(a_preferences_page())
    assert "You let us: <strong>News by e-mail</strong>." in html
    assert "You said no to: <strong>Recommendations and Shop statistics</strong>." in html
    assert "Not asked yet: <strong>Advertising</strong>. Until you say yes, it is a no." in html


@pytest.mark.parametrize("status", ["expired", "stale", "pending", "unasked"])
def test_what_is_no_longer_or_not_yet_granted_is_never_called_a_yes(status: str) -> None:
    card = PurposeCard(name="x", title="X", basis="consent", status=status)  # type: ignore[arg-type]
    assert say((card,)).yes == ()
    assert say((card,)).unasked == ("X",)


def test_a_switch_stands_at_yes_only_for_what_is_granted() -> None:
    html = pages.render_preferences(a_preferences_page())
    switches = dict(re.findall(r'<input type="checkbox" name="granted" value="([\w.]+)"[^>]*?( checked)?>', html))
    assert switches == {"marketing.email": " checked", "marketing.profile": "", "analytics": "", "ads": ""}
    assert re.findall(r'name="shown" value="([\w.]+)"', html) == list(switches)


def test_a_purpose_that_a_no_cannot_block_has_no_switch_and_says_so() -> None:
    html = pages.render_preferences(a_preferences_page(purposes=purposes()[4:], reaching=None, questions=()))
    assert 'type="checkbox"' not in html
    assert "Always on" in html
    assert "Needed for what you order from us" in html


def test_the_history_says_what_was_chosen_how_and_why_it_did_not_count() -> None:
    html = pages.render_history(a_history_page())
    assert "You said yes to: News by e-mail and Shop statistics. You said no to: Recommendations." in html
    assert "You withdrew: Shop statistics." in html
    assert "Recommendations: not counted, because a later no stands." in html
    assert "in the banner" in html
    assert f'data-proof="/p/you/records/{records()[0].record}/proof" data-entry="{ENTRY}"' in html


def test_an_erasure_that_was_asked_for_shows_its_day_and_no_second_form() -> None:
    html = next(sample.html for sample in PAGES if sample.name == "data-erasing")
    assert "It is done by 21 December 2026 at the latest." in html
    assert "/p/you/erasure" not in html


def test_the_word_that_confirms_an_erasure_is_in_the_language_of_the_page() -> None:
    assert erase_word("en") == "erase"
    assert erase_word("zh-CN") == "删除"
    assert pages.confirms_erasure(" Erase ", "en")
    assert not pages.confirms_erasure("erase", "zh-CN")
    assert "删除" in pages.render_data(a_data_page("zh-CN"))


def test_the_log_page_shows_proof_states_and_keeps_the_filter_in_every_link() -> None:
    page = an_entries_page(
        filter=EntryFilter(type="access.denied", from_="2026-11-01"), newer="n1", older="o1", cursor="c1"
    )
    html = pages.render_entries(page)
    assert html.count('class="pill pending"') == 2
    assert "/console/?type=access.denied&amp;from=2026-11-01&amp;cursor=o1" in html
    assert "/console/?type=access.denied&amp;from=2026-11-01&amp;cursor=c1&amp;entry=ent_" in html
    assert '<option value="access.denied" selected>' in html


def test_the_drawer_shows_the_leaf_as_it_was_hashed() -> None:
    html = pages.render_entries(an_entries_page(details=some_details(leaf='{"id":"<b>&"}')))
    assert "{&#34;id&#34;:&#34;&lt;b&gt;&amp;&#34;}" in html


def test_what_a_visitor_typed_is_never_echoed() -> None:
    html = next(sample.html for sample in PAGES if sample.name == "people")
    assert 'name="value" type="text" value=""' in html
    login = pages.render_console_login(ConsoleLogin(frame=a_frame(), problem="key"))
    assert 'name="key" type="password" value=""' in login
    assert "This key does not open the console." in login


def test_tags_of_the_shop_wait_for_their_purpose() -> None:
    html = pages.render_shop(a_shop_page())
    assert re.search(
        r'<script type="text/plain" data-purpose="analytics" src="/static/demo-statistics\.\w+\.js">', html
    )
    assert '<script async src="/v1/sites/shop/banner.js?locale=en"></script>' in html


def test_the_reference_prints_bodies_parameters_and_answers() -> None:
    html = next(sample.html for sample in PAGES if sample.name == "docs")
    assert 'id="post-v1-consents"' in html
    assert "choices" in html
    assert "{name: &#34;granted&#34; | &#34;refused&#34;}" in html
    assert "Idempotency-Key" in html
    assert html.count("<details") == 3
    assert "The notice changed" in html
    assert "published_version" not in html, "problem documents are described once, not at every answer"


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_sentence_after_a_form_exists(locale: str) -> None:
    kinds = get_args(get_type_hints(Flash)["kind"])
    sentences = {
        pages.render_preferences(a_preferences_page(locale, frame=a_frame(locale, flash=Flash(kind, AT))))
        for kind in kinds
    }
    assert len(sentences) == len(kinds)


def test_a_theme_that_was_chosen_stands_in_the_page_before_any_script() -> None:
    assert 'data-theme="dark"' in pages.render_preferences(a_preferences_page(frame=a_frame(theme="dark")))
    assert theme_of("dark") == "dark"
    assert theme_of("<script>") == theme_of(None) == "system"


@given(st.text(max_size=40))
def test_the_way_back_never_leaves_the_site(address: str) -> None:
    back = safe_back(address)
    assert back.startswith("/")
    assert not back.startswith(("//", "/\\"))
    assert "\n" not in back


@pytest.mark.parametrize(
    "address", ["//evil.example", "/\\evil.example", "https://evil.example", "/p\r\nx: y", "", None, "/\t/evil.example"]
)
def test_an_address_elsewhere_leads_home(address: str | None) -> None:
    assert safe_back(address) == "/"


@settings(deadline=None)
@given(st.text(max_size=60))
def test_whatever_a_brand_writes_stays_text(text: str) -> None:
    card = PurposeCard(
        name="x",
        title=text + "<script>alert(1)</script>",
        description='"><img src=x onerror=alert(1)>',
        basis="consent",
        status="granted",
    )
    html = pages.render_preferences(a_preferences_page(purposes=(card,), notice_text=text))
    assert "<script>alert" not in html
    assert "<img src=x" not in html


def test_a_person_is_named_by_their_identifier_alone() -> None:
    html = next(sample.html for sample in PAGES if sample.name == "person")
    assert SUBJECT in html
    assert "Yes to: News by e-mail and Shop statistics." in html


def test_the_strict_policy_has_no_way_out() -> None:
    policy = pages.CONTENT_SECURITY_POLICY
    assert "unsafe" not in policy
    assert "http" not in policy
    assert policy.startswith("default-src 'none'")
    assert "require-trusted-types-for 'script'" in policy
    assert Frame(locale="en", path="/").csrf == ""
