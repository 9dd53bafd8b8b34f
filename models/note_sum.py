"""Add up a variable over a population, on the device, in double precision, and count how often.

``sum = Σ value``; ``turn <- turn - 1``. `KeepSum`, run after it, keeps the sums for a host that reads many at a time. A
few hundred numbers in single precision that differ by no more than a factor of 2,000,000 are added up without any
rounding, so that their order does not matter.
"""

from snnlearn.declare import CustomUpdateModel, CustomUpdateVarAccess, VarAccessMode

NoteSum = CustomUpdateModel(
    "NoteSum",
    vars=[("sum", "double", CustomUpdateVarAccess.REDUCE_NEURON_SUM), ("turn", "unsigned int")],
    var_refs=[("value", "scalar", VarAccessMode.READ_ONLY)],
    update_code="""
    sum = value;
    turn--;
    """,
)
