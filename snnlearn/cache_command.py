"""``snnlearn cache``: what is kept of compiled simulations, and having it removed."""

from __future__ import annotations

import argparse
from typing import Any

_MB = 1e6


def add_cache(commands: Any) -> None:
    """Add the command to the subcommands of a parser, as ``add_subparsers`` returns them."""
    cache = commands.add_parser(
        "cache",
        help="show or clear the cache of compiled simulations",
        description="Compiled simulations are kept in $XDG_CACHE_HOME/snnlearn, by default ~/.cache/snnlearn. "
        "Above $SNNLEARN_CACHE_MB megabytes (1024) the least recently used are removed.",
    )
    actions = cache.add_subparsers(metavar="ACTION", required=True)
    info = actions.add_parser("info", help="show where the cache is and what it holds")
    info.set_defaults(run=_info)
    clear = actions.add_parser("clear", help="remove all that is stored, and what ended compilations left behind")
    clear.set_defaults(run=_clear)


def _info(_: argparse.Namespace) -> int:
    from snnlearn.runtime import cache, cache_folder

    folder, most = cache.cache_dir(), cache.size_limit()
    entries = cache_folder.entries(folder)
    megabytes = sum(entry.size for entry in entries) / _MB
    print(f"folder: {folder}\nfiles:  {len(entries)}\nsize:   {megabytes:.1f} MB of at most {most / _MB:g} MB")
    return 0


def _clear(_: argparse.Namespace) -> int:
    from snnlearn.runtime import cache

    folder, removed = cache.cache_dir(), cache.clear()
    print(f"{folder}: removed {removed} file{'' if removed == 1 else 's'}")
    return 0
