"""Whatever color a brand has, words on it can be read."""

from hypothesis import given
from hypothesis import strategies as st

from offramp.adapters.message.brand import CARD_DARK, Brand
from offramp.adapters.message.color import CONTRAST_MIN, contrast, shaded_for

colors = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(color=colors)
def test_what_is_written_on_a_brands_color_can_be_read_in_the_light_and_in_the_dark(color):
    brand = Brand(color=color)

    assert contrast(brand.on_color, brand.color) >= CONTRAST_MIN
    assert contrast(brand.on_dark_color, brand.dark_color) >= CONTRAST_MIN
    assert contrast(brand.dark_color, CARD_DARK) >= CONTRAST_MIN


@given(color=colors, background=colors)
def test_a_color_that_can_be_read_already_is_left_alone(color, background):
    shaded = shaded_for(color, background=background)

    assert contrast(shaded, background) >= CONTRAST_MIN
    assert (shaded == color) == (contrast(color, background) >= CONTRAST_MIN)
