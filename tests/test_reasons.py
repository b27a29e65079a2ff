"""Why there is no verdict, in a line."""

from jaxnet.compare.author.reasons import BREAKS_OFF, IS_JUDGED, TRAINS_NOTHING, Reason, told

NOTHING = Reason("a.py", "nothing was found that it trains", TRAINS_NOTHING)


def test_what_came_furthest_is_told_first_and_nothing_of_what_trains_nothing():
    reasons = [NOTHING, Reason("f cannot be called", "no W", BREAKS_OFF), Reason("b.py", "no loss", IS_JUDGED)]
    assert told(reasons, "a.py") == "b.py: no loss; f cannot be called: no W"
    assert told([NOTHING], "a.py") == "nothing was found that it trains"
    assert told([], "a.py") == ""


def test_each_reason_is_told_once_and_the_first_ones_only():
    same = [Reason(f"{name}.py", "no loss", IS_JUDGED) for name in "bcdbe"]
    assert told(same, "a.py") == "b.py, c.py, d.py and 1 more: no loss"
    many = [Reason("a.py", why, IS_JUDGED) for why in "12345"]
    assert told(many, "a.py") == "1; 2; 3; 2 more were run without a verdict"


def test_a_long_reason_is_cut_off():
    assert len(told([Reason("a.py", "word " * 100, BREAKS_OFF)], "a.py")) < 310
