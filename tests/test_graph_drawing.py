"""Graphs are laid out from left to right, without nodes on top of one another."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

from snnlearn.graph_drawing import Arrow, draw_svg, lay_out, width_of


def test_a_chain_goes_to_the_right_and_leaves_stand_before_what_they_lead_to() -> None:
    arrows = [Arrow("a", "b"), Arrow("b", "c"), Arrow("c", "d"), Arrow("w", "c"), Arrow("a", "d")]
    layout = lay_out(arrows)
    x = {node: place[0] for node, place in layout.places.items()}
    assert x["a"] < x["b"] < x["c"] < x["d"]
    assert x["w"] == x["b"]
    way = layout.ways[Arrow("a", "d")]
    assert len(way) == 4  # with a place of its own beside b and beside c
    assert not set(way[1:-1]) & set(layout.places.values())


def test_what_leads_back_has_no_way_to_the_right() -> None:
    arrows = [Arrow("a", "a", 1), Arrow("a", "b"), Arrow("b", "a", 3), Arrow("w", "a")]
    layout = lay_out(arrows)
    assert set(layout.ways) == {Arrow("a", "b"), Arrow("w", "a")}
    assert layout.places["w"][0] < layout.places["a"][0] < layout.places["b"][0]


def test_no_two_nodes_overlap() -> None:
    source = random.Random(1)
    for _ in range(20):
        names = [f"n{i}" * source.randint(1, 4) for i in range(source.randint(2, 15))]
        arrows = [Arrow(source.choice(names), source.choice(names), source.randint(0, 2)) for _ in range(25)]
        layout = lay_out(arrows)
        for (one, (x, y)), (other, (u, v)) in combinations(layout.places.items(), 2):
            apart = abs(x - u) >= (width_of(one) + width_of(other)) / 2 or abs(y - v) >= 0.3
            assert apart, (one, other)
        for arrow, way in layout.ways.items():
            assert all(a[0] < b[0] for a, b in pairwise(way)), arrow


def test_the_picture_says_how_late_an_arrow_is() -> None:
    arrows = [Arrow("a", "b"), Arrow("b", "a", 8), Arrow("a", "c", 3), Arrow("b", "c"), Arrow("c", "c", 2)]
    root = ET.fromstring(draw_svg(arrows, frozenset(["a"])))
    shown = [element.text for element in root.iter() if element.tag.endswith("}text")]
    assert {"a", "b", "c", "t-8", "t-3", "t-2"} <= set(shown)


def test_a_graph_deeper_than_the_interpreters_stack() -> None:
    names = [f"n{i}" for i in range(1500)]
    layout = lay_out([Arrow(a, b) for a, b in pairwise(names)] + [Arrow("n1499", "n0", 1)])
    assert len(layout.ways) == 1499
