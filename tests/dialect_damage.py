"""Code that is damaged, and words in no order: what a checker must stand; tests of several stages use it."""

from __future__ import annotations

import random
import re

_WORDS = """V n a tau exp fmax min int scalar const unsigned float bool true if else for while do switch case default
break continue typedef struct sizeof ( ) ( ) { } [ ] ; ; , ? : + - * / % & | ^ ~ ! = == += ++ -- << < > 1 0 2.0 1e3f
3u .5 0x1F 1.5d foo uint8_t size_t . -> ... # " ' \\ @ _Generic [[ ]] void auto
for_each_synapse printf "%d" "\\q" id_post /* */ // \n \t \0 é
2654435761 18446744073709551616 18446744073709551615u 0xFFFFFFFFFFFFFFFFF 1e999 1.e-999 0b1 017 5l 7ull 1f 1'000 'a'
a__b __a L_tmpnam goto return restrict $ $V NULL errno"""
WORDS = [*re.sub("\n(?=for_each|2654|a__b)", " ", _WORDS).split(" "), "9" * 5000, "0x" + "f" * 5000, "1." + "0" * 5000]
GOOD = """if ( V > 3.0 ) { V = exp ( a [ n ] ) + 2 ; } else { for ( int i = 0 ; i < n ; i ++ ) { V -= tau ; } }
switch ( n ) { case 1 : V = 2 ; break ; default : n ++ ; } const scalar x = V ? 1.0 : 2.0f ; V = ( int ) x % 3 + n ;
for_each_synapse { if ( id_post == 3 ) { printf ( "%d" , n ) ; } }"""


def damaged(rng: random.Random) -> str:
    words = GOOD.split(" ")
    for _ in range(rng.randrange(1, 4)):
        i, j = rng.randrange(len(words)), rng.randrange(len(words))
        what = rng.randrange(4)
        if what == 0:
            del words[i]
        elif what == 1:
            words[i] = rng.choice(WORDS)
        elif what == 2:
            words.insert(i, rng.choice(WORDS))
        else:
            words[i], words[j] = words[j], words[i]
    return " ".join(words)


def noise(rng: random.Random) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(12)))
