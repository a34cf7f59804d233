"""What is written as SVG here, and not by matplotlib."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from classification_assets.learning.figures import Points, boundary
from classification_assets.learning.figures.raster import as_png
from classification_assets.learning.figures.vector import as_svg

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


def parsed(svg):
    return ElementTree.fromstring(svg)


def looks_of(svg, tag):
    return [element.attrib for element in parsed(svg).iter(SVG + tag)]


@pytest.fixture
def axes():
    ax = Figure(figsize=(4, 3)).add_axes((0.1, 0.1, 0.8, 0.8))
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    return ax


def test_every_figure_is_well_formed_and_needs_no_font_and_no_other_file(kind, drawn):
    root = parsed(drawn(kind).svg())
    assert not list(root.iter(SVG + "text"))
    names = {element.get("id") for element in root.iter() if element.get("id")}
    links = [element.get(LINK) for element in root.iter() if element.get(LINK)]
    assert links
    assert all(link.startswith("data:image/png;base64,") or link[1:] in names for link in links)
    used = re.findall(r"url\(#(\w+)\)", drawn(kind).svg())
    assert set(used) <= names


def test_a_figure_has_the_size_of_its_sheet_in_points(drawn):
    figure = drawn("forest")
    root = parsed(figure.svg())
    size = [float(root.get(side)[:-2]) for side in ("width", "height")]
    np.testing.assert_allclose(size, 72 * figure.get_size_inches(), atol=0.01)
    assert figure.dpi == 150


def test_text_can_still_be_read_by_a_machine(axes):
    axes.text(0.5, 0.5, 'a "b" <c> & d', parse_math=False)
    (said,) = [look["aria-label"] for look in looks_of(as_svg(axes.figure), "g") if "aria-label" in look]
    assert said == 'a "b" <c> & d'


def test_points_are_uses_of_one_mark_each_with_its_colour_where_it_is(axes):
    axes.scatter([0, 0.5, 1], [0, 0.5, 1], c=["#ff0000", "#00ff00", "#ff0000"], edgecolors="white")
    uses = [look for look in looks_of(as_svg(axes.figure), "use") if "fill" in look]
    assert [use["fill"] for use in uses] == ["#ff0000", "#00ff00", "#ff0000"]
    assert len({use[LINK] for use in uses}) == 1
    places = [(float(use["x"]), float(use["y"])) for use in uses]
    np.testing.assert_allclose(places, [(28.8, 194.4), (144, 108), (259.2, 21.6)], atol=0.01)


def test_a_point_off_the_page_is_left_out(axes):
    axes.scatter([0.5, 99], [0.5, 0.5], c="#ff0000")
    assert len(looks_of(as_svg(axes.figure), "use")) == 1


def test_points_of_different_outlines_keep_them(axes):
    axes.scatter([0.2, 0.4], [0.5, 0.5], c="#ff0000", edgecolors=["#0000ff", "#00ff00"], linewidths=2)
    strokes = {look.get("stroke") for look in looks_of(as_svg(axes.figure), "path")}
    assert {"#0000ff", "#00ff00"} <= strokes


def test_a_line_keeps_colour_width_dashes_and_transparency(axes):
    axes.plot([0, 1], [0, 1], color="#123456", linewidth=2.5, linestyle=(1, (3, 2)), alpha=0.5)
    (look,) = [look for look in looks_of(as_svg(axes.figure), "path") if look.get("stroke") == "#123456"]
    assert look["fill"] == "none"
    assert look["stroke-width"] == "2.5"
    assert look["stroke-dasharray"] == "7.5 5"
    assert look["stroke-dashoffset"] == "2.5"
    assert look["stroke-opacity"] == "0.5"


def test_an_image_stands_upright_where_it_belongs(axes):
    axes.imshow([[[1.0, 0, 0]], [[0, 0, 1.0]]], extent=(0, 1, 0, 1), aspect="auto", interpolation="nearest")
    (image,) = looks_of(as_svg(axes.figure), "image")
    decoded = Image.open(io.BytesIO(base64.b64decode(image[LINK].split(",")[1]))).convert("RGB")
    assert decoded.getpixel((5, 2)) == (255, 0, 0)
    assert decoded.getpixel((5, decoded.height - 3)) == (0, 0, 255)
    box = [float(image[side]) for side in ("x", "y", "width", "height")]
    np.testing.assert_allclose(box, [28.8, 21.6, 230.4, 172.8], atol=1)


def test_the_areas_are_upright_too(sectors, extent):
    p = np.zeros((9, 9, 2))
    p[:5, :, 0] = p[5:, :, 1] = 1
    points = Points(np.array([[0.0, -1.5]]), np.zeros(1, int), np.full(1, 2), np.zeros(1, bool))
    (image,) = looks_of(boundary(p, extent, classes=["low", "high"], points=points).svg(), "image")
    decoded = Image.open(io.BytesIO(base64.b64decode(image[LINK].split(",")[1]))).convert("RGB")
    top, bottom = decoded.getpixel((9, 3)), decoded.getpixel((9, decoded.height - 4))
    assert top[0] > top[2]
    assert bottom[2] > bottom[0]


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 1)])
def test_pixels_come_back_from_a_png_as_they_were(channels, size):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, channels), np.uint8)
    picture = Image.open(io.BytesIO(as_png(pixels, 150)))
    picture.load()
    np.testing.assert_array_equal(np.asarray(picture), pixels)
    assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.1)
