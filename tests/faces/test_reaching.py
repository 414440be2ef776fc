"""The places whose clock a person may choose for quiet hours."""

import pytest

from sayso.server.pages.reaching import city, places


@pytest.mark.parametrize("locale", ["en", "es", "pt-BR", "de", "fr"])
def test_cities_stand_in_the_order_of_the_alphabet(locale: str) -> None:
    europe = [name for _, name in places(locale)[0][1]]
    assert europe.index(city("Europe/Amsterdam", locale)) < europe.index(city("Europe/Berlin", locale))
    assert europe.index(city("Europe/Berlin", locale)) < europe.index(city("Europe/Zurich", locale))


def test_a_zone_that_the_database_moved_keeps_its_name_in_the_readers_language() -> None:
    assert city("America/Argentina/Cordoba", "es") == "Córdoba"
    assert city("America/Argentina/Buenos_Aires", "zh-CN") == "布宜诺斯艾利斯"
    assert not [name for _, zones in places("pt-BR") for _, name in zones if "/" in name]
