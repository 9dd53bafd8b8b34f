"""Keep what `NoteSum` has added up: the neuron whose turn has come keeps it.

With ``turn`` 1, 2, 3, … at first, ``kept`` of the population holds the first sums in order. Give ``turn`` these values
again to begin anew.
"""

from snnlearn.declare import CustomUpdateModel, VarAccessMode

KeepSum = CustomUpdateModel(
    "KeepSum",
    vars=[("kept", "double")],
    var_refs=[("sum", "double", VarAccessMode.READ_ONLY), ("turn", "unsigned int", VarAccessMode.READ_ONLY)],
    update_code="""
    if (turn == 0) {
        kept = sum;
    }
    """,
)
