"""The theme can be read: contrast of text and of chart colours, light and dark."""

import tomllib
from itertools import combinations
from pathlib import Path

import pytest

CONFIG = tomllib.loads(
    (Path(__file__).resolve().parents[1] / ".streamlit" / "config.toml").read_text(encoding="utf-8")
)
Colour = tuple[float, float, float]

# How three kinds of colour blindness see linear light (Machado and others 2009, severity 1).
SEEN_BY = {
    "protan": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}  # fmt: skip


def linear(colour: str) -> Colour:
    """Return the linear light of `#RRGGBB`."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it."""
    lights = [
        sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(c), strict=True))
        for c in (one, other)
    ]
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def lab(light: Colour) -> Colour:
    """Return CIE Lab (D65) of linear light."""
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    scaled = [
        max(sum(a * b for a, b in zip(row, light, strict=True)), 0.0) / w
        for row, w in zip(rows, white, strict=True)
    ]
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in scaled)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_stands_out(mode: str) -> None:
    """Text and links on the page and on boxes: at least 4.5 to 1."""
    theme = CONFIG["theme"][mode]
    for text in ("textColor", "linkColor", "primaryColor"):
        assert contrast(theme[text], theme["backgroundColor"]) >= 4.5
        assert contrast(theme[text], theme["secondaryBackgroundColor"]) >= 4.5
    assert contrast(theme["textColor"], theme["sidebar"]["backgroundColor"]) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_words_of_a_primary_button_stand_out(mode: str) -> None:
    """Streamlit writes them in white whatever the colour: at least 3 to 1, as for large parts."""
    assert contrast("#FFFFFF", CONFIG["theme"][mode]["primaryColor"]) >= 3.0


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_chart_colours_stand_out(mode: str) -> None:
    """Every colour of a category on the background: at least 3 to 1."""
    theme = CONFIG["theme"][mode]
    for colour in theme["chartCategoricalColors"]:
        assert contrast(colour, theme["backgroundColor"]) >= 3.0, colour


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("kind", list(SEEN_BY))
def test_chart_colours_differ_for_the_colour_blind(mode: str, kind: str) -> None:
    """The first five colours, which stacked bars use, differ for every kind of colour vision."""
    seen = []
    for colour in CONFIG["theme"][mode]["chartCategoricalColors"][:5]:
        light = linear(colour)
        rows = SEEN_BY[kind]
        red, green, blue = (sum(a * b for a, b in zip(row, light, strict=True)) for row in rows)
        seen.append(lab((red, green, blue)))
    for one, other in combinations(seen, 2):
        distance = sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5
        assert distance >= 12, (one, other)


def test_nothing_is_fetched_for_the_theme() -> None:
    """Fonts are those of the package or of the system: no address anywhere in the settings."""
    text = repr(CONFIG)
    assert "http" not in text
    assert "fontFaces" not in CONFIG["theme"]


def test_the_shipped_settings_exist() -> None:
    """Every setting is one that the installed Streamlit knows."""
    from streamlit import config

    def walk(prefix: str, values: dict[str, object]) -> None:
        for name, value in values.items():
            if isinstance(value, dict):
                walk(f"{prefix}{name}.", value)
            else:
                assert f"{prefix}{name}" in config._config_options_template

    walk("", CONFIG)
