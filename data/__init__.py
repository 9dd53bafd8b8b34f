"""Target spike trains that come with snnlearn, and the script that draws them.

``oxford-target.ras`` shows a domed rotunda in the spirit of Oxford's Radcliffe Camera: 200 neurons, 1.89 s.
``draw_rotunda.py`` draws it; there is no other source.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["target_path"]


def target_path() -> Path:
    """Return the path of the bundled target.

    Returns
    -------
    Path
        A ``.ras`` file of 200 neurons and 1.89 s.
    """
    return Path(__file__).with_name("oxford-target.ras")
