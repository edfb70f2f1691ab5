from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.service.ids import ids

#: the years 1970 to 2100
MOMENTS = st.floats(0, 4_102_444_800.0)


@given(MOMENTS)
def test_an_id_fits_into_msh_10_and_is_letters_and_digits(moment: float) -> None:
    new_id = ids(lambda: moment)
    for made in (new_id(), new_id()):
        assert len(made) <= 20
        assert made.isascii()
        assert made.isalnum()
        assert made == made.upper()


def test_no_id_of_a_run_comes_again() -> None:
    new_id = ids(lambda: 1_700_000_000.0)
    assert len({new_id() for _ in range(100_000)}) == 100_000


@given(MOMENTS, st.floats(0.001, 1e6))
def test_two_runs_share_no_id(moment: float, later: float) -> None:
    one, other = ids(lambda: moment), ids(lambda: moment + later)
    assert {one() for _ in range(50)}.isdisjoint({other() for _ in range(50)})
